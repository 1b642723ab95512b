from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.pointer import MISSING
from python.runner.reduction import DELETED, Plan, ReductionError, plan_of
from python.runner.schemas import SchemaError

SUM = {"reduce": {"strategy": "sum"}}
MERGE = {"reduce": {"strategy": "merge"}}


def plan(schema: dict[str, Any]) -> Plan:
    found = plan_of(schema)
    assert found is not None
    return found


def reduced(schema: dict[str, Any], *values: Any, full: bool = False) -> Any:
    """Fold `values` from the left, as a transaction does; `full` also reduces the first one into nothing."""
    reducing = plan(schema)
    result: Any = reducing.reduce(MISSING, values[0], full=full)
    for value in values[1:]:
        result = reducing.reduce(result, value, full=full)
    return result


def test_a_schema_without_annotations_has_no_plan() -> None:
    assert (
        plan_of({"properties": {"reduce": {"type": "string"}, "a": {"const": {"reduce": {"strategy": "sum"}}}}}) is None
    )
    assert plan_of(True) is None


def test_without_an_annotation_the_newer_location_wins() -> None:
    schema = {**MERGE, "properties": {"n": SUM}}
    assert reduced(schema, {"n": 1, "o": {"a": 1}}, {"n": 2, "o": {"b": 2}}) == {"n": 3, "o": {"b": 2}}


def test_first_write_wins_keeps_the_older_value() -> None:
    schema = {**MERGE, "properties": {"a": {"reduce": {"strategy": "firstWriteWins"}}}}
    assert reduced(schema, {}, {"a": 1}, {"a": 2}) == {"a": 1}


@pytest.mark.parametrize(
    ("older", "newer", "result"),
    [
        (2**64 - 2, 1, 2**64 - 1),
        (-(2**63) + 1, -1, -(2**63)),
        (Decimal("0.1"), Decimal("0.2"), Decimal("0.3")),
        (1, Decimal("0.5"), Decimal("1.5")),
        (10**40, Decimal("1e-40"), Decimal(f"{10**40}." + "0" * 39 + "1")),
        (Decimal("1.10"), 1, Decimal("2.10")),
    ],
)
def test_sums_are_exact(older: Any, newer: Any, result: Any) -> None:
    total = reduced(SUM, older, newer)
    assert (total, type(total)) == (result, type(result))


@pytest.mark.parametrize("newer", [True, "1", None, [1]])
def test_a_sum_refuses_what_is_no_number_and_names_the_location(newer: Any) -> None:
    with pytest.raises(ReductionError, match=r"^/n: `sum` reduces two numbers, but got a number and "):
        reduced({**MERGE, "properties": {"n": SUM}}, {"n": 1}, {"n": newer})


@pytest.mark.parametrize(("older", "newer"), [(2**64 - 1, 1), (2**64 - 1, 2**64 - 1), (-(2**63), -1)])
def test_a_sum_of_integers_beyond_64_bits_is_an_overflow(older: int, newer: int) -> None:
    with pytest.raises(ReductionError, match=rf"^/n: a sum of integers overflows: {older + newer} is beyond"):
        reduced({**MERGE, "properties": {"n": SUM}}, {"n": older}, {"n": newer})


def test_a_sum_that_would_fill_memory_is_refused() -> None:
    with pytest.raises(ReductionError, match="more than 2000 digits"):
        reduced(SUM, Decimal("1e100000"), 1)


def test_merge_is_deep_where_the_schema_says_so() -> None:
    schema = {"$defs": {"node": {**MERGE, "additionalProperties": {"$ref": "#/$defs/node"}}}, "$ref": "#/$defs/node"}
    older: Any = {"a": {"b": {"x": {}}}}
    newer: Any = {"a": {"b": {"y": {}}, "c": {}}}
    assert reduced(schema, older, newer) == {"a": {"b": {"x": {}, "y": {}}, "c": {}}}


def test_merge_of_arrays_goes_by_index() -> None:
    schema = {**MERGE, "items": SUM}
    assert reduced(schema, [1, 2, 3], [10, 20]) == [11, 22, 3]
    assert reduced(schema, [1], [10, 20]) == [11, 20]


def test_merge_with_a_key_is_a_sorted_merge_of_items() -> None:
    schema = {"reduce": {"strategy": "merge", "key": ["/k"]}, "items": {**MERGE, "properties": {"n": SUM}}}
    older = [{"k": 9, "n": 1}, {"k": 10, "n": 2}]
    newer = [{"k": 8, "n": 3}, {"k": 10, "n": 4}, {"k": "1", "n": 5}]
    assert reduced(schema, older, newer) == [
        {"k": 8, "n": 3},
        {"k": 9, "n": 1},
        {"k": 10, "n": 6},
        {"k": "1", "n": 5},
    ]


