from __future__ import annotations

import itertools
import json
import signal
import sys
import threading
from typing import Any
from urllib.parse import quote, quote_plus

import jsonschema
import msgspec
import pytest
from airbyte_cdk import config_observation

from python.protocol import capture as wire
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import RangeSpec
from python.shim_airbyte_cdk import CaptureShim, sealing
from tests.airbyte_messages import SPEC, Played, Sync, binding, cdk, control, record, request, rows, state
from tests.conversing import ROOT, converse, ended, start

NOISY = [sys.executable, str(ROOT / "tests" / "connectors" / "noisy_airbyte.py")]
STREAMS = [
    {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
    {"name": "orders", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"], "namespace": "shop"},
]


class Specified(Played):
    """A source with a specification of its own."""

    def __init__(self, **spec: Any) -> None:
        super().__init__(streams=STREAMS)
        self._spec = spec

    def spec(self, logger: Any) -> Any:
        del logger
        return cdk.ConnectorSpecificationSerializer.load({**SPEC, **self._spec})


def spec_of(source: Any, **shim: Any) -> wire.SpecResponse:
    return CaptureShim(delegate=source, **shim).spec()


def validate(source: Any, *resources: dict[str, Any], config: dict[str, Any] | None = None) -> Any:
    asked = wire.Validate(
        config=msgspec.Raw(json.dumps(config or {}).encode()),
        bindings=tuple(
            wire.ValidateBinding(resource_config=msgspec.Raw(json.dumps(resource).encode())) for resource in resources
        ),
    )
    (validated,) = CaptureShim(delegate=source).answer(asked)
    return [bound.resource_path for bound in validated.bindings]  # type: ignore[attr-defined] # it is a Validated


def test_spec_is_the_source_s_in_flow_s_words() -> None:
    found = spec_of(Specified(documentationUrl="https://docs.test/x"))

    assert found.protocol == 3032023
    assert found.documentation_url == "https://docs.test/x"
    assert found.resource_path_pointers == ("/namespace", "/stream")
    assert found.oauth2 is None
    assert json.loads(bytes(found.config_schema))["title"] == "Played Source Spec"


def test_the_environment_may_replace_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCS_URL", "https://go.test/ours")

    assert spec_of(Specified(documentationUrl="https://docs.test/x")).documentation_url == "https://go.test/ours"


def test_the_resource_config_has_plain_types() -> None:
    schema = json.loads(bytes(spec_of(Played()).resource_config_schema))

    assert {name: value["type"] for name, value in schema["properties"].items()} == {
        "stream": "string",
        "syncMode": "string",
        "namespace": "string",
        "cursorField": "array",
    }
    assert schema["required"] == ["stream", "syncMode"]
    assert "additionalProperties" not in schema


CREDENTIALS = {"connectionSpecification": {"title": "Shop Spec", "properties": {"credentials": {"properties": {}}}}}
DECLARED = {
    "oauth_config_specification": {
        "oauth_connector_input_specification": {"consent_url": "https://x.test", "access_token_url": "https://y.test"}
    }
}


def test_what_the_source_s_own_specification_marks_is_masked_in_logs_whatever_its_type() -> None:
    marked = {"airbyte_secret": True}
    specified = {
        "pin": {"type": "integer", **marked},
        "keys": {"type": "array", "items": {"type": "string"}, **marked},
        "account": {"type": "object", "properties": {"name": {"type": "string"}}, **marked},
        "host": {"type": "string"},
    }
    source = Specified(connectionSpecification={"type": "object", "properties": specified})
    config = {"pin": 739152, "keys": ["first key", "second key"], "account": {"name": "Jane"}, "host": "a.test"}
    asked = wire.Discover(config=msgspec.Raw(json.dumps(config).encode()))

    secrets = set(CaptureShim(delegate=source)._service().secrets(asked))

    assert secrets == {"739152", "first key", "second key", "Jane"}


def test_oauth_of_the_spec_is_mapped_where_the_author_gives_none() -> None:
    found = spec_of(Specified(**CREDENTIALS, advanced_auth=DECLARED))

    assert found.oauth2 is not None
    assert found.oauth2.provider == "shop"
    assert json.loads(bytes(found.config_schema))["properties"]["credentials"]["x-oauth2-provider"] == "shop"


def test_oauth_of_the_author_s_goes_first() -> None:
    ours = {"provider": "ours", "authUrlTemplate": "https://a.test", "accessTokenUrlTemplate": "https://t.test"}

    found = spec_of(Specified(**CREDENTIALS, advanced_auth=DECLARED), oauth2=ours)

    assert found.oauth2 is not None
    assert found.oauth2.provider == "ours"
    assert json.loads(bytes(found.config_schema))["properties"]["credentials"]["x-oauth2-provider"] == "ours"


def test_discovered_bindings_fit_the_spec_and_come_in_the_source_s_order() -> None:
    shim = CaptureShim(delegate=Played(streams=STREAMS))

    (found,) = shim.answer(wire.Discover(config=msgspec.Raw(b"{}")))

    assert isinstance(found, wire.Discovered)
    assert [bound.resource_path for bound in found.bindings] == [("users",), ("shop", "orders")]
    for bound in found.bindings:
        schema = json.loads(bytes(shim.spec().resource_config_schema))
        jsonschema.validate(json.loads(bytes(bound.resource_config)), schema)
        assert shim.resource_path(bound.resource_config) == bound.resource_path


def test_a_source_that_cannot_be_discovered_says_so_in_one_sentence() -> None:
    class Failing(Played):
        def discover(self, logger: Any, config: Any) -> Any:
            raise PermissionError("no access")

    with pytest.raises(ConnectorError, match=r"^the source cannot tell its streams: PermissionError: no access$"):
        list(CaptureShim(delegate=Failing()).answer(wire.Discover(config=msgspec.Raw(b"{}"))))


def test_a_config_that_changes_while_validate_fails_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[Any] = []
    monkeypatch.setattr(sealing, "publish", lambda config, *_: published.append(config))

    class Queue:
        def consume_queue(self) -> list[Any]:
            return [control({"token": "new"})]

    class Failing(Played):
        def check(self, *_: Any) -> Any:
            raise ValueError("no")

    source: Any = Failing()
    source.message_repository = Queue()

    with pytest.raises(ConnectorError, match="the source cannot be checked: ValueError: no"):
        validate(source)
    assert published == [{"token": "new"}]


def test_validate_and_open_ask_for_no_catalog() -> None:
    source = Played(record("users", {"id": 1}))

    assert validate(source, {"stream": "users", "syncMode": "full_refresh"}) == [("users",)]
    assert Sync(source, request(binding("users"))).failure == ""


def test_a_resource_config_that_airbyte_to_flow_saved_validates() -> None:
    saved: dict[str, Any] = {
        "stream": "users",
        "syncMode": "incremental",
        "namespace": None,
        "cursorField": None,
        "_meta": {},
        "odd": 1,
    }

    assert validate(Played(), saved, {**saved, "namespace": "shop"}) == [("users",), ("shop", "users")]


def test_a_wrong_sync_mode_is_named() -> None:
    with pytest.raises(ConfigError, match="/bindings/1/resource/syncMode: got 'sometimes', want full_refresh or incr"):
        validate(Played(), {"stream": "a", "syncMode": "full_refresh"}, {"stream": "b", "syncMode": "sometimes"})


def test_a_source_that_cannot_be_reached_says_why() -> None:
    with pytest.raises(ConnectorError, match=r"^the source cannot be reached with this config: no such host$"):
        validate(Played(), config={"problem": "no such host"})


def test_a_config_that_the_source_s_schema_refuses_is_named() -> None:
    typed = Specified(connectionSpecification={"required": ["count"], "properties": {"count": {"type": "integer"}}})

    with pytest.raises(ConfigError, match=r"/count: got 'many', want the type integer"):
        validate(typed, config={"count": "many"})


def test_a_catalog_that_changed_since_does_not_fail_open() -> None:
    class Changed(Played):
        def discover(self, logger: Any, config: Any) -> Any:
            raise KeyError("the stream is gone")

    assert Sync(Changed(state("users", {"n": 1})), request(binding("users"))).failure == ""


def test_without_bindings_there_is_nothing_to_say() -> None:
    assert Sync(Played(record("users", {})), request()).sequence == []


def test_each_stream_belongs_to_exactly_one_part_of_the_key_range() -> None:
    names = [f"stream-{number}" for number in range(20)]
    bindings = [rows(name) for name in names]
    middle = 0x7FFF_FFFF
    parts = []
    for part in (RangeSpec(key_end=middle), RangeSpec(key_begin=middle + 1, key_end=0xFFFF_FFFF)):
        source = Played()
        sync = Sync(source, request(*bindings, key_range=part))
        parts.append({stream["stream"]["name"] for stream in source.catalog["streams"]})
        assert sync.stored["bindingStateV1"].keys() == parts[-1]

    assert parts[0] | parts[1] == set(names)
    assert not parts[0] & parts[1]
    assert all(parts)


def test_a_factory_is_given_catalog_config_and_state() -> None:
    seen: list[Any] = []

    def factory(catalog: Any, config: Any, states: Any) -> Played:
        seen.append((catalog, config, states))
        return Played()

    stored = {
        "bindingStateV1": {
            "users": {"rowId": 1, "state": cdk.AirbyteStateMessageSerializer.dump(state("users", {"n": 1}).state)}
        }
    }
    Sync(factory, request(binding("users"), stored=stored))

    catalog, config, (resumed,) = seen[-1]
    assert [stream.stream.name for stream in catalog.streams] == ["users"]
    assert config == {}
    assert vars(resumed.stream.stream_state) == {"n": 1}


def test_a_source_that_ignores_its_state_is_refused_at_once() -> None:
    declarative = type("ConcurrentDeclarativeSource", (Played,), {})

    with pytest.raises(TypeError, match="pass CaptureShim a factory"):
        CaptureShim(delegate=declarative())


def open_users(**config: Any) -> dict[str, Any]:
    bound = {
        "resourceConfig": {"stream": "users", "syncMode": "incremental"},
        "resourcePath": ["users"],
        "stateKey": "users",
        "collection": {"name": "acmeCo/users", "key": ["/id"], "writeSchema": {"type": "object"}},
    }
    return {"open": {"capture": {"name": "acmeCo/x", "config": config, "bindings": [bound]}, "state": {}}}


@pytest.mark.parametrize("how", ["instance", "factory"])
def test_nothing_that_a_source_prints_reaches_the_protocol_and_logs_stay_flow_s(how: str) -> None:
    noisy = converse([*NOISY, how], {"spec": {}}, {"discover": {"config": {}}}, open_users())

    assert noisy.status == 0
    assert noisy.kinds == ["spec", "discovered", "opened", "captured", "checkpoint", "checkpoint"]
    told = noisy.stderr
    assert ("printed at import" in told) is (how == "factory")
    for text in ("by spec", "by discover", "written by read", "echoed by a child", "between messages"):
        assert text in told
    assert "logged at 100%" in [log["message"] for log in noisy.logs]


def test_no_secret_leaves_the_connector_however_the_source_tells_it() -> None:
    canary = "canary-7f3a/of +secrets"
    told = converse(NOISY, {"spec": {}}, open_users(token=canary), LOG_LEVEL="trace")

    assert (told.status, told.kinds[-1]) == (1, "checkpoint")
    for how in ("logged", "printed", "written", "echoed", "traced", "caused by", "raised with"):
        assert f"{how} ****" in told.stderr
    everything = told.stderr + json.dumps(told.responses)
    assert [each for each in (canary, quote(canary), quote_plus(canary)) if each in everything] == []


def test_the_process_ends_after_one_sync_though_stdin_stays_open() -> None:
    process = start(NOISY)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"spec": {}}) + "\n" + json.dumps(open_users()) + "\n")
    process.stdin.flush()

    assert process.wait(60) == 0
    ended(process)


