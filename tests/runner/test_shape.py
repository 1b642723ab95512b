from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.runner.shape import ANYTHING, NOTHING, TYPES, Annotations, Property, Shape, intersection, union

NUMBER = Shape(types=frozenset({"integer", "fractional"}))
INTEGER = Shape(types=frozenset({"integer"}))
STRING = Shape(types=frozenset({"string"}))
OBJECT = frozenset({"object"})


def shapes() -> st.SearchStrategy[Shape]:
    types = st.frozensets(st.sampled_from(sorted(TYPES)), min_size=1)
    leaves = st.builds(Shape, types=types)
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            Shape,
            types=types,
            properties=st.dictionaries(st.sampled_from("ab"), st.builds(Property, inner, st.booleans()), max_size=2),
            additional=st.none() | inner,
            items=st.none() | inner,
            bounds=st.dictionaries(st.sampled_from(["minimum", "maxItems"]), st.integers(0, 3), max_size=2),
        ),
        max_leaves=4,
    )


@given(shapes())
def test_anything_changes_no_intersection_and_nothing_changes_no_union(shape: Shape) -> None:
    assert intersection(shape, ANYTHING).types == shape.types
    assert union(shape, NOTHING) == union(NOTHING, shape) == shape


@given(shapes(), shapes())
def test_an_intersection_has_the_common_types_and_a_union_all(left: Shape, right: Shape) -> None:
    assert intersection(left, right).types == left.types & right.types
    assert union(left, right).types == left.types | right.types


def promised(shape: Shape) -> dict[str, tuple[bool, frozenset[str]]]:
    return {name: (member.required, member.shape.types) for name, member in shape.properties.items()}


@given(shapes(), shapes())
def test_both_ways_round_promise_the_same_members(left: Shape, right: Shape) -> None:
    assert promised(union(left, right)) == promised(union(right, left))
    assert promised(intersection(left, right)) == promised(intersection(right, left))


@given(shapes())
def test_a_shape_joined_with_itself_promises_the_same_members(shape: Shape) -> None:
    assert promised(union(shape, shape)) == promised(intersection(shape, shape)) == promised(shape)


def test_a_member_of_both_sides_is_required_where_either_requires_it() -> None:
    left = Shape(types=OBJECT, properties={"a": Property(NUMBER, required=True)})
    right = Shape(types=OBJECT, properties={"a": Property(INTEGER)})

    assert intersection(left, right).properties == {"a": Property(INTEGER, required=True)}
    assert union(left, right).properties == {"a": Property(NUMBER)}


def test_a_member_of_one_side_of_a_union_remains_only_where_the_other_speaks_of_it() -> None:
    left = Shape(types=OBJECT, properties={"a": Property(STRING, required=True)})
    open_ended = Shape(types=OBJECT)
    numeric = Shape(types=OBJECT, additional=INTEGER)
    closed = Shape(types=OBJECT, additional=NOTHING)

    assert union(left, open_ended).properties == {}
    assert union(left, numeric).properties["a"].shape.types == {"string", "integer"}
    assert union(closed, left).properties == {"a": Property(STRING)}


def test_a_side_without_objects_says_nothing_of_members() -> None:
    left = Shape(types=OBJECT, properties={"a": Property(STRING, required=True)})

    assert union(left, STRING).properties == left.properties
    assert union(STRING, left).properties == left.properties


def test_a_side_without_arrays_says_nothing_of_items() -> None:
    left = Shape(types=frozenset({"array"}), items=STRING)

    assert union(left, STRING).items == STRING
    assert union(left, Shape(types=frozenset({"array"}))).items is None


def test_bounds_narrow_in_an_intersection_and_widen_in_a_union() -> None:
    left = Shape(types=INTEGER.types, bounds={"minimum": 1, "maximum": 5})
    right = Shape(types=INTEGER.types, bounds={"minimum": 2})

    assert intersection(left, right).bounds == {"minimum": 2, "maximum": 5}
    assert union(left, right).bounds == {"minimum": 1}
    assert union(left, STRING).bounds == {"minimum": 1, "maximum": 5}


def test_annotations_survive_a_union_only_where_both_agree() -> None:
    left = Shape(annotations=Annotations(title="A", format="date"))
    right = Shape(annotations=Annotations(title="B", format="date"))

    assert union(left, right).annotations == Annotations(format="date")
    assert intersection(left, right).annotations == Annotations(title="A", format="date")


def test_values_are_joined_and_intersected_without_taking_true_for_one() -> None:
    left, right = Shape(enum=(1, "a")), Shape(enum=(True, "a"))

    assert intersection(left, right).enum == ("a",)
    assert union(left, right).enum == (1, "a", True)
    assert union(left, ANYTHING).enum is None
    assert intersection(left, ANYTHING).enum == left.enum
    assert intersection(ANYTHING, left).enum == left.enum


@pytest.mark.parametrize(
    ("shape", "name", "exists"),
    [
        (Shape(types=OBJECT, properties={"a": Property(STRING, required=True)}), "a", "MUST"),
        (Shape(types=OBJECT, properties={"a": Property(STRING)}), "a", "MAY"),
        (Shape(types=OBJECT | {"null"}, properties={"a": Property(STRING, required=True)}), "a", "MAY"),
        (Shape(types=OBJECT, additional=STRING), "a", "MAY"),
        (ANYTHING, "a", "IMPLICIT"),
        (STRING, "a", "CANNOT"),
    ],
)
def test_a_member_exists_as_surely_as_its_object_says(shape: Shape, name: str, exists: str) -> None:
    assert shape.member(name)[1] == exists