def test_merge_with_the_empty_pointer_orders_items_naturally() -> None:
    schema = {"reduce": {"strategy": "merge", "key": [""]}}
    assert reduced(schema, [2, 10, "a"], [None, True, 3, 10]) == [None, True, 2, 3, 10, "a"]


@pytest.mark.parametrize("strategy", ["merge", "append"])
def test_a_null_older_value_stays_null(strategy: str) -> None:
    assert reduced({"reduce": {"strategy": strategy}}, None, [1]) is None


@pytest.mark.parametrize(("older", "newer"), [({}, []), ([], {}), (1, {}), ({}, None)])
def test_merge_refuses_values_of_two_kinds(older: Any, newer: Any) -> None:
    with pytest.raises(ReductionError, match="`merge` reduces two objects or two arrays"):
        reduced(MERGE, older, newer)


def test_append_concatenates() -> None:
    assert reduced({"reduce": {"strategy": "append"}}, [1], [2, 3], []) == [1, 2, 3]
    with pytest.raises(ReductionError, match="`append` reduces two arrays, but got an array and a string"):
        reduced({"reduce": {"strategy": "append"}}, [1], "2")


@pytest.mark.parametrize(("strategy", "result"), [("minimize", 3), ("maximize", 10)])
def test_minimize_and_maximize_compare_numbers_by_value(strategy: str, result: int) -> None:
    assert reduced({"reduce": {"strategy": strategy}}, 10, 3, Decimal("3.5")) == result


def test_equal_values_without_a_key_take_the_newer() -> None:
    total = reduced({"reduce": {"strategy": "maximize"}}, 1, Decimal("1.0"))
    assert isinstance(total, Decimal)


def test_values_equal_by_their_key_are_merged() -> None:
    schema = {"reduce": {"strategy": "maximize", "key": ["/at"]}, "properties": {"n": SUM}}
    assert reduced(schema, {"at": 1, "n": 1, "a": 1}, {"at": 1, "n": 2}) == {"at": 1, "n": 3, "a": 1}
    assert reduced(schema, {"at": 1, "n": 1, "a": 1}, {"at": 2, "n": 2}) == {"at": 2, "n": 2}
    assert reduced(schema, {"at": 2, "n": 1}, {"at": 1, "n": 2}) == {"at": 2, "n": 1}


ARRAY_SET = {
    "reduce": {"strategy": "set", "key": ["/0"]},
    "properties": {"add": {"items": {**MERGE, "prefixItems": [{}, SUM]}}},
}
OBJECT_SET = {"reduce": {"strategy": "set"}, "properties": {"add": {"additionalProperties": SUM}}}


def test_a_set_of_arrays_adds_in_order_and_reduces_shared_members() -> None:
    older, newer = {"add": [["b", 1]]}, {"add": [["a", 1], ["b", 2]]}
    assert reduced(ARRAY_SET, older, newer) == {"add": [["a", 1], ["b", 3]]}


def test_a_set_removes_before_it_adds() -> None:
    older, newer = {"add": {"a": 1, "b": 1}}, {"remove": {"b": 0, "c": 0}, "add": {"b": 7}}
    assert reduced(OBJECT_SET, older, newer, full=True) == {"add": {"a": 1, "b": 7}}


def test_a_set_intersects_before_it_adds() -> None:
    older, newer = {"add": [["a", 1], ["b", 1]]}, {"intersect": [["b"]], "add": [["c", 2]]}
    assert reduced(ARRAY_SET, older, newer, full=True) == {"add": [["b", 1], ["c", 2]]}


@pytest.mark.parametrize(
    ("older", "newer", "result"),
    [
        ({"intersect": {"a": 0, "b": 0}}, {"intersect": {"b": 1, "c": 1}}, {"intersect": {"b": 0}}),
        ({"intersect": {"a": 0, "b": 0}}, {"remove": {"b": 0}}, {"intersect": {"a": 0}}),
        ({"remove": {"b": 0}}, {"intersect": {"a": 0, "b": 0}}, {"intersect": {"a": 0}}),
        ({"remove": {"b": 0}}, {"remove": {"a": 1}}, {"remove": {"a": 1, "b": 0}}),
        ({"intersect": {"a": 0}}, {"add": {"c": 1}}, {"add": {"c": 1}, "intersect": {"a": 0}}),
    ],
)
def test_a_partial_reduction_keeps_what_masks_earlier_documents(older: Any, newer: Any, result: Any) -> None:
    assert reduced(OBJECT_SET, older, newer) == result


