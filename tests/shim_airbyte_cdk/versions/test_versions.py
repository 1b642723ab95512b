"""Sources behave the same through our shim and through their own entrypoint, on every generation of airbyte-cdk.

Each version runs `driver.py` once, in an environment of its own; the tests look at what it wrote.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conversing import converse
from tests.shim_airbyte_cdk.versions.environments import ROOT, VERSIONS, python_of

HERE = Path(__file__).parent
SECONDS_MAX = 300
NEWEST = ("7.39.1",)
EQUAL = (
    "full",
    "incremental",
    "sliced",
    "partitioned",
    "http",
    "values",
    "declarative",
    "file_based",
    "files_refreshed",
)
"""Samples that the source's own entrypoint reads to their end in every version."""
SINCE = {"resumable": (1,)}
"""The first version that has what a sample is about; the others are about what all have."""
SAMPLES = (*EQUAL, "resumable", "failing", "odd", "files_odd", "global", "dictionary", "unheard")
Document = dict[str, Any]


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def marks(version: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.versions, *([pytest.mark.slow] if version in NEWEST else [])]


def over(versions: Iterable[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("version", [pytest.param(each, marks=marks(each)) for each in versions])


each_version = over(VERSIONS)


@functools.cache
def results(version: str) -> dict[str, Any]:
    samples = [name for name in SAMPLES if number(version) >= SINCE.get(name, (0,))]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "results.json")
        command = [str(python_of(version)), str(HERE / "driver.py"), str(written), *samples]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=SECONDS_MAX, check=False)
        assert written.exists(), done.stderr[-4000:]
        found: dict[str, Any] = json.loads(written.read_text())
    return found


def result(version: str, sample: str) -> Any:
    found = results(version)[sample]
    assert "crash" not in found, found["crash"]
    return found


def ours(documents: Iterable[list[str]]) -> list[tuple[str, Document]]:
    return [(stream, json.loads(text, parse_float=Decimal)) for stream, text in documents]


def without_meta(documents: Iterable[tuple[str, Document]]) -> list[str]:
    """Documents as texts that compare number for number, in an order that does not depend on threads."""
    bare = [(stream, {name: each[name] for name in each if name != "_meta"}) for stream, each in documents]
    return sorted(compared(stream, each) for stream, each in bare)


def compared(stream: str, value: Document) -> str:
    return f"{stream} {json.dumps(value, sort_keys=True, default=lambda number: format(number.normalize(), 'f'))}"


def theirs(lines: Iterable[str]) -> list[tuple[str, Document]]:
    # pydantic 2 writes UTC as Z.
    same = [line.replace('05.006000Z"', '05.006000+00:00"') for line in lines]
    records = [json.loads(line, parse_float=Decimal)["record"] for line in same]
    return [(record["stream"], record["data"]) for record in records]


def as_printed(version: str, documents: list[tuple[str, Document]]) -> list[tuple[str, Document]]:
    """From version 5 on, the entrypoint leaves out the nulls on top of a record; the shim keeps what a source gave."""
    if number(version) < (5,):
        return documents
    return [(stream, {name: each[name] for name in each if each[name] is not None}) for stream, each in documents]


@pytest.mark.parametrize("sample", EQUAL)
@each_version
def test_a_source_gives_what_its_own_entrypoint_prints(version: str, sample: str) -> None:
    found = result(version, sample)

    assert found["ours"]["failure"] == found["theirs"]["failure"] == ""
    printed = without_meta(as_printed(version, theirs(found["theirs"]["records"])))
    assert printed
    assert without_meta(as_printed(version, ours(found["ours"]["documents"]))) == printed


@pytest.mark.parametrize("sample", [*EQUAL, "global", "failing"])
@each_version
def test_resumed_at_any_checkpoint_it_gives_the_same_set(version: str, sample: str) -> None:
    found = result(version, sample)
    whole = ours(found["ours"]["documents"])

    assert len(found["resumed"]) == len(found["ours"]["states"])
    for (count, _), resumed in zip(found["ours"]["states"], found["resumed"], strict=True):
        assert resumed["failure"] == found["ours"]["failure"]
        both = [*whole[:count], *ours(resumed["documents"])]
        assert set(without_meta(both)) == set(without_meta(whole)), f"resumed after {count} documents"


@each_version
def test_rows_without_a_key_have_the_same_numbers_when_they_are_read_again(version: str) -> None:
    found = result(version, "full")
    (resumed,) = found["resumed"]
    keyless = [text for stream, text in found["ours"]["documents"] if stream == "keyless"]

    assert [text for stream, text in resumed["documents"] if stream == "keyless"] == keyless
    assert [json.loads(text)["_meta"]["row_id"] for text in keyless] == list(range(7))


