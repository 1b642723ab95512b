"""The sample tap through our shim and through its own command, on each version of the SDK."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import signal
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from python.protocol import document
from python.protocol.patch import merge
from tests.shim_singer_sdk.versions.environments import NEWEST, VERSIONS, python_of

HERE = Path(__file__).parent
SECRET = "canary-7f3a/of +secrets"
OWN = "from tap_sample.tap import TapSample; TapSample.cli()"
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "", "STATE_SECONDS_MIN": "0"}
SECONDS_MAX = 120
ROWS = 3
GROWING = ("growing", "leaves", "buds")

pytestmark = [
    pytest.mark.versions,
    pytest.mark.parametrize(
        "version",
        [pytest.param(each, marks=pytest.mark.slow) if each == NEWEST else each for each in VERSIONS],
    ),
]


class Ended(NamedTuple):
    status: int
    responses: list[Any]
    stderr: str

    @property
    def documents(self) -> list[tuple[int, Any]]:
        found = [response["captured"] for response in self.responses if "captured" in response]
        return [(each.get("binding", 0), each["doc"]) for each in found]

    def of(self, index: int) -> list[Any]:
        return [
            {name: value for name, value in doc.items() if name != "_meta"} for at, doc in self.documents if at == index
        ]

    @property
    def reason(self) -> str:
        return str(json.loads(self.stderr.splitlines()[-1])["message"])


def started(version: str, **env: str) -> subprocess.Popen[str]:
    command = [str(python_of(version)), str(HERE / "run_sample.py")]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, env={**ENVIRONMENT, **env}, **pipes)


def asked(version: str, *requests: Any, **env: str) -> Ended:
    process = started(version, **env)
    stdout, stderr = process.communicate("".join(json.dumps(each) + "\n" for each in requests), SECONDS_MAX)
    return Ended(process.returncode, [document.decode(line.encode()) for line in stdout.splitlines()], stderr)


def config(tmp_path: Path, *streams: str, **given: Any) -> dict[str, Any]:
    own: dict[str, Any] = {"rows": ROWS, "secret": SECRET, "batches": tmp_path.as_uri(), **given}
    return {**own, "streams": list(streams)} if streams else own


def bindings(version: str, settings: dict[str, Any]) -> list[Any]:
    ended = asked(version, {"spec": {}}, {"discover": {"config": settings}})
    assert ended.status == 0, ended.stderr
    return list(ended.responses[1]["discovered"]["bindings"])


def open_request(found: list[Any], settings: dict[str, Any], state: Any = None) -> dict[str, Any]:
    bound = [
        {
            "resourceConfig": each["resourceConfig"],
            "resourcePath": each["resourcePath"],
            "stateKey": each["recommendedName"],
            "collection": {"name": "acmeCo/x", "key": each["key"], "writeSchema": each["documentSchema"]},
        }
        for each in found
    ]
    capture = {"name": "acmeCo/sample", "config": settings, "bindings": bound}
    return {"open": {"capture": capture, "range": {"keyEnd": 0xFFFF_FFFF}, "state": state or {}}}


def captured(version: str, found: list[Any], settings: dict[str, Any], state: Any = None, **env: str) -> Ended:
    return asked(version, {"spec": {}}, open_request(found, settings, state), **env)


def sessions(version: str, requests: list[Any]) -> list[Ended]:
    """The answers to each of the requests, of one process: it is as it was when a session has ended."""
    command = [str(python_of(version)), str(HERE / "run_sample.py"), "many"]
    lines = "".join(json.dumps(each) + "\n" for each in requests)
    done = subprocess.run(command, input=lines, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n\n")[: len(requests)]
    return [Ended(0, [document.decode(line.encode()) for line in answer.splitlines()], "") for answer in answers]


def stored(responses: list[Any], before: Any = None) -> Any:
    """The state after the checkpoints among these responses to `before`, as the runtime hands it out."""
    state: Any = before or {}
    for response in responses:
        state = merge(state, response.get("checkpoint", {}).get("state", {}).get("updated", {}))
    return json.loads(document.encode(state))


def own_records(version: str, settings: dict[str, Any], folder: Path) -> dict[str, list[Any]]:
    """What the tap's own command prints, by stream; the files of batches are read."""
    file = folder / "config.json"
    file.write_text(json.dumps(settings))
    command = [str(python_of(version)), "-c", OWN, "--config", str(file)]
    done = subprocess.run(command, cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    records: dict[str, list[Any]] = {}
    for line in done.stdout.splitlines():
        message: Any = document.decode(line.encode()) if line.startswith("{") else {}
        if message.get("type") == "RECORD":
            records.setdefault(message["stream"], []).append(message["record"])
        elif message.get("type") == "BATCH":
            records.setdefault(message["stream"], []).extend(in_files(message["manifest"]))
    return records


def in_files(urls: list[str]) -> list[Any]:
    paths = [Path(urllib.parse.urlsplit(url).path) for url in urls]
    return [document.decode(line) for path in paths for line in gzip.decompress(path.read_bytes()).splitlines()]


def exactly(value: Any) -> str:
    """Numbers with all of their digits: 1.10 is not 1.1 here."""
    return repr(value)


def collected(found: list[Any], *documents: list[tuple[int, Any]]) -> dict[Any, Any]:
    """The collections, after the documents of these sessions."""
    kept: dict[Any, Any] = {}
    for at, doc in itertools.chain(*documents):
        by_row = found[at]["key"] == ["/_meta/row_id"]
        key = doc["_meta"]["row_id"] if by_row else tuple(doc[name.removeprefix("/")] for name in found[at]["key"])
        if doc["_meta"]["op"] == "d":
            kept.pop((at, key), None)
        else:
            kept[at, key] = {name: value for name, value in doc.items() if name != "_meta"}
    return kept


def test_the_documents_are_the_records_of_the_tap_s_own_command(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path)
    found = bindings(version, settings)

    own = own_records(version, settings, tmp_path)
    before = set(tmp_path.iterdir())
    ended = captured(version, found, settings)

    assert ended.status == 0, ended.stderr
    assert "checkpoint" in ended.responses[-1]
    names = [each["recommendedName"] for each in found]
    assert {name: exactly(ended.of(index)) for index, name in enumerate(names)} == {
        name: exactly(own[name]) for name in names
    }
    assert len(own["values"]) == ROWS
    assert set(tmp_path.iterdir()) == before, "files of batches were left"


def test_resuming_at_every_checkpoint_gives_the_same_collections(version: str, tmp_path: Path) -> None:
    settings = config(
        tmp_path, "sorted", "unsorted", "logged", "parents", "children", "partitioned", "values", *GROWING
    )
    found = bindings(version, settings)
    whole = captured(version, found, settings)
    cuts = [position + 1 for position, response in enumerate(whole.responses) if "checkpoint" in response]

    requests = [open_request(found, settings, stored(whole.responses[:cut])) for cut in cuts]
    seconds = sessions(version, requests)

    expected = collected(found, whole.documents)
    assert len(expected) == 4 * ROWS + 2 * ROWS + 2 * ROWS + 1 + 5 * ROWS
    for cut, second in zip(cuts, seconds, strict=True):
        first = Ended(0, whole.responses[:cut], "")
        assert collected(found, first.documents, second.documents) == expected


def test_a_full_table_without_a_key_replaces_the_one_before(version: str, tmp_path: Path) -> None:
    many = config(tmp_path, "values", emit_activate_version_messages=True)
    few = {**many, "rows": 1}
    found = bindings(version, many)

    first = captured(version, found, many)
    second = captured(version, found, few, stored(first.responses))

    assert len(first.documents) == ROWS, first.stderr
    assert len(collected(found, first.documents, second.documents)) == 1


def test_a_log_is_read_on_from_where_the_tap_was(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, "logged")
    found = bindings(version, settings)

    first = captured(version, found, settings)
    second = captured(version, found, {**settings, "rows": ROWS + 1}, stored(first.responses))

    assert found[0]["resourceConfig"]["replication_method"] == "LOG_BASED"
    assert [(doc["id"], doc["_meta"]["op"]) for _, doc in first.documents] == [(0, "u"), (0, "u"), (1, "d")]
    assert [(doc["id"], doc["_meta"]["op"]) for _, doc in second.documents] == [(1, "d")]


def test_a_renamed_stream_is_captured_by_its_own_binding(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, "sorted", stream_maps={"sorted": {"__alias__": "renamed"}})
    (found,) = bindings(version, settings)

    own = own_records(version, settings, tmp_path)
    ended = captured(version, [found], settings)

    assert found["resourcePath"] == ["sorted"]
    assert exactly(ended.of(0)) == exactly(own["renamed"])


def test_children_are_captured_without_their_parents(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, "parents", "children")
    found = [each for each in bindings(version, settings) if each["resourcePath"] == ["children"]]

    ended = captured(version, found, settings)

    assert ended.status == 0, ended.stderr
    assert exactly(ended.of(0)) == exactly(own_records(version, settings, tmp_path)["children"])


def test_children_without_a_key_follow_those_of_the_parents_before(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, "growing", "leaves")
    found = bindings(version, settings)

    first = captured(version, found, settings)
    second = captured(version, found, {**settings, "rows": ROWS + 1}, stored(first.responses))

    assert len(second.documents) == 1 + 2, second.stderr
    assert len(collected(found, first.documents, second.documents)) == 3 * (ROWS + 1)


def test_a_child_that_failed_gets_its_parents_again(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, *GROWING)
    found = bindings(version, settings)

    first = captured(version, found, {**settings, "fails_in": "buds", "fails_at": 2})
    second = captured(version, found, settings, stored(first.responses))

    assert (first.status, second.status) == (1, 0)
    assert first.reason.startswith("1 of 3 streams failed: stream buds, document /parent=2")
    assert len(collected(found, first.documents, second.documents)) == 5 * ROWS


def test_a_child_that_is_bound_later_is_read_of_all_parents(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, *GROWING)
    found = sorted(bindings(version, settings), key=lambda each: GROWING.index(each["resourcePath"][0]))

    first = captured(version, found[:2], settings)
    second = captured(version, found, settings, stored(first.responses))
    third = captured(version, found, settings, stored(second.responses, stored(first.responses)))

    assert len(second.of(2)) == 2 * ROWS
    assert len(collected(found, first.documents, second.documents)) == 5 * ROWS
    assert third.documents == []


def test_validating_reads_a_record_of_each_stream_and_captures_none(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, "sorted", "parents", "children")
    found = bindings(version, settings)
    resources = [{"resourceConfig": each["resourceConfig"]} for each in found]
    absent = {"resourceConfig": {"tap_stream_id": "absent", "replication_method": "FULL_TABLE"}}
    failing = {**settings, "fails_in": "sorted", "fails_at": 0}

    good = asked(version, {"spec": {}}, {"validate": {"config": settings, "bindings": resources}})
    unknown = asked(version, {"spec": {}}, {"validate": {"config": settings, "bindings": [absent]}})
    refused = asked(version, {"spec": {}}, {"validate": {"config": failing, "bindings": resources}})

    assert list(good.responses[-1]) == ["validated"], good.stderr
    assert unknown.reason == "the tap has no stream absent; it has children, parents, sorted"
    assert refused.reason == "the tap cannot be read with this config: ConnectionError: refused with ****"


def test_a_tap_that_fails_keeps_what_it_gave_and_tells_no_secret(version: str, tmp_path: Path) -> None:
    unmarked = "canary-of-a-password"
    settings = config(tmp_path, "sorted", rows=200, fails_in="sorted", fails_at=150, password=unmarked)
    found = bindings(version, settings)

    ended = captured(version, found, settings, LOG_LEVEL="debug")

    assert (ended.status, ended.reason) == (1, "the tap failed: ConnectionError: refused with ****")
    assert [doc["id"] for doc in ended.of(0)] == [*range(150)]
    update = [each["checkpoint"]["state"] for each in ended.responses if each.get("checkpoint")][-1]
    state = update["updated"]["bindingStateV1"]["sorted"]
    assert (state["rowId"], state["state"]["replication_key_value"]) == (150, 149)
    for spelling in (SECRET, urllib.parse.quote(SECRET), urllib.parse.quote_plus(SECRET), unmarked):
        assert spelling not in ended.stderr
    assert "100%% of %s, and 100% of nothing" in ended.stderr
    assert "the secret is ****, the password ****" in ended.stderr
    assert "printed by the tap's import" in ended.stderr
    assert all(line.startswith("{") for line in ended.stderr.splitlines())


def test_a_stop_ends_the_capture_at_a_bookmark(version: str, tmp_path: Path) -> None:
    settings = config(tmp_path, "sorted", rows=100_000, slow_from=10)
    found = bindings(version, settings)
    process = started(version, STATE_SECONDS_MIN="0.1")
    assert process.stdin
    assert process.stdout
    requests: list[dict[str, Any]] = [{"spec": {}}, open_request(found, settings)]
    process.stdin.write("".join(json.dumps(each) + "\n" for each in requests))
    process.stdin.flush()

    lines: list[str] = []
    while sum("checkpoint" in json.loads(line) for line in lines) < 2:
        lines.append(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    rest, stderr = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 0, stderr
    assert "checkpoint" in json.loads([*lines, *rest.splitlines()][-1])
