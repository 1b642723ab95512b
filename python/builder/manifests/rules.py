"""What the component schema cannot say of a manifest: its version and dialect, its streams, its JSON schemas."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs
import msgspec

from python.builder.manifests.cdk import Cdk
from python.builder.manifests.documents import At
from python.builder.manifests.expressions import is_interpolated
from python.builder.manifests.findings import Finding, Severity, did_you_mean, finding, nearest, shown
from python.builder.manifests.references import Node
from python.shim_common.manifest_dialects import OLD_DIALECT

__all__ = ["added_to_config", "json_schema", "of_dialect", "of_schemas", "of_streams", "of_version"]

_SCHEMA_OF_SCHEMAS = "http://json-schema.org/draft-07/schema#"
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

_Found = Iterator[Finding]


def of_version(manifest: Mapping[str, Any], cdk: Cdk) -> _Found:
    """Yield an error where the manifest is written for a CDK that is newer than `cdk`."""
    version = manifest.get("version")
    found = re.match(r"(\d+)\.(\d+)", str(version))
    if isinstance(version, str) and found is None:
        yield finding("version", ("version",), f"{shown(version)} is no version such as '6.0.0'", got=version)
    elif found and cdk.release > (0, 0) and (int(found[1]), int(found[2])) > cdk.release:
        message = f"the manifest is written for airbyte-cdk {version}, and {cdk.version} is installed"
        yield finding("version", ("version",), message, got=version, want=(cdk.version,))


def of_dialect(texts: Iterable[tuple[At, str]]) -> _Found:
    """Yield an error for each part of a manifest that is written as before airbyte-cdk 0.29."""
    for at, text in texts:
        for mark, reason in OLD_DIALECT:
            if mark in at or text.startswith(mark):
                where = at[: at.index(mark) + 1] if mark in at else at
                yield finding("old-dialect", where, reason, got=mark)


def json_schema(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Return what YAML says as JSON says it: dates as text."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=str))


def of_schemas(loaders: Iterable[Node]) -> _Found:
    """Yield an error for each part of an inline schema that is no JSON Schema."""
    seen: set[int] = set()
    for loader in loaders:
        node = (loader.members or {}).get("schema")
        if node is not None and id(node) not in seen and node.members is not None:
            seen.add(id(node))
            yield from _of_schema(node)


@functools.cache
def _schema_of_schemas() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator({"$ref": _SCHEMA_OF_SCHEMAS})


def _of_schema(node: Node) -> _Found:
    schema = json_schema(node.plain())
    if isinstance(schema.get("$schema"), str) and "draft-07" not in schema["$schema"]:
        schema = {**schema, "$schema": _SCHEMA_OF_SCHEMAS}
    for error in _schema_of_schemas().iter_errors(schema):
        at = node.at
        part: Node | None = node
        for name in error.instance_path:
            members = (part.members or {}) if part else {}
            items = (part.items or []) if part else []
            part = items[name] if isinstance(name, int) and name < len(items) else members.get(str(name))
            at = part.at if part else (*at, str(name))
        got = part.plain() if part else None
        reason = _cut(error.message)
        if isinstance(got, str) and at[-1] == "type":
            reason = f"there is no type {shown(got)}{did_you_mean(got, _TYPES)}"
        yield finding("inline-schema", at, f"is no JSON Schema: {reason}", component="InlineSchemaLoader", got=got)


def of_streams(manifest: Node) -> _Found:
    """Yield what is wrong with names of streams, and with the fields that streams say they have."""
    named: dict[str, Node] = {}
    streams = list(_streams(manifest))
    is_known = "dynamic_streams" not in (manifest.members or {})
    for stream in streams:
        name = _field(stream, "name")
        if name is None or not isinstance(name.value, str) or is_interpolated(name.value):
            is_known = False
            continue
        first = named.setdefault(name.value, stream)
        if first is not stream or sum(each is stream for each in streams) > 1:
            message = f"two streams have the name {name.value}; give each its own"
            yield finding("duplicate-stream", name.at, message, got=name.value)
        yield from _of_fields(stream, name.value)
    if is_known:
        yield from _of_check(manifest, named)


def _streams(manifest: Node) -> Iterator[Node]:
    waiting = [(manifest.members or {}).get("streams")]
    while waiting:
        node = waiting.pop(0)
        if node is None:
            continue
        waiting.extend(node.items or ())
        if node.text("type") == "ConditionalStreams":
            waiting.append((node.members or {}).get("streams"))
        elif node.members is not None:
            yield node


def _of_check(manifest: Node, named: Mapping[str, Node]) -> _Found:
    check = (manifest.members or {}).get("check")
    names = ((check.members or {}) if check else {}).get("stream_names")
    for node in (names.items or ()) if names else ():
        got = node.value
        if isinstance(got, str) and got not in named and named and not is_interpolated(got):
            message = f"`check` asks for the stream {got}, which there is not{did_you_mean(got, named)}"
            details = {"want": tuple(sorted(named)), "nearest": nearest(got, named)}
            yield finding("unknown-stream", node.at, message, component="CheckStream", got=got, **details)


def _of_fields(stream: Node, name: str) -> _Found:
    """Yield a warning for each key or cursor that the stream's inline schema does not have."""
    loader = (stream.members or {}).get("schema_loader")
    schema = (loader.members or {}).get("schema") if loader else None
    properties = (schema.members or {}).get("properties") if schema else None
    if properties is None or not properties.members or "transformations" in (stream.members or {}):
        return
    cursor = (stream.members or {}).get("incremental_sync")
    for what, node in (("primary_key", _field(stream, "primary_key")), ("cursor_field", _cursor(cursor))):
        for each in (node.items or [node]) if node else ():
            got = each.value
            if isinstance(got, str) and got and got not in properties.members and not is_interpolated(got):
                message = (
                    f"`{what}` {got} of the stream {name} is not in its schema{did_you_mean(got, properties.members)}"
                )
                details = {"want": tuple(properties.members), "nearest": nearest(got, properties.members)}
                yield finding("unknown-key-field", each.at, message, severity=Severity.WARNING, got=got, **details)


def _cursor(cursor: Node | None) -> Node | None:
    return _field(cursor, "cursor_field") if cursor is not None else None


def _field(node: Node, name: str) -> Node | None:
    """Return a field of a component, or what its own parameters say in its place."""
    members = node.members or {}
    own = members.get("$parameters")
    return members.get(name) or ((own.members or {}).get(name) if own else None)


def added_to_config(spec: Node | None, components: Iterable[tuple[str, Node]]) -> Iterator[tuple[str, ...]]:
    """Yield the ways to values of the config that no user gives: what OAuth returns, and what rules add."""
    for kind, node in components:
        for name, member in (node.members or {}).items():
            if name.endswith("_config_path") or (kind == "ConfigAddFields" and name == "fields"):
                yield from _paths(member)
    waiting = [spec] if spec else []
    while waiting:
        node = waiting.pop()
        for name, member in (node.members or {}).items():
            if name == "path_in_connector_config":
                yield from _paths(member)
            else:
                waiting.append(member)
        waiting.extend(node.items or ())


def _paths(node: Node) -> Iterator[tuple[str, ...]]:
    """Yield a list of names as one way, and the `path` of each object in a list."""
    items = node.items or ()
    if items and all(isinstance(item.value, str) for item in items):
        yield tuple(item.value for item in items)
    for item in items:
        path = (item.members or {}).get("path")
        if path is not None:
            yield from _paths(path)


def _cut(text: str) -> str:
    return text if len(text) <= 160 else text[:160] + "…"  # noqa: PLR2004 -- a line
