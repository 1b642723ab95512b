from __future__ import annotations

import pytest
import ryaml

from python.registry.metadata.documents import DEPTH_MAX, TEXT_BYTES_MAX, Place, read, write


def rules(data: bytes) -> list[str]:
    return [each.rule for each in read(data).findings]


def test_values_know_where_they_are_written() -> None:
    document = read(b"a:\n  - b: 1\n    c: {d: 2}\n")

    assert document.value == {"a": [{"b": 1, "c": {"d": 2}}]}
    assert document.place(("a", "0", "c", "d")) == Place(3, 9, 1)
    assert document.place(("a", "0")) == Place(2, 5, 0)


def test_a_value_that_is_not_there_is_where_what_it_is_in_is() -> None:
    assert read(b"a:\n  b: 1\n").place(("a", "c", "d")) == Place(1, 1, 1)


def test_names_are_text_however_they_are_written() -> None:
    assert read(b"1.10: a\ntrue: b\n2024-01-01: c\n").value == {"1.10": "a", "true": "b", "2024-01-01": "c"}


def test_a_name_that_is_written_twice_is_told_with_both_lines() -> None:
    (finding,) = read(b"a: 1\nb: 2\na: 3\n").findings

    assert (finding.rule, finding.line, finding.message) == ("yaml-twice", 3, "a is written twice, first on line 1")


def test_merged_members_are_there() -> None:
    assert read(b"a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\n").value["b"] == {"x": 1, "y": 2}


def test_a_byte_order_mark_is_no_text() -> None:
    assert read(b"\xef\xbb\xbfa: 1\n").value == {"a": 1}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "yaml-empty"),
        (b"# only a comment\n", "yaml-empty"),
        (b"a: [1", "yaml"),
        (b"a: b: c", "yaml"),
        (b"a: 1\n---\nb: 2\n", "yaml"),
        (b"a: *nothing", "yaml"),
        (b"a: !!python/object:os.system x", "yaml-tag"),
        (b"a: !!set {b, c}", "yaml-tag"),
        (b"null", "yaml-empty"),
        (b"a: " + b"9" * 5000, "yaml"),
        (b"a: 9223372036854775808", "yaml"),
        (b"a: .inf", "yaml"),
        (b"a: !!bool maybe", "yaml"),
        (b"a: !!int ''", "yaml"),
        (b"a: !!float x", "yaml"),
        (b"\tx", "yaml"),
        (b"\xff\xfe", "yaml-utf8"),
        (b"a: \x00", "yaml"),
        (b"? [a]\n: 1", "yaml-name"),
        (b"[" * 100_000, "yaml-depth"),
        (b"a: " + b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), "yaml-depth"),
        (b"a: &a [*a]", "yaml-size"),
        (b"a" * (TEXT_BYTES_MAX + 1), "yaml-size"),
    ],
)
def test_what_is_no_yaml_to_work_on_is_told(data: bytes, rule: str) -> None:
    assert read(data).value is None
    assert rules(data) == [rule]


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert rules("\n".join(lines).encode()) == ["yaml-size"]


def test_days_are_text_that_others_look_at() -> None:
    document = read(b"a: 2024-13-45\nb: 2024-01-02 10:00:00\nc: =")

    assert (document.value, document.findings) == ({"a": "2024-13-45", "b": "2024-01-02 10:00:00", "c": "="}, ())


@pytest.mark.parametrize(
    ("data", "line", "told"),
    [
        (b"a: 1\n\tb: 2", 2, "Indent with spaces"),
        (b"a: 1\nb: x\0y", 2, "U+0000"),
        (b"a: 1\nb: " + b"9" * 5000, 2, "is no value that"),
        (b"a: [\n  1", 3, "while parsing a flow sequence"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(data: bytes, line: int, told: str) -> None:
    (finding,) = read(data).findings

    assert finding.line == line
    assert told in f"{finding.message}. {finding.fix}"


@pytest.mark.parametrize(
    "text", ["1e3", "0o7", "1.10", "yes", "2024-01-02", "a\u0085b", "\u2028", "a: b", "é😀", ".5e1"]
)
def test_what_is_written_says_the_same_to_readers_of_both_versions_of_yaml(text: str) -> None:
    written = write({text: [text]})

    assert read(written).value == {text: [text]}
    assert ryaml.loads(written.decode()) == {text: [text]}  # type: ignore[attr-defined]  # its stub says not so
