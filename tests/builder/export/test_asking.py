from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from python.builder.export.asking import answers
from python.builder.export.facts import Facts
from tests.builder.export.made import MANIFEST, facts, order

ROOT = Path(__file__).parents[3]
MANIFESTS = ROOT / "tests" / "manifests"

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


@pytest.mark.slow
def test_a_recording_that_lacks_what_a_check_reads_leaves_the_bindings_and_says_so(tmp_path: Path) -> None:
    exchange = {
        "request": {"method": "GET", "url": "https://mine.example.com/v1/others", "headers": {}},
        "response": {"status": 200, "reason": "OK", "headers": {}, "body": "{}"},
    }
    about = {"recording": 1, "began": "2024-01-01T00:00:00+00:00", "finished": True, "exchanges": 1}
    (tmp_path / "recording.json").write_text(json.dumps(about))
    (tmp_path / "0001.json").write_text(json.dumps(exchange))
    ordered = order(ask=True, recording=tmp_path, config={"shop": "mine", "token": "token-0123456789"})
    told = answers(ordered, facts().specification)

    assert told.found is not None
    assert told.problem == ""
    assert "https://mine.example.com/v1/orders" in told.unplayed
    assert "was not recorded in source-shop/tests/recording" in told.unplayed
    assert told.records is None


@pytest.mark.slow
def test_a_signal_ends_it_and_nothing_is_exported() -> None:
    script = (
        "import os, signal\n"
        "from python.builder.export import asking\n"
        "from python.builder.export.order import ExportError\n"
        "from python.protocol.errors import HeadwaterError\n"
        "from tests.builder.export.made import facts, order\n"
        "def spec_of(task, launch):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    launch.stop.wait(60)\n"
        "    raise HeadwaterError('it was ended')\n"
        "asking.spec_of = spec_of\n"
        "try:\n"
        "    asking.answers(order(ask=True), facts().specification)\n"
        "except ExportError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "stopped before the connector had answered: nothing was exported\n", done.stderr
