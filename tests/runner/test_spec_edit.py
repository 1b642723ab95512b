from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol import document
from python.runner.problems import CatalogError
from python.runner.spec_edit import SpecText, block_text
from python.runner.yaml_file import parse_source

SPEC = """\
# header

captures: # all of them
  a/x:
    bindings:
      # the first
      - resource: {stream: users}
        target: 'a/users' # where to
      # a remark below

# the end
collections:
  a/users: {key: [/id], schema: users.yaml}
"""
BINDINGS = ("captures", "a/x", "bindings")
NEW = {"resource": {"stream": "no", "version": "007"}, "target": "a/new"}


def spec(text: str, name: str = "a.flow.yaml") -> SpecText:
    return SpecText(Path(name), text)


def test_an_item_is_added_below_the_last_one_and_nothing_else_changes() -> None:
    edited = spec(SPEC)

    edited.extend(BINDINGS, [NEW])

    assert edited.text == SPEC.replace(
        "        target: 'a/users' # where to\n",
        "        target: 'a/users' # where to\n"
        "      - resource:\n"
        "          stream: 'no'\n"
        "          version: '007'\n"
        "        target: a/new\n",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n- 1\n", "a:\n- 1\n- x\n- y: z\n"),
        ("a:\n  - 1", "a:\n  - 1\n  - x\n  - y: z\n"),
        ("a: [1] # one\nb: 2\n", 'a: [1, "x", {"y":"z"}] # one\nb: 2\n'),
        ("a: []\nb: 2\n", "a:\n  - x\n  - y: z\nb: 2\n"),
        ("a:\n- |\n  text\n\nb: 2\n", "a:\n- |\n  text\n\n- x\n- y: z\nb: 2\n"),
        ('{"a": []}', '{"a": ["x",{"y":"z"}]}'),
        ('{\n\t"a": [\n\t\t1\n\t]\n}\n', '{\n\t"a": [\n\t\t1\n\t, "x", {"y":"z"}]\n}\n'),
        ("a:\r\n  - 1\r\nb: 2\r\n", "a:\r\n  - 1\r\n  - x\n  - y: z\nb: 2\r\n"),
    ],
)
def test_lists_of_every_style_grow(text: str, expected: str) -> None:
    edited = spec(text, "a.json" if text.startswith("{") else "a.yaml")

    edited.extend(("a",), ["x", {"y": "z"}])

    assert edited.text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  x: 1 # one\n  # two\n  y: 2\n", "a:\n  x:\n    - 9\n  # two\n  y: 2\n  z: 3\n"),
        ("a: {x: 1, y: 2}\n", 'a: {x: [9], y: 2, "z": 3}\n'),
        ("a: {}\nb: 1\n", "a:\n  x:\n    - 9\n  z: 3\nb: 1\n"),
        ("a:\n  x:\n    - 1\n    - 2\n  y: 2\n", "a:\n  x:\n    - 9\n  y: 2\n  z: 3\n"),
        ("b: &b 1\na:\n  x: *b # alias\n", "b: &b 1\na:\n  x:\n    - 9\n  z: 3\n"),
        ("a:\n  x:\n  y: 2\n", "a:\n  x:\n    - 9\n  y: 2\n  z: 3\n"),
    ],
)
def test_members_are_put_in_their_places_or_after_the_others(text: str, expected: str) -> None:
    edited = spec(text)

    edited.update(("a",), {"x": [9], "z": 3})

    assert edited.text == expected


def test_an_empty_file_gets_its_first_members() -> None:
    edited = spec("# to do\n")

    edited.update((), {"collections": {"a/b": {"key": ["/id"]}}})

    assert edited.text == "# to do\ncollections:\n  a/b:\n    key:\n      - /id\n"


def test_a_leading_member_comes_below_the_comments_at_the_top() -> None:
    edited = spec(SPEC)

    edited.lead("import", ["a/flow.yaml"])

    assert edited.text == SPEC.replace("captures:", "import:\n  - a/flow.yaml\ncaptures:")


@pytest.mark.parametrize("text", ["{}", '{"a": 1}', ""])
def test_a_leading_member_finds_its_place_in_files_without_lines(text: str) -> None:
    edited = spec(text, "a.json" if text else "a.yaml")

    edited.lead("import", ["a/flow.yaml"])

    assert edited.value(("import",)) == ["a/flow.yaml"]


@pytest.mark.parametrize(
    "text",
    ["b: &b [1]\na: *b\n", "b: &b {x: 1}\na:\n  - *b\n"],
)
def test_what_cannot_be_edited_is_refused(text: str) -> None:
    with pytest.raises(CatalogError, match=r"a(\.x)? is written in a way that cannot be edited here"):
        spec(text).extend(("a",), [2])


def test_members_of_what_is_no_object_are_refused() -> None:
    with pytest.raises(CatalogError, match=r"a\.flow\.yaml:1: is no object"):
        spec("- 1\n").update((), {"a": 1})


def test_decimals_and_repeated_values_are_written_out() -> None:
    twice = {"n": Decimal("0.12345678901234567890123"), "e": Decimal("1E+400")}

    assert parse_source(Path("a.yaml"), block_text({"a": twice, "b": twice})).value == {"a": twice, "b": twice}


_SCALARS = st.none() | st.booleans() | st.integers() | st.text("ab: #'\"-\n01eox.+_~é", max_size=6)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab #:", min_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(_VALUES, st.sampled_from([0, 2]))
def test_a_block_reads_as_what_it_was_made_of(value: Any, offset: int) -> None:
    got = parse_source(Path("a.yaml"), block_text({"a": value}, offset)).value

    assert document.encode(got) == document.encode({"a": value})


@given(st.lists(_VALUES, min_size=1, max_size=3))
def test_added_items_follow_the_old_ones_and_other_lines_stay(items: list[Any]) -> None:
    edited = spec(SPEC)
    old = edited.value(BINDINGS)

    edited.extend(BINDINGS, items)

    assert isinstance(old, list)
    assert document.encode(edited.value(BINDINGS)) == document.encode([*old, *items])
    kept = iter(edited.text.splitlines())
    assert all(line in kept for line in SPEC.splitlines())
