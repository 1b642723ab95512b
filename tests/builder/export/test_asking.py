from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from python.builder.export.asking import answers
from python.builder.export.facts import Facts
from tests.builder.export.made import MANIFEST, facts, order

MANIFESTS = Path(__file__).parents[2] / "manifests"

pytest.importorskip("airbyte_cdk")


def test_one_that_is_not_to_be_asked_has_an_example_of_its_config() -> None:
    told = answers(order(config={"shop": "mine", "token": "token-0123456789"}), facts().specification)

    assert told.given.value == {"shop": "mine", "token": "FILL_IN"}
    assert told.given.gaps == ("/token",)
    assert told.config == {"shop": "mine", "token": "****"}
    assert told.problem == "the connector was not started when it was exported"


@pytest.mark.slow
def test_what_needs_no_network_is_known_without_a_recording() -> None:
    told = answers(order(MANIFEST, ask=True), facts().specification)

    assert told.problem == ""
    assert [each.target for each in (told.found.added if told.found else ())] == ["acmeCo/orders"]
    assert sorted(name.split("__")[1] for name in told.snapshots) == ["discover", "spec"]
    assert told.records is None


@pytest.mark.slow
def test_what_needs_the_network_is_not_asked_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (MANIFESTS / "dynamic" / "manifest.yaml").read_text(encoding="utf-8")
    known: Facts = facts(text)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told = answers(order(text, ask=True, config={"url": "http://127.0.0.1:9"}), known.specification)

    assert "was not recorded in" in told.problem
    assert told.found is None
    assert [name.split("__")[1] for name in told.snapshots] == ["spec"]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_components_that_cannot_be_run_are_told() -> None:
    text = (MANIFESTS / "custom" / "manifest.yaml").read_text(encoding="utf-8")
    told = answers(order(text, components="1 / 0\n", ask=True), facts(text).specification)

    assert "components.py" in told.problem
    assert "division by zero" in told.problem
    assert told.snapshots == {}
