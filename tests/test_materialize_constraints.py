from __future__ import annotations

from typing import Any

import msgspec
import pytest

from python.materialize_constraints import Resource, constraints_of, flat_type
from python.materialize_requests import Asked, Binding
from python.protocol.errors import ConnectorError
from python.protocol.flow import CollectionSpec, FieldSelection, Projection
from python.protocol.projection import Inference, StringInference


def place(ptr: str, *types: str, exists: str = "MUST", field: str = "", **string: str) -> Projection:
    described = StringInference(**string) if "string" in types else None  # type: ignore[arg-type] # text members alone
    inference = Inference(types=types, exists=exists, string=described)
    return Projection(ptr=ptr, field=field or ptr[1:] or "flow_document", inference=inference)


ID, NAME, ROOT = place("/id", "integer"), place("/name", "null", "string"), place("", "object")


def asked(*projections: Projection, **members: Any) -> Asked[Any]:
    collection = CollectionSpec(name="acmeCo/x", key=("/id",), projections=projections or (ID, NAME, ROOT))
    defaults: dict[str, Any] = {
        "index": 2,
        "resource": {},
        "resource_path": ("public", "x"),
        "delta_updates": False,
        "collection": collection,
        "field_config": {},
        "group_by": (),
        "backfill": 0,
        "last": None,
    }
    return Asked(**{**defaults, **members})


def before(keys: tuple[str, ...] = ("id",), values: tuple[str, ...] = ("name",), **members: Any) -> Binding[Any]:
    defaults: dict[str, Any] = {
        "index": 0,
        "resource": {},
        "resource_path": ("public", "x"),
        "delta_updates": False,
        "collection": CollectionSpec(),
        "fields": FieldSelection(keys=keys, values=values, document="flow_document"),
        "backfill": 0,
        "state_key": "x",
    }
    return Binding(**{**defaults, **members})


def types(binding: Asked[Any], resource: Resource | None = None) -> dict[str, str]:
    return {field: each.type for field, each in constraints_of(binding, resource or Resource()).items()}


EXISTING = Resource(exists=True, occupied=True, columns={"id": 1, "name": 2, "flow_document": 3})


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        (place("/a", "array"), "array"),
        (place("/a", "boolean", "null"), "boolean"),
        (place("/a", "integer", "number"), "number"),
        (place("/a", "object"), "object"),
        (place("/a", "string"), "string"),
        (place("/a", "null"), "never"),
        (Projection(ptr="/a", field="a"), "never"),
        (place("/a", "integer", "object"), "multiple"),
        (place("/a", "string", content_encoding="base64"), "binary"),
        (place("/a", "string", "integer", format="integer"), "string-integer"),
        (place("/a", "string", format="number"), "string-number"),
        (place("/a", "string", "integer", "null", format="number"), "string-number"),
        (place("/a", "string", "number", format="integer"), "multiple"),
        (place("/a", "string", "boolean", format="integer"), "multiple"),
        (place("/a", "string", format="date"), "string"),
    ],
)
def test_every_location_has_one_flat_type(projection: Projection, expected: str) -> None:
    assert flat_type(projection) == expected


def test_a_new_resource_wants_the_key_and_the_document_and_recommends_scalars() -> None:
    binding = asked(
        ID,
        NAME,
        ROOT,
        place("/tags", "array"),
        place("/mixed", "string", "object"),
        place("/address", "object"),
        place("/nothing", "null"),
        place("/_meta/op", "string"),
        place("/_meta/uuid", "string"),
    )

    assert types(binding) == {
        "id": "LOCATION_REQUIRED",
        "name": "LOCATION_RECOMMENDED",
        "flow_document": "LOCATION_REQUIRED",
        "tags": "LOCATION_RECOMMENDED",
        "mixed": "LOCATION_RECOMMENDED",
        "address": "FIELD_OPTIONAL",
        "nothing": "FIELD_FORBIDDEN",
        "_meta/op": "LOCATION_RECOMMENDED",
        "_meta/uuid": "FIELD_OPTIONAL",
    }


def test_delta_updates_need_no_document() -> None:
    assert types(asked(delta_updates=True))["flow_document"] == "FIELD_OPTIONAL"


