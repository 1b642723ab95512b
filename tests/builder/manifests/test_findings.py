"""What is found is bounded: in number, in size, and in the time that looking for it takes."""

from __future__ import annotations

import difflib
from typing import Any

import pytest

from python.builder.manifests import cdk
from python.builder.manifests.findings import Severity, finding, nearest
from python.builder.manifests.linting import lint

pytest.importorskip("airbyte_cdk")

HEAD = "version: 6.0.0\ntype: DeclarativeSource\ncheck: {type: CheckStream, stream_names: [x]}\nstreams: []\n"


def deprecated(count: int) -> str:
    stream = "{type: DeclarativeStream, name: x%d, retriever: {type: SimpleRetriever}, schema_loader: [], zz: 1}\n"
    return HEAD.replace("streams: []\n", "streams:\n" + "".join(f"- {stream % number}" for number in range(count)))


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many names each call of difflib was given."""
    counts: list[int] = []
    close = difflib.get_close_matches

    def counted(word: str, names: Any, **options: Any) -> list[str]:
        counts.append(len(names))
        return close(word, names, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    return counts


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "".join(f"k{number}: 1\n" for number in range(3000)),
        HEAD + "definitions:\n" + "".join(f"  d{number}: '#/definitions/e{number}'\n" for number in range(3000)),
        HEAD
        + "spec: {type: Spec, connection_specification: {properties: {b: {}}}}\ndefinitions: {a: [\n"
        + "'{{ config.a }}',\n" * 3000
        + "]}\n",
        HEAD + "k: 1\n" * 3000,
        deprecated(300),
    ],
    ids=["unknown fields", "missing definitions", "unknown keys", "names that stand twice", "streams"],
)
def test_so_much_is_told_and_that_there_is_more(text: str, compared: list[int]) -> None:
    found = lint(text, cdk.installed())

    assert len([each for each in found if each.severity is Severity.ERROR]) == 200
    assert "more were not looked for" in found[-1].message
    assert len([each for each in compared if each]) <= 500
    assert max(compared, default=0) <= 50


def test_a_finding_that_is_met_again_is_told_once_and_hides_no_other() -> None:
    stream = "{type: DeclarativeStream, name: x, retriever: {type: SimpleRetrieve}}"
    streams = "streams: [" + "'#/definitions/r', " * 2000 + "{type: Other}]"
    found = lint(HEAD.replace("streams: []", streams) + f"definitions:\n  r: {stream}\n", cdk.installed())

    assert [each.got for each in found if each.rule == "unknown-component"] == ["Other", "SimpleRetrieve"]


def test_the_nearest_of_many_names_is_found() -> None:
    assert nearest("config_for_item_777_", [f"config_for_item_{number}" for number in range(2000)])
    assert nearest("HttpRequestor", [*(f"Other{number}" for number in range(2000)), "HttpRequester"]) == "HttpRequester"


def test_what_is_no_name_is_compared_with_none(compared: list[int]) -> None:
    assert nearest("x" * 100_000, ["x" * 99_999]) is None
    assert compared == []


def test_a_finding_is_small() -> None:
    found = finding("x", (), "y", got="z" * 100_000, want=[str(number) for number in range(100_000)])

    assert (len(found.got), len(found.want)) == (1001, 100)


def test_a_long_chain_of_references_is_no_circle() -> None:
    chain = "".join(f"  d{number}: {{$ref: '#/definitions/d{number + 1}'}}\n" for number in range(800))
    texts = "".join(f"  e{number}: '#/definitions/e{number + 1}'\n" for number in range(800))
    text = f"{HEAD}definitions:\n{chain}  d800: {{a: 1}}\n{texts}  e800: {{a: 1}}\n"
    found = [each for each in lint(text, cdk.installed()) if each.severity is Severity.ERROR]

    assert {each.rule for each in found} == {"depth"}
    assert "the chain is too long" in found[0].message


@pytest.mark.parametrize("circle", ["  a: '#/definitions/a'\n", "  a: '#/definitions/b'\n  b: '#/definitions/a'\n"])
def test_a_circle_of_texts_is_one(circle: str) -> None:
    found = lint(f"{HEAD}definitions:\n{circle}", cdk.installed())

    assert {each.rule for each in found if each.severity is Severity.ERROR} == {"circular-reference"}


def test_a_secret_that_is_no_interpolation_is_not_repeated() -> None:
    text = HEAD + "definitions: {a: {api_token: 'canary-{{ x', path: 'shown-{{ x'}}\n"
    found = [each for each in lint(text, cdk.installed()) if each.rule == "interpolation-syntax"]

    assert "canary" not in str(found)
    assert "shown" in str(found)
