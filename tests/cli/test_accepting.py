"""`headwater acceptance`: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python.cli.commands import headwater
from tests.acceptance import subjects

pytestmark = pytest.mark.slow


def call(*arguments: str) -> Result:
    return CliRunner().invoke(headwater, ["acceptance", *arguments])


def test_kept_promises_are_status_0_and_reports_are_written(tmp_path: Path) -> None:
    subjects.capture(tmp_path, "none")
    reports = ["--json", str(tmp_path / "a.json"), "--junit", str(tmp_path / "a.xml")]
    told = call(str(tmp_path), "--rule", "17", "--rule", "87", *reports)

    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[0] == "✓ 17 spec says protocol 3032023"
    assert told.stdout.splitlines()[-1] == f"{tmp_path.name}: 1 passed, 1 not applicable"
    assert [each["verdict"] for each in json.loads((tmp_path / "a.json").read_text())["outcomes"]] == [
        "passed",
        "not applicable",
    ]
    assert (tmp_path / "a.xml").read_text().count("<testcase ") == 2


def test_a_broken_promise_is_status_1_and_shows_what_came(tmp_path: Path) -> None:
    subjects.capture(tmp_path, "another protocol")
    told = call(str(tmp_path), "-k", "protocol 3032023")

    assert told.exit_code == 1
    assert "came:   1" in told.stdout
    assert "wanted: 3032023" in told.stdout


def test_what_is_advisable_is_status_1_where_it_is_wanted_strictly(tmp_path: Path) -> None:
    subjects.capture(tmp_path, "no title")

    assert call(str(tmp_path), "--rule", "24").exit_code == 0
    assert call(str(tmp_path), "--rule", "24", "--strict", "--json", str(tmp_path / "a.json")).exit_code == 1
    assert json.loads((tmp_path / "a.json").read_text())["kept"] is False


def test_secrets_of_the_config_are_not_in_the_report(tmp_path: Path) -> None:
    subjects.capture(tmp_path, "logs secrets")
    told = call(str(tmp_path), "--rule", "84")

    assert told.exit_code == 1
    assert subjects.TOKEN not in told.output


@pytest.mark.parametrize("defect", ["tells secrets", "logs secrets"])
def test_what_a_talkative_connector_says_is_told_without_its_secrets(defect: str, tmp_path: Path) -> None:
    subjects.capture(tmp_path, defect)
    rules = [part for rule in (28, 30, 39, 48) for part in ("--rule", str(rule))]
    written = [tmp_path / name for name in ("a.json", "a.xml")]
    told = call(str(tmp_path), *rules, "-k", ".", "--json", str(written[0]), "--junit", str(written[1]))

    assert told.exit_code == (1 if defect == "tells secrets" else 0), told.output
    for report in (told.output, *(path.read_text() for path in written)):
        assert ("****" in report, subjects.TOKEN[:5] in report) == (defect == "tells secrets", False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "nowhere is no folder, and no image with a tag"),
        (["docs"], "docs/test.flow.yaml is no file: name one with --source"),
        (["source-bigdata", "--rule", "91"], "--rule 91: rules are numbered 1 to 90"),
        (["source-bigdata", "-k", "("], "is no regular expression"),
        (["source-bigdata", "-k", "no such case"], "--rule and -k leave none"),
        (["source-bigdata", "--name", "x"], "defines no task 'x'"),
        (["source-bigdata", "--target", "x:y"], "--target is for materializations"),
        (["materialize-sqlite", "--target", "x:y"], "want FILE:FUNCTION"),
        (["materialize-sqlite", "--target", "README.md:y"], "README.md is no Python file"),
        (["materialize-sqlite", "--target", "tests/conftest.py:y"], "has no function y"),
        (["source-bigdata", "--rule", "17", "--json", "no/such/folder"], "cannot be written"),
        (["image:v1"], "test.flow.yaml is no file: name one with --source"),
    ],
)
def test_a_wrong_call_is_status_2_with_a_sentence(arguments: list[str], sentence: str) -> None:
    told = call(*arguments)

    assert told.exit_code == 2
    assert sentence in told.stderr
