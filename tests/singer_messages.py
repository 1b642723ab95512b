"""Singer messages, and one session of a shim over played messages: documents, checkpoints, the state that remains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any

import msgspec

from python.capture import Binding
from python.protocol.capture import Captured, Checkpoint
from python.protocol.errors import ConnectorError
from python.protocol.flow import CollectionSpec
from python.protocol.patch import merge
from python.shim_singer_sdk.reading import Reading
from python.shim_singer_sdk.records import Target
from python.shim_singer_sdk.states import TaskState

ROW_ID = "/_meta/row_id"


def record(stream: str, data: Any, version: int | None = None) -> dict[str, Any]:
    message = {"type": "RECORD", "stream": stream, "record": data}
    return message if version is None else {**message, "version": version}


def schema(stream: str) -> dict[str, Any]:
    return {"type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": []}


def state(**bookmarks: Any) -> dict[str, Any]:
    return {"type": "STATE", "value": {"bookmarks": bookmarks}}


def activate(stream: str, version: int) -> dict[str, Any]:
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def target(name: str, method: str = "INCREMENTAL", index: int = 0, **given: Any) -> Target:
    """A target; `given` are stream, key, schema, state_key and metadata, where they are not the usual."""
    resource = {"tap_stream_id": name, "stream": given.get("stream", name), "replication_method": method}
    if method == "INCREMENTAL":
        resource["replication_key"] = "n"
    if "metadata" in given:
        resource["metadata"] = given["metadata"]
    return Target(
        Binding(
            index=index,
            resource=resource,
            resource_path=(name,),
            collection=CollectionSpec(
                name=f"acmeCo/{name}",
                key=tuple(given.get("key", ["/id"])),
                write_schema=msgspec.Raw(json.dumps(given.get("schema", {"type": "object"})).encode()),
            ),
            state_key=given.get("state_key", name),
            backfill=0,
            state=None,
        )
    )


def rows(name: str, method: str = "FULL_TABLE", **given: Any) -> Target:
    """A target without a key of its own."""
    return target(name, method, key=[ROW_ID], **given)


class Sync:
    """What one session gave; an exception among the messages is raised. `resumed` is the tap's state at its start.

    `ancestors` are those of each stream, as a tap in process tells them; None is an executable, which cannot.
    """

    def __init__(
        self, messages: Iterable[Any], *targets: Target, stored: Any = None, ancestors: Any = MappingProxyType({})
    ) -> None:
        self.sequence: list[Any] = []
        self.documents: list[tuple[int, dict[str, Any]]] = []
        self.patches: list[Any] = []
        self.failure = ""
        self.stored: Any = stored or {}
        task = TaskState(self.stored, targets)
        if ancestors is not None:
            task.learn(ancestors)
        self.resumed = task.document()
        try:
            for message in Reading(targets, task).run(_played(messages)):
                self._take(message)
        except ConnectorError as failure:
            self.failure = str(failure)

    def _take(self, message: Captured | Checkpoint) -> None:
        if isinstance(message, Captured):
            assert isinstance(message.doc, msgspec.Raw)
            doc = json.loads(bytes(message.doc))
            self.documents.append((message.binding, doc))
            self.sequence.append(doc)
            return
        patch = json.loads(bytes(message.state.updated)) if message.state else None
        self.patches.append(patch)
        self.sequence.append("checkpoint")
        if message.state:
            assert message.state.merge_patch
            self.stored = merge(self.stored, patch)

    def of(self, index: int) -> list[dict[str, Any]]:
        return [doc for at, doc in self.documents if at == index]


def _played(messages: Iterable[Any]) -> Iterator[Any]:
    for message in messages:
        if isinstance(message, Exception):
            raise message
        yield message


def kept(documents: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """A collection keyed by row id, after these documents."""
    found: dict[int, dict[str, Any]] = {}
    for doc in documents:
        meta = doc["_meta"]
        if meta["op"] == "d":
            found.pop(meta["row_id"], None)
        else:
            found[meta["row_id"]] = doc
    return found
