"""Airbyte messages, made of airbyte-cdk's own classes, and a source that plays them back."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.protocol.capture import Captured, Checkpoint, Open
from python.protocol.errors import ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec, RangeSpec
from python.shim_airbyte_cdk import CaptureShim

cdk: Any = importlib.import_module("airbyte_cdk.models")  # its names are not exported to type checkers
SPEC = {"connectionSpecification": {"title": "Played Source Spec", "type": "object", "properties": {}}}
ROW_ID = "/_meta/row_id"


def record(stream: str, data: Any, namespace: str | None = None) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.RECORD,
        record=cdk.AirbyteRecordMessage(stream=stream, data=data, emitted_at=0, namespace=namespace),
    )


def state(stream: str, value: Mapping[str, Any], namespace: str | None = None) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.STATE,
        state=cdk.AirbyteStateMessage(
            type=cdk.AirbyteStateType.STREAM,
            stream=cdk.AirbyteStreamState(
                stream_descriptor=cdk.StreamDescriptor(name=stream, namespace=namespace),
                stream_state=cdk.AirbyteStateBlob(value),
            ),
        ),
    )


def global_state(shared: Mapping[str, Any], **streams: Mapping[str, Any]) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.STATE,
        state=cdk.AirbyteStateMessage(
            type=cdk.AirbyteStateType.GLOBAL,
            global_=cdk.AirbyteGlobalState(
                shared_state=cdk.AirbyteStateBlob(shared),
                stream_states=[
                    cdk.AirbyteStreamState(cdk.StreamDescriptor(name=name), cdk.AirbyteStateBlob(value))
                    for name, value in streams.items()
                ],
            ),
        ),
    )


def legacy_state(**data: Any) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.STATE, state=cdk.AirbyteStateMessage(type=cdk.AirbyteStateType.LEGACY, data=data)
    )


def trace(kind: str, **members: Any) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.TRACE, trace=cdk.AirbyteTraceMessage(type=cdk.TraceType(kind), emitted_at=0, **members)
    )


def status(stream: str, value: str) -> Any:
    return trace(
        "STREAM_STATUS",
        stream_status=cdk.AirbyteStreamStatusTraceMessage(
            stream_descriptor=cdk.StreamDescriptor(name=stream), status=cdk.AirbyteStreamStatus(value)
        ),
    )


def error(stream: str | None, message: str) -> Any:
    descriptor = cdk.StreamDescriptor(name=stream) if stream else None
    return trace("ERROR", error=cdk.AirbyteErrorTraceMessage(message=message, stream_descriptor=descriptor))


def control(config: Mapping[str, Any]) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.CONTROL,
        control=cdk.AirbyteControlMessage(
            type=cdk.OrchestratorType.CONNECTOR_CONFIG,
            emitted_at=0,
            connectorConfig=cdk.AirbyteControlConnectorConfigMessage(config=dict(config)),
        ),
    )


class Played:
    """A source which plays messages back; an exception among them is raised. It remembers what it was asked."""

    def __init__(self, *messages: Any, streams: list[dict[str, Any]] | None = None) -> None:
        self._messages = messages
        self._streams = streams
        self.catalog: dict[str, Any] = {}
        self.states: list[dict[str, Any]] = []

    def spec(self, logger: logging.Logger) -> Any:
        del logger
        return cdk.ConnectorSpecificationSerializer.load(SPEC)

    def configure(self, config: dict[str, Any], folder: str) -> dict[str, Any]:
        del folder
        return config

    def check(self, logger: logging.Logger, config: dict[str, Any]) -> Any:
        del logger
        problem = config.get("problem")
        return cdk.AirbyteConnectionStatus(cdk.Status.FAILED if problem else cdk.Status.SUCCEEDED, problem)

    def discover(self, logger: logging.Logger, config: dict[str, Any]) -> Any:
        del logger, config
        assert self._streams is not None, "asked for a catalog"
        return cdk.AirbyteCatalog(streams=self._streams)

    def read(self, logger: logging.Logger, config: dict[str, Any], catalog: Any, states: Any) -> Iterator[Any]:
        del logger, config
        self.catalog = cdk.ConfiguredAirbyteCatalogSerializer.dump(catalog)
        self.states = [cdk.AirbyteStateMessageSerializer.dump(each) for each in states]
        for message in self._messages:
            if isinstance(message, Exception):
                raise message
            yield message


def binding(stream: str, mode: str = "incremental", **given: Any) -> CaptureBinding:
    """A binding; `given` are namespace, cursor, key, schema and state_key, where they are not the usual."""
    resource = {"stream": stream, "syncMode": mode, "namespace": given.get("namespace")}
    if "cursor" in given:
        resource["cursorField"] = given["cursor"]
    path = tuple(part for part in (given.get("namespace"), stream) if part)
    return CaptureBinding(
        resource_config=msgspec.Raw(json.dumps(resource).encode()),
        resource_path=path,
        state_key=given.get("state_key", "%2F".join(path)),
        collection=CollectionSpec(
            name=f"acmeCo/{stream}",
            key=tuple(given.get("key", ["/id"])),
            write_schema=msgspec.Raw(json.dumps(given.get("schema", {"type": "object"})).encode()),
        ),
    )


def rows(stream: str, mode: str = "full_refresh", **given: Any) -> CaptureBinding:
    """A binding without a key of its own."""
    return binding(stream, mode, key=[ROW_ID], **given)


def request(*bindings: CaptureBinding, stored: Any = None, key_range: RangeSpec | None = None) -> Open:
    return Open(
        capture=CaptureSpec(name="acmeCo/played", config=msgspec.Raw(b"{}"), bindings=bindings),
        state=msgspec.Raw(json.dumps({} if stored is None else stored).encode()),
        range=key_range,
    )


class Sync:
    """What one session of a shim over a played source gave: documents, checkpoints, the state that remains."""

    def __init__(self, source: Any, opened: Open, **shim: Any) -> None:
        self.sequence: list[Any] = []
        self.failure = ""
        self.documents: list[tuple[int, dict[str, Any]]] = []
        self.texts: list[str] = []
        self.patches: list[Any] = []
        self.stored: Any = json.loads(bytes(opened.state or b"{}"))
        try:
            for response in CaptureShim(delegate=source, **shim).answer(opened):
                self._take(response)
        except ConnectorError as failure:
            self.failure = str(failure)

    def _take(self, response: Any) -> None:
        if isinstance(response, Captured):
            assert isinstance(response.doc, msgspec.Raw)
            self.texts.append(bytes(response.doc).decode())
            doc = json.loads(self.texts[-1])
            self.documents.append((response.binding, doc))
            self.sequence.append(doc)
        elif isinstance(response, Checkpoint):
            patch = json.loads(bytes(response.state.updated)) if response.state else None
            self.patches.append(patch)
            self.sequence.append("checkpoint")
            if response.state:
                self.stored = merged(self.stored if response.state.merge_patch else None, patch)

    def of(self, index: int) -> list[dict[str, Any]]:
        return [doc for at, doc in self.documents if at == index]


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, written anew: the runtime's side of it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
