from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol import document
from python.runner.problems import CatalogError, Where
from python.runner.yaml_file import SourceFile, read_source


def read(folder: Path, text: str, name: str = "a.flow.yaml") -> SourceFile:
    path = folder / name
    path.write_text(text)
    return read_source(path)


def test_keys_and_items_remember_their_lines(tmp_path: Path) -> None:
    source = read(tmp_path, "captures:\n  acmeCo/a:\n    bindings:\n      - target: x\n      - target: y\n")

    assert source.where(("captures", "acmeCo/a")) == Where(source.path, 2)
    assert source.where(("captures", "acmeCo/a", "bindings", 1)) == Where(source.path, 5)
    assert source.where(("captures", "acmeCo/a", "missing")) == Where(source.path, 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("2024-01-02", "2024-01-02"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("18446744073709551617", 2**64 + 1),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("1:30", "1:30"),
        ("{a: [1, x]}", {"a": [1, "x"]}),
    ],
)
def test_scalars_are_read_as_flow_reads_them(tmp_path: Path, text: str, value: object) -> None:
    got = read(tmp_path, f"v: {text}\n").value

    assert got == {"v": value}
    assert isinstance(got, dict)
    assert type(got["v"]) is type(value)


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_a_number_that_a_float_would_change_keeps_its_digits(tmp_path: Path, name: str) -> None:
    got = read(tmp_path, '{"a": 0.12345678901234567890123, "b": 0.1, "c": 1e999}', name).value

    assert got == {"a": Decimal("0.12345678901234567890123"), "b": 0.1, "c": Decimal("1e999")}


def test_json_remembers_lines_even_with_tabs(tmp_path: Path) -> None:
    source = read(tmp_path, '{\n\t"a": {\n\t\t"b": 1\n\t}\n}', "a.json")

    assert source.where(("a", "b")).line == 3


def test_aliases_and_merge_keys_are_expanded_and_own_members_win(tmp_path: Path) -> None:
    source = read(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 5}, *a]}\n")

    assert source.value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 5, "y": 2}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "the key 'a' comes twice"),
        ("a: &a\n  b: *a\n", 1, "an alias contains itself"),
        ("a: .nan\n", 1, "not a JSON number"),
        ("a: !secret x\n", 1, "the tag !secret"),
        ("a: 1\nb: [1\nc: 2\n", 3, "is not YAML"),
        ("? [1]\n: 2\n", 1, "keys are text"),
        ("a: {<<: 1}\n", 1, "`<<` merges objects"),
        ("a: 1\n---\nb: 2\n", 2, "is not YAML"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(CatalogError, match=words) as caught:
        read(tmp_path, text)

    assert caught.value.problems[0].where == Where(tmp_path / "a.flow.yaml", line)


def test_broken_json_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is not YAML") as caught:
        read(tmp_path, '{\n"a": 1,\n"b": [}\n', "a.json")

    assert caught.value.problems[0].where.line == 3


def test_a_missing_file_is_reported_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no such file") as caught:
        read_source(tmp_path / "gone.yaml", Where(Path("a.flow.yaml"), 7))

    assert caught.value.problems[0].where == Where(Path("a.flow.yaml"), 7)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: é".encode("latin-1"))

    with pytest.raises(CatalogError, match="not UTF-8 text"):
        read_source(path)


def test_an_empty_file_is_null(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing yet\n").value is None


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab: #'\"\\\n\té01eox.-"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc #\t"), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_any_json_is_read_as_itself_from_json_and_from_yaml(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = tmp_path_factory.mktemp("json")
    text = json.dumps(value)

    for name in ("a.json", "a.yaml"):
        got = read(folder, text, name).value
        assert document.encode(got) == document.encode(value)
