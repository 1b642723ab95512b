from __future__ import annotations

import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from python.protocol import capture as wire
from python.protocol import document
from python.protocol.capture import Captured, Checkpoint
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec, RangeSpec
from python.protocol.patch import merge
from python.shim_singer_sdk import ExecutableShim
from tests.connectors.classic_singer import SECRET
from tests.conversing import ROOT, converse, ended, start

TAP = [sys.executable, str(ROOT / "tests" / "connectors" / "classic_singer.py")]
RESOURCE = {"tap_stream_id": "db-things", "stream": "things", "replication_method": "INCREMENTAL"}
RESOURCE["replication_key"] = "n"
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "_meta": {"type": "object"}}}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


class Sync:
    """What one session gave."""

    def __init__(self, config: dict[str, Any], stored: Any = None, **shim: Any) -> None:
        asked = opening(config, stored)
        self.documents: list[Any] = []
        self.kinds: list[str] = []
        self.failure = ""
        self.state: Any = stored or {}
        try:
            for response in ExecutableShim(TAP, **shim).answer(asked):
                self.kinds.append(type(response).__name__)
                if isinstance(response, Captured):
                    self.documents.append(document.decode(msgspec.Raw(document.encode(response.doc))))
                elif isinstance(response, Checkpoint) and response.state:
                    self.state = merge(self.state, document.decode(response.state.updated))
        except ConnectorError as error:
            self.failure = str(error)


def opening(config: dict[str, Any], stored: Any = None, owned: RangeSpec | None = None) -> wire.Open:
    bound = CaptureBinding(
        resource_config=raw(RESOURCE),
        resource_path=("db-things",),
        collection=CollectionSpec(name="acmeCo/things", key=("/id",), write_schema=raw(SCHEMA)),
        state_key="db-things",
    )
    spec = CaptureSpec(name="acmeCo/classic", config=raw(config), bindings=(bound,))
    return wire.Open(capture=spec, range=owned, state=raw(stored or {}))


def validate(config: dict[str, Any], *resources: Any) -> Any:
    asked = wire.Validate(
        config=raw(config), bindings=tuple(wire.ValidateBinding(resource_config=raw(each)) for each in resources)
    )
    (validated,) = ExecutableShim(TAP).answer(asked)
    return [bound.resource_path for bound in validated.bindings]  # type: ignore[attr-defined] # it is a Validated


def test_spec_asks_nothing_of_the_tap() -> None:
    spec = ExecutableShim(["tap-nowhere"], documentation_url="https://docs.test/x").spec()

    assert json.loads(bytes(spec.config_schema)) == {"type": "object", "properties": {}}
    assert spec.resource_path_pointers == ("/tap_stream_id",)
    assert spec.documentation_url == "https://docs.test/x"


def test_a_config_schema_is_told_and_checked() -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    shim = ExecutableShim(TAP, config_schema=schema)

    assert json.loads(bytes(shim.spec().config_schema))["required"] == ["path"]
    with pytest.raises(ConfigError, match="config /path: got nothing"):
        list(shim.answer(wire.Discover(config=raw({}))))


def test_settings_that_look_secret_are_marked_for_flow() -> None:
    schema = {"type": "object", "properties": {"api_token": {"type": "string"}}}
    spec = ExecutableShim(TAP, config_schema=schema).spec()

    assert json.loads(bytes(spec.config_schema))["properties"]["api_token"]["secret"] is True


def test_the_environment_may_replace_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCS_URL", "https://go.test/ours")

    assert ExecutableShim(TAP).spec().documentation_url == "https://go.test/ours"


@pytest.mark.parametrize("command", ["tap-x", []])
def test_a_command_is_a_list_of_words(command: Any) -> None:
    with pytest.raises(TypeError, match=r'want a list of words: \["tap-x"\]'):
        ExecutableShim(command)


