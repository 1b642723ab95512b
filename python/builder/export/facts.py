"""What a manifest says of its connector, without running it: streams, config, hosts; and all of it as a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.builder.export.hosts import hosts
from python.builder.manifests.linting import Reading
from python.builder.manifests.references import Node
from python.importing.snapshots import Run, Snapshot

__all__ = ["Facts", "Stream", "facts_of"]

_ANY_CONFIG: Mapping[str, Any] = {"type": "object", "properties": {}}
_ALTERNATIVES = ("full_refresh_stream", "incremental_stream")  # of a StateDelegatingStream


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream, or a template that streams are made of. `pagination` is the type of its strategy, "" without one.

    `key` has a path for each part of the primary key, `cursor` is "" where the stream is read anew each time, and
    `condition` is the expression that the stream depends on.
    """

    name: str
    key: tuple[tuple[str, ...], ...] = ()
    pagination: str = ""
    cursor: str = ""
    schema: Mapping[str, Any] | None = None
    condition: str = ""
    is_template: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a connector. `hosts` are as Airbyte writes them: `${input}` is what the config has there."""

    streams: tuple[Stream, ...]
    hosts: tuple[str, ...]
    specification: Mapping[str, Any]
    documentation_url: str = ""
    description: str = ""
    custom: tuple[str, ...] = ()

    @property
    def incremental(self) -> tuple[Stream, ...]:
        """The streams that know what is new."""
        return tuple(stream for stream in self.streams if stream.cursor and not stream.is_template)

    def snapshot(self, name: str, version: str | None) -> Snapshot:
        """Return what a version of the connector is, as far as the manifest alone can tell."""
        spec = {"configSchema": self.specification, "resourcePathPointers": ["/stream"]}
        bindings = tuple(_binding(stream) for stream in self.streams if not stream.is_template)
        return Snapshot(name=name, version=version, spec=spec, runs={"": Run(bindings=bindings)})


def facts_of(reading: Reading) -> Facts:
    """Return what a manifest that was read says."""
    members = reading.whole.members or {}
    spec = members.get("spec")
    specification = _plain(spec, "connection_specification")
    custom = {node.text("class_name") or "" for kind, node in reading.components if kind.startswith("Custom")}
    return Facts(
        streams=tuple(_streams(reading.whole)),
        hosts=hosts(reading.components),
        specification=specification if isinstance(specification, dict) else _ANY_CONFIG,
        documentation_url=(spec.text("documentation_url") if spec else None) or "",
        description=" ".join((reading.whole.text("description") or "").split()),
        custom=tuple(sorted(custom - {""})),
    )


def _streams(whole: Node) -> Iterator[Stream]:
    members = whole.members or {}
    for node in _items(members.get("streams")):
        yield from _of(node)
    for node in _items(members.get("dynamic_streams")):
        template = (node.members or {}).get("stream_template")
        for stream in _of(template) if template is not None else ():
            name = node.text("name") or stream.name
            yield msgspec.structs.replace(stream, name=name, is_template=True)


def _of(node: Node, condition: str = "") -> Iterator[Stream]:
    """Yield the streams that stand at `node`: one, or those of a condition."""
    members = node.members or {}
    if "streams" in members:
        for each in _items(members["streams"]):
            yield from _of(each, node.text("condition") or "")
        return
    inner = [members[name] for name in _ALTERNATIVES if name in members] or [node]
    told = [_stream(each, condition) for each in inner]
    cursor = next((each.cursor for each in told if each.cursor), "")
    yield msgspec.structs.replace(told[-1], name=_named(node) or told[-1].name, cursor=cursor)


def _stream(node: Node, condition: str) -> Stream:
    retriever = (node.members or {}).get("retriever")
    paginator = _below(retriever, "paginator")
    strategy = _below(paginator, "pagination_strategy")
    kind = (strategy.text("class_name") or strategy.text("type")) if strategy is not None else None
    loader = _below(node, "schema_loader")
    schema = _plain(loader, "schema")
    cursor = _below(node, "incremental_sync")
    return Stream(
        name=_named(node),
        key=tuple(_key(_plain(node, "primary_key"))),
        pagination=(kind or "").rpartition(".")[2],
        cursor=(cursor.text("cursor_field") or cursor.text("class_name") or "") if cursor is not None else "",
        schema=schema if isinstance(schema, dict) else None,
        condition=condition,
    )


def _named(node: Node) -> str:
    parameters = _below(node, "$parameters")
    return node.text("name") or (parameters.text("name") if parameters is not None else "") or ""


def _key(value: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 -- a name, a list of names, or a list of paths
    for each in [value] if isinstance(value, str) else value or ():
        yield tuple(map(str, each)) if isinstance(each, list) else (str(each),)


def _binding(stream: Stream) -> dict[str, Any]:
    resource: dict[str, Any] = {"stream": stream.name, "syncMode": "incremental" if stream.cursor else "full_refresh"}
    if stream.cursor:
        resource["cursorField"] = [stream.cursor]
    key = ["/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path) for path in stream.key]
    schema = stream.schema or {"type": "object"}
    return {
        "recommendedName": stream.name,
        "resourceConfig": resource,
        "documentSchema": schema,
        "key": key or ["/_meta/row_id"],
        "isFallbackKey": not key,
    }


def _items(node: Node | None) -> list[Node]:
    return (node.items or []) if node is not None else []


def _below(node: Node | None, name: str) -> Node | None:
    return (node.members or {}).get(name) if node is not None else None


def _plain(node: Node | None, name: str) -> Any:  # noqa: ANN401 -- JSON
    found = _below(node, name)
    return found.plain() if found is not None else None
