from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from python.protocol.errors import HeadwaterError
from python.runner import engines
from python.runner.loading import load_catalog
from python.runner.observing import Observation, discovered_of, spec_of
from tests.conversing import NUMBERS

pytestmark = pytest.mark.slow


def observed(tmp_path: Path, *, target: str = "acmeCo/numbers", **config: Any) -> tuple[Any, Any, Any]:
    path = tmp_path / "flow.yaml"
    capture = {
        "endpoint": {"local": {"command": [sys.executable, *NUMBERS[1:]], "config": config}},
        "bindings": [{"resource": {"name": "numbers"}, "target": target}],
    }
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    collections = {"acmeCo/numbers": {"schema": schema, "key": ["/n"]}}
    path.write_text(json.dumps({"captures": {"acmeCo/counter": capture}, "collections": collections}))
    catalog = load_catalog(path)
    task = catalog.capture()
    return task, catalog, engines.launch(task, lambda _log: None)


def numbers(observation: Observation, *given: Any) -> tuple[list[int], object]:
    committed = list(observation.run(*given))
    found = [json.loads(text)["n"] for each in committed for text in each.documents[0]]
    return found, committed[-1].state if committed else None


def test_a_connector_says_what_it_is_and_what_it_finds(tmp_path: Path) -> None:
    task, _, launch = observed(tmp_path)

    assert spec_of(task, launch).protocol == 3032023
    assert [each.recommended_name for each in discovered_of(task, launch)] == ["numbers"]


def test_a_capture_runs_from_nothing_and_again_from_a_state(tmp_path: Path) -> None:
    observation = Observation(*observed(tmp_path, count=5))

    whole = numbers(observation)
    assert whole == ([0, 1, 2, 3, 4], {"bindingStateV1": {"numbers": {"n": 4}}})
    assert numbers(observation, {"bindingStateV1": {"numbers": {"n": 2}}}) == ([3, 4], whole[1])
    assert numbers(observation) == whole


def test_a_capture_that_goes_on_is_asked_to_end(tmp_path: Path) -> None:
    observation = Observation(*observed(tmp_path, count=10_000, pause_seconds=0.01))

    found, state = numbers(observation, None, 1.5)

    assert 0 <= len(found) < 10_000
    assert state is None or state == {"bindingStateV1": {"numbers": {"n": found[-1]}}}


def test_a_connector_that_fails_raises_its_reason(tmp_path: Path) -> None:
    observation = Observation(*observed(tmp_path, mood="refuse"))

    with pytest.raises(HeadwaterError, match="has expired: make a new one in the settings"):
        numbers(observation)


def test_a_target_that_is_not_defined_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadwaterError, match="acmeCo/other, which no file defines"):
        Observation(*observed(tmp_path, target="acmeCo/other"))