def test_discover_gives_a_binding_for_each_entry_of_the_taps_catalog() -> None:
    (discovered,) = ExecutableShim(TAP).answer(wire.Discover(config=raw({})))

    (found,) = discovered.bindings  # type: ignore[attr-defined] # it is a Discovered
    resource = json.loads(bytes(found.resource_config))
    assert (found.recommended_name, found.key) == ("things", ("/id",))
    assert {name: resource[name] for name in RESOURCE} == RESOURCE
    assert "schema" not in resource
    assert json.loads(bytes(found.document_schema))["properties"]["id"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        ("garbage", r"--discover wrote 'no catalog\\n', want a Singer catalog"),
        ("fail", "exit status 1: 401 Unauthorized"),
    ],
)
def test_a_tap_that_cannot_discover_says_why(mood: str, sentence: str) -> None:
    with pytest.raises(ConnectorError, match=sentence):
        list(ExecutableShim(TAP).answer(wire.Discover(config=raw({"mood": mood}))))


def test_validate_answers_with_the_streams_paths() -> None:
    assert validate({}, RESOURCE) == [("db-things",)]


def test_validate_refuses_a_stream_that_the_tap_has_not() -> None:
    with pytest.raises(
        ConfigError, match=r"/bindings/0/resource/tap_stream_id: got 'x', want one of the tap's .*things"
    ):
        validate({}, {**RESOURCE, "tap_stream_id": "x"})


def test_validate_refuses_a_config_with_which_the_tap_fails() -> None:
    with pytest.raises(ConnectorError, match="401 Unauthorized"):
        validate({"mood": "fail"}, RESOURCE)


def test_documents_keep_their_numbers_and_checkpoints_follow_bookmarks() -> None:
    sync = Sync({})

    assert sync.kinds == ["Opened", *["Captured", "Checkpoint"] * 4]
    assert [document.encode({**doc, "_meta": None}) for doc in sync.documents] == [
        b'{"id":1,"n":1.10,"_meta":null}',
        b'{"id":2,"n":2.10,"_meta":null}',
        b'{"id":3,"n":3.10,"_meta":null}',
        b'{"id":18446744073709551617,"n":1E-400,"_meta":null}',
    ]
    assert sync.state["bindingStateV1"]["db-things"]["state"] == {"n": 3}


def test_the_tap_goes_on_from_its_bookmark() -> None:
    first = Sync({"count": 2})
    second = Sync({"count": 3}, first.state)

    assert [doc["id"] for doc in second.documents] == [3, 2**64 + 1]


def given(sync: Sync) -> Any:
    assert sync.failure == ""
    return sync.documents[0]["given"]


def test_a_new_task_gives_the_tap_config_and_catalog_and_no_state() -> None:
    files = given(Sync({"mood": "echo", "path": "/x"}))

    assert list(files) == ["--config", "--catalog"]
    assert files["--config"] == {"mood": "echo", "path": "/x"}
    (entry,) = files["--catalog"]["streams"]
    assert (entry["tap_stream_id"], entry["stream"]) == ("db-things", "things")
    assert entry["metadata"][0]["metadata"]["selected"] is True
    assert "_meta" not in entry["schema"]["properties"]


def test_the_state_goes_back_as_the_tap_wrote_it() -> None:
    files = given(Sync({"mood": "echo"}, Sync({"count": 2}).state))

    assert files["--state"] == {"bookmarks": {"db-things": {"n": 2}}}


def test_old_taps_get_their_catalog_as_properties() -> None:
    files = given(Sync({"mood": "echo"}, catalog_option="--properties"))

    assert "--properties" in files
    assert "--catalog" not in files


def test_another_shards_streams_are_not_read() -> None:
    nothing = RangeSpec(key_begin=0, key_end=0)

    assert [type(each).__name__ for each in ExecutableShim(TAP).answer(opening({}, owned=nothing))] == ["Opened"]


def test_a_failure_is_told_after_the_last_checkpoint() -> None:
    sync = Sync({"mood": "fail"})

    assert sync.failure.endswith("ended with exit status 2: quota exceeded")
    assert sync.kinds[-1] == "Checkpoint"
    assert sync.state["bindingStateV1"]["db-things"]["state"] == {"n": 3}


