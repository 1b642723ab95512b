"""Our sources keep the promises that we hold against anybody's: source-bigdata each of them, others the basic ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from python.acceptance import reports, suite
from python.acceptance.opening import opened
from python.acceptance.talking import Limits
from python.acceptance.verdicts import NOT_APPLICABLE, PASSED
from tests.conversing import ROOT
from tests.singer_sources import rest_source

pytestmark = pytest.mark.slow

BASIC = (*range(1, 13), *range(16, 30), *range(31, 37), 38, 40, 48, *range(49, 55), 56, 63, 68, *range(80, 84), 86, 90)
"""Those that look at the basic conversations: the cases that start few processes."""


def broken(folder: Path, *rules: int, pattern: str = "") -> list[str]:
    """What is not kept, told; what is advisable, too."""
    subject = opened(str(folder), limits=Limits(seconds=100))
    outcomes = suite.run(subject, suite.cases_of(subject.kind, rules, pattern))
    return [reports.as_line(each) for each in outcomes if each.verdict not in (PASSED, NOT_APPLICABLE)]


def spec_with(source: str, folder: Path, config: dict[str, Any]) -> Path:
    """A folder with a spec that runs `source` with this config, and binds what is discovered."""
    command = [str(ROOT / source / ".venv" / "bin" / "python"), "-m", source]
    env = {"PYTHONPATH": str(ROOT)}
    endpoint = {"local": {"command": command, "config": config, "env": env}}
    spec = {"captures": {f"acmeCo/{source}": {"endpoint": endpoint, "bindings": []}}}
    (folder / "test.flow.yaml").write_text(json.dumps(spec), encoding="utf-8")
    return folder


def test_source_bigdata_keeps_its_promises() -> None:
    assert broken(ROOT / "source-bigdata", pattern="^(?!hostile)") == []


FAKER = {"count": 20, "seed": 7, "parallelism": 1, "records_per_slice": 5, "always_updated": True}


def test_source_faker_keeps_its_promises(tmp_path: Path) -> None:
    """And resumes from each state, in any order of bindings, killed at any time."""
    folder = spec_with("source-faker", tmp_path, FAKER)

    assert broken(folder, *BASIC, 57, 58, 60, 67, pattern="^(?!hostile)") == []


@pytest.mark.long
def test_source_faker_keeps_every_promise(tmp_path: Path) -> None:
    assert broken(spec_with("source-faker", tmp_path, FAKER), pattern="^(?!hostile)") == []


def test_source_rest_api_keeps_its_promises(tmp_path: Path) -> None:
    with rest_source() as connector:
        folder = spec_with("source-rest-api", tmp_path, connector.config)
        found = broken(folder, *BASIC, 57, 60, pattern="^(?!hostile)")

    assert [each for each in found if not each.startswith("!")] == [], "but for what its libraries print at their start"


def test_source_bigdata_survives_what_is_hostile() -> None:
    pattern = "hostile: (huge-number|many-digits|no-utf8-in-config|surrogate-bytes|no-json|deep-objects)"

    assert broken(ROOT / "source-bigdata", pattern=pattern) == []