STATES: dict[str, Any] = {
    "incremental": {"id": 6},
    "sliced": {"day": "2024-01-03"},
    "partitioned": {"parents": {"a": {"at": 1}, "b": {"at": 1}, "c": {"at": 1}}},
}


@pytest.mark.parametrize("sample", STATES)
@each_version
def test_a_state_makes_the_round_trip(version: str, sample: str) -> None:
    (_, stored) = result(version, sample)["ours"]["states"][-1]

    state = stored["bindingStateV1"][sample]["state"]
    assert state == {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": sample}, "stream_state": STATES[sample]},
    }


@each_version
def test_a_state_that_the_source_goes_on_changing_is_stored_as_it_was(version: str) -> None:
    states = [
        state["bindingStateV1"]["partitioned"]["state"]["stream"]["stream_state"].get("parents", {})
        for _, state in result(version, "partitioned")["ours"]["states"]
    ]

    assert states[0].get("c") is None
    assert states[0] != states[-1]


@each_version
def test_global_state_is_kept_and_given_back(version: str) -> None:
    found = result(version, "global")
    (_, stored) = found["ours"]["states"][-1]

    assert found["ours"]["failure"] == ""
    assert stored["globalStateV1"] == {"position": 7}
    assert [len(resumed["documents"]) for resumed in found["resumed"]] == [6, 5, 4, 3, 2, 1, 0, 0]
    (_, last) = ours(found["resumed"][5]["documents"])[0]
    assert last["nth"] == 4


@over(version for version in VERSIONS if number(version) < (4, 5))
def test_a_source_that_wants_one_object_of_states_gets_it(version: str) -> None:
    found = result(version, "dictionary")

    assert found["ours"]["failure"] == ""
    assert [len(resumed["documents"]) for resumed in found["resumed"]] == [6, 5, 4, 3, 2, 1, 0, 0]


@over(version for version in VERSIONS if number(version) >= SINCE["resumable"])
def test_a_full_refresh_that_is_said_to_be_complete_is_read_again(version: str) -> None:
    found = result(version, "resumable")

    printed = without_meta(as_printed(version, theirs(found["theirs"]["records"])))
    assert without_meta(as_printed(version, ours(found["ours"]["documents"]))) == printed
    assert [len(resumed["documents"]) for resumed in found["resumed"]] == [7] * len(found["resumed"])


@each_version
def test_a_failing_stream_stops_no_other_and_is_told_with_its_reason(version: str) -> None:
    found = result(version, "failing")["ours"]

    assert [stream for stream, _ in found["documents"]] == ["before"] * 7 + ["failing"] + ["after"] * 7
    assert found["failure"].startswith("1 of 3 streams failed: stream failing: ")
    assert found["failure"].endswith("no more of failing")


@each_version
def test_numbers_that_the_cdk_would_lose_are_kept(version: str) -> None:
    ((_, text),) = result(version, "odd")["ours"]["documents"]

    assert text.startswith('{"id":1,"price":1.10,"big":18446744073709551617,"exact":0.1234567890123456789,')


@each_version
def test_numbers_in_files_are_kept(version: str) -> None:
    found = result(version, "files_odd")["ours"]

    exact = '"price":0.1234567890123456789'
    assert found["failure"] == ""
    assert {stream: text[: text.index(',"_ab_')] for stream, text in found["documents"]} == {
        "table": '{"id":1,' + exact + ',"of":{"big":18446744073709551617}',
        "lines": '{"id":2,' + exact + ',"big":18446744073709551617',
    }


@each_version
def test_what_the_protocol_does_not_know_is_passed_over_and_a_changed_config_kept(version: str) -> None:
    found = result(version, "unheard")

    assert found["ours"]["failure"] == ""
    assert [stream for stream, _ in found["ours"]["documents"]] == ["items", "items"]
    assert found["published"] == [{"token": "rotated"}]


@each_version
def test_nothing_that_is_printed_reaches_the_protocol(version: str) -> None:
    binding = {
        "resourceConfig": {"stream": "incremental", "syncMode": "incremental"},
        "resourcePath": ["incremental"],
        "stateKey": "incremental",
        "collection": {"name": "acmeCo/x", "key": ["/id"], "writeSchema": {"type": "object"}},
    }
    opened = {"open": {"capture": {"name": "acmeCo/x", "config": {}, "bindings": [binding]}, "state": {}}}

    noisy = converse(
        [str(python_of(version)), str(HERE / "noisy.py")], {"spec": {}}, {"discover": {"config": {}}}, opened
    )

    assert noisy.status == 0, noisy.stderr[-2000:]
    assert set(noisy.kinds) == {"spec", "discovered", "opened", "captured", "checkpoint"}
    assert noisy.kinds.count("captured") == 7
    for text in ("at import", "by discover", "written by read", "echoed by a child", "between messages", "at 100%"):
        assert text in noisy.stderr
    assert {"logged at 100%", "the old way"} <= {log["message"] for log in noisy.logs}
