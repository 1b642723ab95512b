"""Upstream's answers are not always what they should be: they are compared, or refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python.importing import schemas
from python.importing.comparing import compare
from python.importing.snapshot_files import of_value
from python.protocol.errors import HeadwaterError

SCALARS = st.sampled_from([None, True, 0, -1, 2.5, 10**30, "", "x", "#/properties", "#", "/a", "null", "object"])
KEYWORDS = [
    *("type", "enum", "const", "properties", "required", "items", "additionalProperties", "anyOf", "oneOf", "allOf"),
    *("$ref", "$defs", "$id", "$anchor", "format", "pattern", "minimum", "exclusiveMinimum", "maxLength", "multipleOf"),
    *("if", "then", "not", "patternProperties", "prefixItems", "dependentRequired", "secret", "default", "reduce"),
    *("x-oauth2-provider", "contentEncoding", "nullable", "uniqueItems", "title", "a"),
]
MEMBERS = [
    *("recommendedName", "resourceConfig", "documentSchema", "key", "resourcePath", "isFallbackKey", "disable"),
    *("stream", "syncMode", "cursorField", "provider"),
]


def values(names: list[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=4),
        max_leaves=12,
    )


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "configSchema": values(KEYWORDS),
        "resourceConfigSchema": values(KEYWORDS),
        "resourcePathPointers": st.lists(st.sampled_from(["/stream", "/a/b", "/"]), max_size=2),
        "oauth2": st.none() | st.dictionaries(st.sampled_from(["scopes", "authUrlTemplate"]), SCALARS),
        "protocol": st.integers(0, 2),
        "documentationUrl": st.none() | st.just("https://docs.example/x"),
    },
)
BINDINGS = st.fixed_dictionaries(
    {},
    optional={
        "recommendedName": st.sampled_from(["a", "b", ""]),
        "resourceConfig": st.dictionaries(st.sampled_from(["stream", "syncMode", "cursorField"]), values(MEMBERS)),
        "documentSchema": values(KEYWORDS),
        "key": st.lists(st.sampled_from(["/a", "", "a"]), max_size=2),
        "resourcePath": st.lists(st.sampled_from(["a", ""]), max_size=2),
        "isFallbackKey": st.none() | st.booleans(),
        "disable": st.booleans(),
    },
)
SNAPSHOTS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["v1", "1.0.0"]),
        "spec": SPECS,
        "discovered": st.lists(BINDINGS, max_size=3),
        "documents": st.dictionaries(st.sampled_from(["a", "b"]), st.lists(values(["a", "b"]), max_size=2)),
        "state": values(["bindingStateV1", "a", "b"]),
    },
).filter(bool)


@settings(max_examples=100, deadline=None)
@given(old=SNAPSHOTS, new=SNAPSHOTS)
def test_whatever_connectors_answer_is_compared_or_refused(old: Any, new: Any) -> None:
    try:
        sides = of_value("old", old), of_value("new", new)
        compare(sides[0], sides[1])
    except HeadwaterError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- most are no error at all


@settings(max_examples=60, deadline=None)
@given(one=SNAPSHOTS)
def test_whatever_a_connector_answers_it_does_not_differ_from_itself(one: Any) -> None:
    try:
        side = of_value("x", one)
    except HeadwaterError:
        return
    assert compare(side, side).differences == ()


def test_a_schema_that_unfolds_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "NODES_MAX", 500)
    doubling = {f"n{depth}": {"properties": {"a": {"$ref": f"#/$defs/n{depth + 1}"}, "b": {"$ref": f"#/$defs/n{depth + 1}"}}} for depth in range(20)}  # fmt: skip  # noqa: E501
    side = of_value("x", {"spec": {"configSchema": {"$ref": "#/$defs/n0", "$defs": {**doubling, "n20": {}}}}})

    with pytest.raises(schemas.SchemaError, match="more than 500 locations, with references followed"):
        compare(side, side)
