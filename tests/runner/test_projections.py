from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.protocol.projection import ArrayInference, Inference, NumericInference, Projection, StringInference
from python.runner.catalog import Collection, ExplicitProjection
from python.runner.inference import Location, infer, locate
from python.runner.problems import Where
from python.runner.projections import inference_of, problems, projections

HERE = Where(Path("a.flow.yaml"), 3)
THERE = Where(Path("a.flow.yaml"), 9)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "region": {"type": ["string", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "price": {"type": "number"},
        "sum": {"type": "integer", "reduce": {"strategy": "sum"}},
        "last": {"type": "integer", "reduce": {"strategy": "lastWriteWins"}},
        "gone": False,
        "nothing": {"type": "null"},
        "nested": {"type": "object", "properties": {"b": {"type": "boolean"}}},
        "flow_document": {"type": "string"},
        "": {"type": "string"},
    },
}


def collection(*explicit: tuple[str, str, bool], key: tuple[str, ...] = ("/id",), **changes: Any) -> Collection:
    given = tuple(ExplicitProjection(field=f, ptr=p, partition=part, where=THERE) for f, p, part in explicit)
    whole = Collection(name="a/b", key=key, write_schema=SCHEMA, projections=given, where=HERE)
    return dataclasses.replace(whole, **changes)


def fields(found: Collection, schema: Any = SCHEMA) -> dict[str, Projection]:
    listed = projections(found, infer(schema))
    assert [projection.field for projection in listed] == sorted({projection.field for projection in listed})
    return {projection.field: projection for projection in listed}


def sentences(found: Collection) -> list[str]:
    write = infer(found.write_schema)
    read = write if found.read_schema is None else infer(found.read_schema)
    return [str(problem) for problem in problems(found, read, write)]


def test_every_named_location_has_its_pointer_without_the_slash_for_a_field() -> None:
    assert list(fields(collection())) == [
        "_meta/flow_truncated",
        "flow_document",
        "flow_published_at",
        "gone",
        "id",
        "last",
        "nested",
        "nested/b",
        "nothing",
        "price",
        "region",
        "sum",
        "tags",
    ]


def test_the_whole_document_is_a_field_even_where_a_member_has_that_name() -> None:
    assert fields(collection())["flow_document"].ptr == ""


def test_an_explicit_projection_renames_what_it_names_and_keeps_the_canonical_one() -> None:
    got = fields(collection(("number", "/id", False), ("doc", "", False), ("at", "/_meta/uuid/date-time", False)))

    assert (got["number"].ptr, got["number"].explicit, got["number"].is_primary_key) == ("/id", True, True)
    assert (got["id"].explicit, got["id"].is_primary_key) == (False, True)
    assert got["doc"].ptr == ""
    assert "flow_document" not in got
    assert (got["at"].ptr, got["at"].explicit) == ("/_meta/uuid", True)
    assert "flow_published_at" not in got


def test_a_partition_is_marked() -> None:
    got = fields(collection(("region", "/region", True)))["region"]

    assert (got.explicit, got.is_partition_key) == (True, True)


def test_a_key_that_the_schema_admits_without_a_name_is_a_field() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}

    assert fields(collection(key=("/any/one",)), schema)["any/one"].is_primary_key


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["integer", "null"]}, Inference(types=("integer", "null"), exists="MAY")),
        ({"type": "number"}, Inference(types=("number",), exists="MAY")),
        (
            {"type": "number", "minimum": -1, "maximum": 2.5},
            Inference(
                types=("number",),
                exists="MAY",
                numeric=NumericInference(has_minimum=True, minimum=-1.0, has_maximum=True, maximum=2.5),
            ),
        ),
        ({"type": "integer", "maximum": 10**400}, Inference(types=("integer",), exists="MAY")),
        (
            {"type": "string", "format": "date", "maxLength": 9, "secret": True, "title": "T", "description": "D"},
            Inference(
                types=("string",),
                exists="MAY",
                secret=True,
                title="T",
                description="D",
                string=StringInference(format="date", max_length=9),
            ),
        ),
        (
            {"type": "array", "maxItems": 3, "items": {"type": ["string", "number"]}},
            Inference(
                types=("array",),
                exists="MAY",
                array=ArrayInference(has_max_items=True, max_items=3, item_types=("number", "string")),
            ),
        ),
        ({"const": 1.5, "default": None}, Inference(types=("number",), exists="MAY", default=msgspec.Raw(b"null"))),
    ],
)
def test_a_location_is_described_by_what_its_schema_says(schema: Any, expected: Inference) -> None:
    place: Location = locate(infer({"type": "object", "properties": {"a": schema}}), "/a")

    assert inference_of(place) == expected


@pytest.mark.parametrize("ptr", ["/id", "/region", "/last", "/nested/b"])
def test_a_scalar_location_may_be_a_key(ptr: str) -> None:
    assert sentences(collection(key=(ptr,))) == []


@pytest.mark.parametrize(
    ("ptr", "words"),
    [
        ("/missing", "has /missing, which the schema does not name"),
        ("/gone", "has /gone, where the schema allows nothing"),
        ("/id/x", "has /id/x, where the schema allows nothing"),
        ("/tags", "has /tags of type array; want integer, string or boolean"),
        ("/price", "has /price of type number; want"),
        ("/nothing", "has /nothing of type null; want"),
        ("/sum", "has /sum with the reduction 'sum'; a key takes none"),
        ("", "has the root of type object; want"),
    ],
)
def test_other_locations_may_not(ptr: str, words: str) -> None:
    (sentence,) = sentences(collection(key=(ptr,)))

    assert sentence.startswith("a.flow.yaml:3: the key of a/b in its `schema` ")
    assert words in sentence


def test_the_key_has_to_fit_both_schemas() -> None:
    read = {"type": "object", "properties": {"id": {"type": "object"}}}

    (sentence,) = sentences(collection(read_schema=read))

    assert "in its `readSchema` has /id of type object" in sentence


@pytest.mark.parametrize("schema", [True, {}, {"type": ["object", "null"]}, {"type": "array"}])
def test_a_schema_of_more_than_objects_is_refused(schema: Any) -> None:
    assert sentences(collection(write_schema=schema)) == [
        "a.flow.yaml:3: collection a/b has a `schema` that admits more than objects; write `type: object`"
    ]


@pytest.mark.parametrize(
    ("explicit", "words"),
    [
        (("x", "/missing", False), "the projection 'x' of a/b is /missing, which the schema does not name"),
        (("x", "/tags", True), "the projection 'x' of a/b has /tags of type array; want"),
        (("id", "/region", False), "the projection 'id' of a/b is /region, but that name belongs to /id"),
    ],
)
def test_a_projection_that_cannot_be_is_refused_at_its_own_line(explicit: tuple[str, str, bool], words: str) -> None:
    (sentence,) = sentences(collection(explicit))

    assert sentence.startswith("a.flow.yaml:9: ")
    assert words in sentence


def test_a_projection_of_the_publication_time_needs_no_location() -> None:
    assert sentences(collection(("at", "/_meta/uuid/date-time", False))) == []