def test_what_json_lacks_is_null() -> None:
    sync = Sync({"mood": "nan"})

    assert [document.encode({**doc, "_meta": None}) for doc in sync.documents] == [
        b'{"id":1,"n":null,"more":[null,1.10],"_meta":null}'
    ]


def test_a_message_that_cannot_be_read_is_a_failure() -> None:
    sync = Sync({"mood": "broken"})

    assert "a message that cannot be read" in sync.failure
    assert """it begins '{"type": "RECORD", "stream": "things", "record": {"id": 2""" in sync.failure
    assert sync.kinds == ["Opened", "Captured", "Checkpoint"]


def test_a_tap_that_is_killed_within_a_line_is_told_as_such() -> None:
    sync = Sync({"mood": "killed"})

    assert sync.failure.endswith("was ended by SIGKILL: it gives no reason")
    assert sync.kinds == ["Opened", "Captured", "Checkpoint"]


def test_a_config_that_the_tap_has_changed_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    Sync({"mood": "rotate", "token": "an old one", "other": 1})

    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "has changed token in its config" in warning


def test_what_the_tap_prints_is_logged_and_secrets_are_masked(tmp_path: Path) -> None:
    end = converse(TAP, wired({"mood": "noise", "token": SECRET}), TMPDIR=str(tmp_path), LOG_LEVEL="debug")

    assert (end.status, end.kinds) == (1, ["opened", "checkpoint"])
    assert end.reason.endswith("ended with exit status 1: **** is wrong")
    assert {"a print in the tap", "the token is ****"} <= {log["message"] for log in end.logs}
    assert SECRET not in end.stderr + json.dumps(end.responses)
    assert list(tmp_path.iterdir()) == []


def wired(config: dict[str, Any]) -> dict[str, Any]:
    bound = {
        "resourceConfig": RESOURCE,
        "resourcePath": ["db-things"],
        "stateKey": "db-things",
        "collection": {"name": "acmeCo/things", "key": ["/id"], "writeSchema": SCHEMA},
    }
    return {
        "open": {"capture": {"name": "acmeCo/x", "config": config, "bindings": [bound]}, "range": {"keyEnd": 2**32 - 1}}
    }


@pytest.mark.parametrize(
    ("mood", "waiting", "ids"), [("hang", '"checkpoint"', [1]), ("hang_within", '"id":2', [1, 2, 3])]
)
def test_a_stop_reaches_the_tap_and_ends_at_a_bookmark(mood: str, waiting: str, ids: list[int]) -> None:
    process = start(TAP)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(wired({"mood": mood})) + "\n")
    process.stdin.flush()
    first: list[str] = []
    while waiting not in "".join(first):
        first.append(process.stdout.readline())
        assert first[-1], "the connector has ended"

    process.send_signal(signal.SIGTERM)
    end = ended(process)

    responses = [*map(json.loads, first), *end.responses]
    assert (end.status, next(iter(responses[-1]))) == (0, "checkpoint")
    assert [response["captured"]["doc"]["id"] for response in responses if "captured" in response] == ids
    updates = [response["checkpoint"].get("state") for response in responses if "checkpoint" in response]
    (state,) = [update["updated"]["bindingStateV1"]["db-things"]["state"] for update in updates if update][-1:]
    assert state == {"n": ids[-1]}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of another's child")
def test_a_connector_that_is_killed_takes_the_tap_and_its_files_with_it(tmp_path: Path) -> None:
    process = start(TAP, TMPDIR=str(tmp_path))
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(wired({"mood": "hang", "token": SECRET})) + "\n")
    process.stdin.flush()
    while "checkpoint" not in (line := process.stdout.readline()):
        assert line, "the connector has ended"
    children = [os.pidfd_open(child.pid) for child in psutil.Process(process.pid).children()]
    assert list(tmp_path.glob("*/config.json"))

    process.kill()
    process.communicate()

    assert len(children) == 2, "the tap, and the guard of its files"
    for child in children:
        assert select.select([child], [], [], 10)[0]
        os.close(child)
    assert list(tmp_path.iterdir()) == []
