from __future__ import annotations

from typing import Any

import pytest

from python.builder.manifests.cdk import installed
from python.builder.manifests.linting import lint
from python.builder.server.opening import opened_manifest
from python.builder.server.problems import Problem

TEXT = """\
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [items]}
streams:
  - type: DeclarativeStrem
    name: items
"""


def test_a_text_is_refused_with_line_and_column() -> None:
    with pytest.raises(Problem) as caught:
        opened_manifest(TEXT, installed())

    assert caught.value.status == 400
    assert "line 5, column 11" in caught.value.message
    assert caught.value.told.details["findings"][-1]["line"] == 5


def test_the_findings_are_those_of_the_linter(manifest: dict[str, Any]) -> None:
    del manifest["spec"]

    assert list(opened_manifest(manifest, installed()).found) == lint(manifest, installed())


def test_errors_can_be_let_pass() -> None:
    opened = opened_manifest(TEXT, installed(), strict=False)

    assert opened.value["streams"][0]["type"] == "DeclarativeStrem"
    assert opened.found


@pytest.mark.parametrize("text", ["", "- a", "{", "a: &a [*a]", "x" * 9_000_000, 42 * "[" + 42 * "]"])
def test_what_is_no_manifest_is_refused_in_any_case(text: str) -> None:
    with pytest.raises(Problem):
        opened_manifest(text, installed(), strict=False)


def test_flags_of_the_builder_are_taken_out(manifest: dict[str, Any]) -> None:
    opened = opened_manifest({**manifest, "__should_migrate": True, "__should_normalize": True}, installed())

    assert (opened.migrate, opened.normalize) == (True, True)
    assert dict(opened.value) == manifest


def test_the_value_is_the_jobs_own(manifest: dict[str, Any]) -> None:
    opened = opened_manifest(manifest, installed())
    opened.value["streams"].clear()

    assert manifest["streams"]


def test_the_rest_is_counted_where_errors_are_many(manifest: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="and 2 more"):
        opened_manifest({**manifest, **dict.fromkeys("abcde", 1)}, installed())


def test_dates_of_yaml_become_texts(manifest: dict[str, Any]) -> None:
    text = TEXT.replace("Strem", "Stream") + "    $parameters: {since: 2024-01-01}\n"

    assert opened_manifest(text, installed(), strict=False).value["streams"][0]["$parameters"] == {
        "since": "2024-01-01"
    }