def test_a_source_that_blocks_delays_neither_logs_nor_acknowledgements_nor_a_stop() -> None:
    process = start([*NOISY, "acknowledging"])
    too_late = threading.Timer(60, process.kill)
    too_late.start()
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(json.dumps({"spec": {}}) + "\n" + json.dumps(open_users(blocks=True)) + "\n")
    process.stdin.flush()
    while "checkpoint" not in process.stdout.readline():
        continue

    process.stdin.write(json.dumps({"acknowledge": {"checkpoints": 1}}) + "\n")
    process.stdin.flush()
    told = [
        json.loads(line)["message"]
        for line in itertools.takewhile(lambda line: "acknowledged 1" not in line, process.stderr)
    ]
    told += [json.loads(process.stderr.readline())["message"] for _ in range(3)]
    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0
    assert told[-3:] == ["logged beside it"] * 3
    too_late.cancel()
    ended(process)


def test_a_source_that_stalls_is_ended_with_its_stacks_and_the_streams_name() -> None:
    stalled = converse([*NOISY, "stalling"], {"spec": {}}, open_users(blocks=True))

    assert (stalled.status, stalled.kinds[-1]) == (1, "checkpoint")
    assert stalled.reason == (
        "1 of 1 streams failed: stream users: the source made no progress for 2 seconds (the log has the stacks of "
        "its threads)"
    )
    (stacks,) = [log["fields"]["stacks"] for log in stalled.logs if "stacks" in log["fields"]]
    assert any("time.sleep(3600)" in line for line in stacks["MainThread"])


@pytest.mark.parametrize("asked", ["validate", "discover", "open"])
def test_a_config_that_the_cdk_prints_is_kept_like_any_that_the_source_has_changed(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    published: list[Any] = []
    monkeypatch.setattr(sealing, "publish", lambda config, schema, seal: published.append(config))

    class Rotating(Played):
        def configure(self, config: dict[str, Any], folder: str) -> dict[str, Any]:
            config_observation.emit_configuration_as_airbyte_control_message({"token": "rotated"})
            return config

    source = Rotating(streams=[])
    if asked == "validate":
        validate(source)
    elif asked == "discover":
        list(CaptureShim(delegate=source).answer(wire.Discover(config=msgspec.Raw(b"{}"))))
    else:
        Sync(source, request(binding("users")))

    assert published == [{"token": "rotated"}]
    assert "rotated" not in capsys.readouterr().out