def test_every_constraint_has_a_reason() -> None:
    assert all(each.reason for each in constraints_of(asked(), Resource()).values())


@pytest.mark.parametrize(
    ("projection", "wrong"),
    [
        (place("/id", "integer", "null"), "may be null or missing"),
        (place("/id", "integer", exists="MAY"), "may be null or missing"),
        (place("/id", "object"), "admits object"),
        (place("/id", "number"), "admits number"),
    ],
)
def test_a_key_that_tells_no_documents_apart_is_refused(projection: Projection, wrong: str) -> None:
    with pytest.raises(ConnectorError, match=rf"binding 2, public\.x: .*acmeCo/x.*'id' at /id.*{wrong}"):
        types(asked(projection, ROOT))


def test_a_nullable_key_with_a_default_is_fine() -> None:
    default = Inference(types=("integer", "null"), exists="MAY", default=msgspec.Raw(b"0"))

    assert types(asked(Projection(ptr="/id", field="id", inference=default)))["id"] == "LOCATION_REQUIRED"


def test_what_an_endpoint_cannot_hold_is_forbidden_with_its_reason() -> None:
    found = constraints_of(asked(), Resource(unfit=lambda each: "too long" if each.field == "name" else ""))

    assert (found["name"].type, found["name"].reason) == ("FIELD_FORBIDDEN", "too long")


def test_an_existing_resource_requires_its_key_and_its_document() -> None:
    more = (place("/id", "integer", field="id2"), place("", "object", field="doc2"), place("/new", "string"))

    assert types(asked(ID, NAME, ROOT, *more, last=before()), EXISTING) == {
        "id": "FIELD_REQUIRED",
        "name": "LOCATION_RECOMMENDED",
        "flow_document": "FIELD_REQUIRED",
        "id2": "LOCATION_REQUIRED",
        "doc2": "FIELD_FORBIDDEN",
        "new": "LOCATION_RECOMMENDED",
    }


def test_a_column_that_no_longer_fits_is_incompatible_until_a_backfill() -> None:
    resource = msgspec.structs.replace(EXISTING, misfit=lambda each, column: "integer now" if column == 2 else "")

    assert types(asked(last=before()), resource)["name"] == "INCOMPATIBLE"
    assert types(asked(last=before(), backfill=1), resource)["name"] == "LOCATION_RECOMMENDED"


def test_columns_are_found_by_their_folded_names() -> None:
    resource = msgspec.structs.replace(EXISTING, fold=str.lower, misfit=lambda each, column: f"is {column}")
    found = constraints_of(asked(ID, place("/Name", "string"), ROOT, last=before()), resource)

    assert (found["Name"].type, found["Name"].folded_field, found["id"].folded_field) == ("INCOMPATIBLE", "name", "")


def test_another_key_needs_a_backfill() -> None:
    found = types(asked(last=before(keys=("name",), values=())), EXISTING)

    assert (found["id"], found["name"]) == ("INCOMPATIBLE", "INCOMPATIBLE")


def test_delta_updates_end_with_a_backfill_alone() -> None:
    deltas = before(delta_updates=True)

    assert set(types(asked(last=deltas), EXISTING).values()) == {"INCOMPATIBLE"}
    assert "INCOMPATIBLE" not in types(asked(last=deltas, backfill=1), EXISTING).values()
    assert "INCOMPATIBLE" not in types(asked(last=before(), delta_updates=True), EXISTING).values()


def test_a_resource_of_others_is_refused_unless_it_is_empty_or_allowed() -> None:
    with pytest.raises(ConnectorError, match=r"binding 2, public\.x exists and holds documents .* this task did not"):
        types(asked(), EXISTING)
    for change in ({"occupied": False}, {"allow_existing": True}):
        assert types(asked(), msgspec.structs.replace(EXISTING, **change))["id"] == "FIELD_REQUIRED"


def test_group_by_makes_the_key() -> None:
    name = place("/name", "string")

    assert types(asked(ID, name, ROOT, group_by=("name",))) == {
        "id": "LOCATION_RECOMMENDED",
        "name": "FIELD_REQUIRED",
        "flow_document": "LOCATION_REQUIRED",
    }
    with pytest.raises(ConnectorError, match="groupBy names 'nope'"):
        types(asked(group_by=("nope",)))
