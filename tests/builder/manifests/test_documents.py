"""YAML with places: what is read, where it says that it stands, and which bombs are refused."""

from __future__ import annotations

import pytest
import yaml

from python.builder.manifests.documents import (
    DEPTH_MAX,
    TEXT_BYTES_MAX,
    DocumentError,
    Place,
    is_text,
    of_text,
    of_value,
)

TEXT = """\
# a comment
base: &base {a: 1, b: [x, y]}
more:
  <<: *base
  b: on
  "quoted key": |
    first line
    second {{ word }}
again: *base
"""


def test_yaml_is_read_as_the_cdk_reads_it() -> None:
    assert of_text(TEXT).value == yaml.safe_load(TEXT)


@pytest.mark.parametrize(
    ("at", "needle", "place"),
    [
        (("base",), "", (2, 1)),
        (("base", "b", "1"), "", (2, 27)),
        (("more", "b"), "", (5, 3)),
        (("more", "a"), "", (2, 14)),
        (("more", "quoted key"), "word", (8, 15)),
        (("again", "a"), "", (2, 14)),
        (("more", "nowhere", "x"), "", (3, 1)),
        ((), "", (1, 1)),
    ],
)
def test_a_value_is_placed_where_it_is_written(at: tuple[str, ...], needle: str, place: tuple[int, int]) -> None:
    assert of_text(TEXT).place(at, needle) == Place(*place)


def test_a_decoded_value_has_no_places() -> None:
    assert of_value({"a": [1]}).place(("a", "0")) is None


def test_a_name_that_stands_twice_is_told_with_its_first_place() -> None:
    assert of_text("a:\n  b: 1\n  b: 2\n").twice == ((("a", "b"), Place(2, 3)),)


@pytest.mark.parametrize(
    ("text", "rule", "reason"),
    [
        ("a: " + "[" * (DEPTH_MAX + 1), "depth", "is nested deeper than 100 levels"),
        ("a: " + "[" * 100_000, "depth", "is nested deeper than 100 levels"),
        ("a: &a [*a]", "alias", "*a stands for itself, or for nothing"),
        ("x" * (TEXT_BYTES_MAX + 1), "size", "the text has 8,388,609 characters"),
        ("a: [1", "yaml", "did not find expected ',' or ']'"),
        ("a: !!python/object:os.system x", "yaml", "could not determine a constructor"),
        ("? [a]\n: 1", "yaml", "a list or an object as a name"),
        ("a: " + "9" * 10_000, "yaml", "is no value"),
        ("a: \x00", "yaml", "not allowed"),
        ("<<: 5", "yaml", "`<<` merges objects"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_is_no_document_is_refused_in_a_sentence(text: str, rule: str, reason: str) -> None:
    with pytest.raises(DocumentError) as refused:
        of_text(text)

    assert refused.value.rule == rule
    assert reason in str(refused.value)


def test_aliases_that_multiply_are_refused_before_they_are_written_out() -> None:
    bomb = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40))])

    with pytest.raises(DocumentError, match="more than 500,000 values"):
        of_text(bomb)


def test_a_decoded_value_that_is_too_large_is_refused() -> None:
    with pytest.raises(DocumentError, match="more than 500,000 values"):
        of_value([0] * 500_001)


@pytest.mark.parametrize(
    ("word", "told"), [("yes", False), ("on", False), ("2024-01-01", False), ("1e3", True), ("a", True)]
)
def test_what_needs_quotes_to_be_text_is_told(word: str, told: bool) -> None:
    assert is_text(word) is told
