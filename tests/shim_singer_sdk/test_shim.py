from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from python.protocol import capture as wire
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec, OAuth2, RangeSpec
from python.protocol.state_key import key_hash
from python.shim_singer_sdk import CaptureShim, taps
from python.shim_singer_sdk.states import TaskState
from tests.singer_messages import record, state


class Tap:
    """As much of a tap class as `spec` looks at."""

    config_jsonschema = {"properties": {"host": {"type": "string"}, "batch_config": {"type": "object"}}}

    @classmethod
    def append_builtin_config(cls, schema: dict[str, Any]) -> None:
        odd = {"type": ["object", "null"], "title": "Maps", "properties": {"__else__": {"anyOf": ["null"]}}}
        for name, value in {"stream_maps": odd, "batch_config": {"type": "object"}}.items():
            schema["properties"].setdefault(name, value)


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def resource(name: str, method: str = "FULL_TABLE") -> dict[str, Any]:
    return {"tap_stream_id": name, "stream": name, "replication_method": method, "replication_key": "n"}


def open_request(*names: str, stored: Any = None, key_range: RangeSpec | None = None) -> wire.Open:
    bindings = tuple(
        CaptureBinding(
            resource_config=raw(resource(name, "INCREMENTAL")),
            resource_path=(name,),
            state_key=name,
            collection=CollectionSpec(name=name, key=("/id",), write_schema=raw({"type": "object"})),
        )
        for name in names
    )
    spec = CaptureSpec(name="acmeCo/x", config=raw({"host": "h"}), bindings=bindings)
    return wire.Open(capture=spec, state=raw(stored or {}), range=key_range)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `taps.read` was asked; it gives a record and a state of the first stream."""
    asked: list[Any] = []

    def read(delegate: Any, config: Any, catalog: Any, task_state: TaskState, seconds_min: float) -> Iterator[Any]:
        asked.append((config, [entry["tap_stream_id"] for entry in catalog["streams"]], task_state.document()))
        name = catalog["streams"][0]["tap_stream_id"]
        return iter([record(name, {"id": 1}), state(**{name: {"v": 1}})])

    monkeypatch.setattr(taps, "read", read)
    return asked


def test_everything_of_the_spec_is_read_from_the_tap_class() -> None:
    spec = CaptureShim(Tap).spec()

    schema = json.loads(bytes(spec.config_schema))
    assert set(schema["properties"]) == {"host", "stream_maps"}
    assert schema["properties"]["stream_maps"] == {
        "type": ["object", "null"],
        "title": "Maps",
        "advanced": True,
        "order": 1,
    }
    assert "stream_maps" not in Tap.config_jsonschema["properties"]
    assert spec.resource_path_pointers == ("/tap_stream_id",)


def test_settings_that_look_secret_are_marked_in_the_spec_and_masked_in_logs() -> None:
    class Unmarked(Tap):
        config_jsonschema = {"properties": {"client_secret": {"type": "string"}, "headers": {"type": "object"}}}

    schema = json.loads(bytes(CaptureShim(Unmarked).spec().config_schema))
    config = {"client_secret": "first", "headers": {"Authorization": "second", "Accept": "text"}}
    secrets = set(CaptureShim(Unmarked)._service().secrets(wire.Discover(config=raw(config))))

    assert schema["properties"]["client_secret"]["secret"] is True
    assert secrets == {"first", "second"}


def test_the_name_of_a_type_among_alternatives_becomes_a_schema() -> None:
    class Loose(Tap):
        config_jsonschema: Any = {"properties": {"limit": {"anyOf": [{"type": "integer"}, "string"]}}}

    schema = json.loads(bytes(CaptureShim(Loose).spec().config_schema))

    assert schema["properties"]["limit"]["anyOf"] == [{"type": "integer"}, {"type": "string"}]


def test_the_documentation_is_where_the_connector_says() -> None:
    assert (
        CaptureShim(Tap, documentation_url="https://docs.test/tap").spec().documentation_url == "https://docs.test/tap"
    )


def test_the_spec_tells_how_to_log_in() -> None:
    class Shim(CaptureShim):
        oauth2 = OAuth2(provider="acme", auth_url_template="x", access_token_url_template="y")

    assert Shim(Tap).spec().oauth2 == Shim.oauth2


def test_a_factory_comes_with_its_config_schema() -> None:
    shim = CaptureShim(config_schema={"properties": {"x": {"type": "string"}}}, delegate_factory=lambda *given: given)

    assert set(json.loads(bytes(shim.spec().config_schema))["properties"]) == {"x"}
    with pytest.raises(TypeError, match="config_schema"):
        CaptureShim(lambda *given: given)


def test_the_environment_names_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCS_URL", "https://go.test/ours")

    assert CaptureShim(Tap).spec().documentation_url == "https://go.test/ours"


def test_validating_checks_the_resources_before_the_tap(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(taps, "check", lambda delegate, config, resources: checked.append((config, resources)))
    bad = wire.Validate(
        config=raw({}), bindings=(wire.ValidateBinding(resource_config=raw(resource("a", "SOMETIMES"))),)
    )
    good = wire.Validate(
        config=raw({"host": "h"}), bindings=(wire.ValidateBinding(resource_config=raw(resource("a"))),)
    )

    with pytest.raises(ConfigError, match="/bindings/0/resource/replication_method"):
        list(CaptureShim(Tap).answer(bad))
    (validated,) = CaptureShim(Tap).answer(good)

    assert isinstance(validated, wire.Validated)
    assert [each.resource_path for each in validated.bindings] == [("a",)]
    assert checked == [({"host": "h"}, (resource("a"),))]


def test_a_tap_that_cannot_be_asked_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class RefusedError(Exception):
        errors = ["host is missing", "port is no number"]

    def refuse(*given: Any) -> Any:
        raise RefusedError

    monkeypatch.setattr(taps, "discover", refuse)

    told = "the tap cannot tell its streams: RefusedError: host is missing; port is no number"
    with pytest.raises(ConnectorError, match=told):
        list(CaptureShim(Tap).answer(wire.Discover(config=raw({}))))


def test_a_sync_resumes_from_the_state_and_ends_with_a_checkpoint(reads: list[Any]) -> None:
    stored = {"bindingStateV1": {"a": {"rowId": 4, "state": {"v": 0}}}}

    responses = list(CaptureShim(Tap).answer(open_request("a", stored=stored)))

    assert reads == [({"host": "h"}, ["a"], {"bookmarks": {"a": {"v": 0}}})]
    assert [type(each).__name__ for each in responses] == ["Opened", "Captured", "Checkpoint", "Checkpoint"]
    assert json.loads(bytes(responses[1].doc))["_meta"]["row_id"] == 4  # type: ignore[attr-defined] # it is Captured


def test_a_shard_reads_the_streams_of_its_key_range(reads: list[Any]) -> None:
    names = [f"stream{number}" for number in range(8)]
    middle = 1 << 31
    for begin, end in ((0, middle - 1), (middle, 0xFFFF_FFFF)):
        list(CaptureShim(Tap).answer(open_request(*names, key_range=RangeSpec(key_begin=begin, key_end=end))))

    (_, low, _), (_, high, _) = reads
    assert low == [name for name in names if key_hash(name) < middle]
    assert sorted(low + high) == names


def test_a_shard_without_streams_asks_nothing_of_the_tap(reads: list[Any]) -> None:
    nothing = RangeSpec(key_begin=1, key_end=0)

    assert len(list(CaptureShim(Tap).answer(open_request("a", key_range=nothing)))) == 1
    assert reads == []