def test_a_full_reduction_of_a_set_drops_its_masks_even_where_nothing_precedes() -> None:
    assert reduced(OBJECT_SET, {"remove": {"b": 0}, "add": {"a": 1}}, full=True) == {"add": {"a": 1}}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"intersect": {}, "remove": {}}, "both `intersect` and `remove`"),
        ({"plus": {}}, "the member `plus`"),
        ({"add": 1}, "`add` is neither an object nor an array"),
        ({"add": {}, "remove": []}, "objects and arrays"),
        ([], "`set` reduces objects"),
    ],
)
def test_a_malformed_set_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(ReductionError, match=problem):
        reduced(OBJECT_SET, {"add": {}}, value)


letters = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), max_size=3)
sets = st.one_of(
    st.fixed_dictionaries({}, optional={"add": letters, "remove": letters}),
    st.fixed_dictionaries({}, optional={"add": letters, "intersect": letters}),
)


@given(base=letters, one=sets, two=sets)
def test_combining_updates_of_a_set_first_changes_no_result(base: Any, one: Any, two: Any) -> None:
    reducing = plan({"reduce": {"strategy": "set"}})
    stored = {"add": base}
    apart = reducing.reduce(reducing.reduce(stored, one, full=True), two, full=True)
    together = reducing.reduce(stored, reducing.reduce(one, two, full=False), full=True)
    assert together == apart


def test_json_schema_merge_unites_two_schemas() -> None:
    schema = {"reduce": {"strategy": "jsonSchemaMerge"}}
    one, other = {"type": "string", "maxLength": 5}, {"type": "integer"}
    assert reduced(schema, one, other) == {"type": ["integer", "string"], "maxLength": 5}
    with pytest.raises(ReductionError, match="two JSON schemas"):
        reduced(schema, one, True)


DELETING = {
    **MERGE,
    "if": {"properties": {"_meta": {"properties": {"op": {"const": "d"}}}}},
    "then": {"reduce": {"strategy": "merge", "delete": True}},
}


def test_a_deletion_beside_the_strategy_of_the_root_deletes_when_fully_reduced() -> None:
    tombstone = {"id": 1, "_meta": {"op": "d"}}
    assert reduced(DELETING, {"id": 1, "x": 2, "_meta": {"op": "c"}}, tombstone, full=True) is DELETED
    assert reduced(DELETING, tombstone, full=True) is DELETED


def test_a_partial_reduction_keeps_the_deletion_as_a_document() -> None:
    assert reduced(DELETING, {"x": 2, "_meta": {"op": "c"}}, {"_meta": {"op": "d"}}) == {"x": 2, "_meta": {"op": "d"}}


MERGE_PATCH = {
    "oneOf": [
        {"type": "object", **MERGE, "additionalProperties": {"$ref": "#"}},
        {"type": "null", "reduce": {"strategy": "lastWriteWins", "delete": True}},
        {"type": ["array", "boolean", "number", "string"]},
    ]
}


def test_a_deleted_location_leaves_its_document_only_when_fully_reduced() -> None:
    assert reduced(MERGE_PATCH, {"a": {"b": 1}}, {"a": {"b": None}, "c": 1}) == {"a": {"b": None}, "c": 1}
    assert reduced(MERGE_PATCH, {"a": {"b": 1}}, {"a": {"b": None}, "c": 1}, full=True) == {"a": {}, "c": 1}
    assert reduced(MERGE_PATCH, {"a": None, "b": {"c": None}}, full=True) == {"b": {}}


