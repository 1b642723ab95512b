import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.protocol.derive import Validated, ValidatedTransform
from python.protocol.flow import CollectionSpec
from python.runner.catalog import LocalEndpoint
from python.runner.catalog_readers import DerivationTask, Source, Transform
from python.runner.derive_tasks import derivation_spec, offset_suffix, validate_request
from python.runner.problems import CatalogError, Where

HERE = Where(Path("test.flow.yaml"), 7)
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}}
SOURCE = CollectionSpec(name="a/c", key=("/id",), write_schema=msgspec.Raw(json.dumps(SCHEMA).encode()))
SOURCES = {"a/c": SOURCE}


def transform(name: str, **members: Any) -> Transform:
    return Transform(name=name, source=Source(collection="a/c", where=HERE), where=HERE, **members)


def task(*transforms: Transform, **members: Any) -> DerivationTask:
    endpoint = LocalEndpoint(command=("x",), config={"a": 1}, config_where=HERE, where=HERE)
    return DerivationTask(name="a/d", endpoint=endpoint, using="local", transforms=transforms, where=HERE, **members)


def test_enabled_transforms_are_asked_about_and_built() -> None:
    asked = task(
        transform("one", shuffle=("/id",), lambda_={"b": 2}, backfill=3),
        transform("off", disable=True),
        transform("two", priority=2, read_delay_seconds=60.0, lambda_="select 1"),
        shuffle_key_types=("integer",),
    )
    request = validate_request(asked, CollectionSpec(name="a/d"), SOURCES, None)
    answer = Validated(transforms=(ValidatedTransform(), ValidatedTransform(read_only=True)))
    one, two = derivation_spec(asked, SOURCES, answer).transforms

    assert [bytes(each.lambda_config) for each in request.transforms] == [b'{"b":2}', b'"select 1"']
    assert request.shuffle_key_types == ("INTEGER",)
    assert request.project_root.startswith("file:///")
    assert (one.shuffle_key, one.backfill, one.journal_read_suffix) == (("/id",), 3, "derive/a/d/one.v3")
    assert (two.shuffle_key, two.priority, two.read_delay_seconds, two.read_only) == ((), 2, 60, True)


@pytest.mark.parametrize(
    ("transforms", "members", "sentence"),
    [
        ([transform("x", shuffle_lambda=True)], {}, "the transform x shuffles by a lambda, which is not done here"),
        (
            [transform("x", shuffle=("/id",)), transform("y", shuffle=("/name",))],
            {},
            "y shuffles by a key of string, but x by one of integer; make them alike, or say `shuffleKeyTypes`",
        ),
        (
            [transform("x", shuffle=("/id",)), transform("y", shuffle=("/id", "/name"))],
            {"shuffle_key_types": ("integer",)},
            "y shuffles by a key of integer and string, but x",
        ),
        (
            [transform("x", shuffle=("/id",))],
            {"shuffle_key_types": ("integer", "string")},
            "`shuffleKeyTypes` names 2 types, but x shuffles by 1 parts",
        ),
    ],
)
def test_a_shuffle_that_cannot_be_is_told(transforms: list[Transform], members: Any, sentence: str) -> None:
    with pytest.raises(CatalogError, match=sentence.replace("(", r"\(")):
        validate_request(task(*transforms, **members), CollectionSpec(), SOURCES, None)


def test_types_that_differ_are_right_where_they_are_named() -> None:
    asked = task(transform("x", shuffle=("/id",)), transform("y", shuffle=("/name",)), shuffle_key_types=("string",))

    assert len(validate_request(asked, CollectionSpec(), SOURCES, None).transforms) == 2


def test_a_raised_backfill_counter_changes_the_name_of_the_offset() -> None:
    assert offset_suffix(task(), transform("x")) == "derive/a/d/x"
    assert offset_suffix(task(), transform("x", backfill=1)) == "derive/a/d/x.v1"