def test_a_document_that_nothing_precedes_and_nothing_prunes_stays_the_same_object() -> None:
    value: dict[str, Any] = {"a": {"b": [1]}}
    assert plan(MERGE_PATCH).reduce(MISSING, value, full=True) is value


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"n": SUM}},
        {"patternProperties": {"^n": SUM}},
        {"additionalProperties": SUM},
        {"properties": {"x": {}}, "unevaluatedProperties": SUM},
        {"allOf": [{}, {"properties": {"n": SUM}}]},
        {"anyOf": [{"required": ["z"]}, {"properties": {"n": SUM}}]},
        {"oneOf": [{"required": ["z"]}, {"properties": {"n": SUM}}]},
        {"if": {"required": ["n"]}, "then": {"properties": {"n": SUM}}, "else": False},
        {"if": {"required": ["z"]}, "else": {"properties": {"n": SUM}}},
        {"if": {"properties": {"n": SUM}}},
        {"dependentSchemas": {"n": {"properties": {"n": SUM}}}},
        {"properties": {"n": {"$ref": "#/$defs/a~1b%20c"}}, "$defs": {"a/b c": SUM}},
        {"properties": {"n": {"$ref": "#total"}}, "$defs": {"t": {**SUM, "$anchor": "total"}}},
        {"properties": {"n": {"$ref": "flow://total"}}, "$defs": {"t": {**SUM, "$id": "flow://total"}}},
        {"properties": {"n": {"$ref": "flow://t#/$defs/x"}}, "$defs": {"t": {"$id": "flow://t", "$defs": {"x": SUM}}}},
    ],
)
def test_an_annotation_counts_wherever_json_schema_applies_it(schema: dict[str, Any]) -> None:
    assert reduced({**MERGE, **schema}, {"n": 1}, {"n": 2}) == {"n": 3}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": SUM}},
        {"properties": {"n": {}}, "additionalProperties": SUM},
        {"anyOf": [{"required": ["z"], "properties": {"n": SUM}}, {}]},
        {"if": {"required": ["z"]}, "then": {"properties": {"n": SUM}}},
        {"not": {"properties": {"n": SUM}}},
        {"dependentSchemas": {"z": {"properties": {"n": SUM}}}},
    ],
)
def test_an_annotation_does_not_count_where_json_schema_does_not_apply_it(schema: dict[str, Any]) -> None:
    assert reduced({**MERGE, **schema}, {"n": 1}, {"n": 2}) == {"n": 2}


def test_a_condition_may_refer_into_the_schema() -> None:
    schema = {
        "$defs": {"gone": {"properties": {"op": {"const": "d"}}, "required": ["op"]}},
        "if": {"$ref": "#/$defs/gone"},
        "then": {"reduce": {"strategy": "merge", "delete": True}},
    }
    assert reduced(schema, {"op": "d"}, full=True) is DELETED
    assert reduced(schema, {"op": "c"}, full=True) == {"op": "c"}


def test_items_of_older_drafts_are_understood() -> None:
    schema = {**MERGE, "$schema": "http://json-schema.org/draft-07/schema#", "items": [{}], "additionalItems": SUM}
    assert reduced(schema, [1, 2], [1, 2]) == [1, 4]


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        ({"strategy": "summ"}, r"/properties/n/reduce: has the strategy 'summ'; it is one of lastWriteWins"),
        ({"strategy": "sum", "key": ["/a"]}, r"/properties/n/reduce: has the member `key`; sum takes `strategy`"),
        ({"strategy": "merge", "key": ["a"]}, r"/properties/n/reduce/key: is \['a'\]; it is an array of JSON pointers"),
        ({"strategy": "merge", "delete": "yes"}, r"/properties/n/reduce/delete: is 'yes'"),
        ({"key": []}, r"/properties/n/reduce: wants an object with `strategy`"),
        ("sum", r"/properties/n/reduce: wants an object with `strategy`, but got 'sum'"),
    ],
)
def test_a_malformed_annotation_is_an_error_that_names_its_place(annotation: Any, problem: str) -> None:
    with pytest.raises(SchemaError, match=problem):
        plan_of({"properties": {"n": {"reduce": annotation}}})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"properties": {"0": SUM}}}},
        {"properties": {"a": {"items": SUM}}},
        {"properties": {"a": {"properties": {"0": {"$ref": "#/$defs/s"}}}}, "$defs": {"s": {"anyOf": [{}, SUM]}}},
    ],
)
def test_a_key_may_not_be_reduced(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="reduces /a/0, which is a key of the collection"):
        plan_of(schema, ["/a/0"])


def test_a_reduction_beside_the_key_is_no_reduction_of_it() -> None:
    assert plan_of({**MERGE, "properties": {"id": {}, "n": SUM}}, ["/id"]) is not None


@pytest.mark.parametrize("reference", ["#/$defs/none", "#none", "https://example.com/schema", "flow://none"])
def test_a_reference_that_leads_nowhere_is_an_error(reference: str) -> None:
    with pytest.raises(SchemaError, match="names nothing inside this schema"):
        plan_of({"properties": {"n": {"$ref": reference}}, **MERGE})


def test_a_reference_in_a_circle_at_one_location_is_an_error() -> None:
    with pytest.raises(SchemaError, match="refers to itself at the same location"):
        plan_of({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a", **MERGE})


def test_a_location_that_flow_would_redact_is_refused() -> None:
    schema = {"properties": {"name": {"redact": {"strategy": "sha256"}}, "redact": {"type": "string"}}}

    with pytest.raises(SchemaError, match=r"schema /properties/name/redact: redacts a location, which Flow's own"):
        plan_of(schema)
    assert plan_of({"properties": {"redact": {"type": "string"}}}) is None
