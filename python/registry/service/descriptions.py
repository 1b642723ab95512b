"""What a version says of itself, as the classifier of `python.importing` compares it: its spec and its catalog.

Two protocols are understood. `spec.json` always has `connectionSpecification`, which is what Airbyte's registry wants;
that of a connector of Flow's has the rest of its answer to `spec` beside it. `catalog.json` has Airbyte's `streams`, or
`bindings`, what Flow's `discover` answered, by the name of a config.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from python.importing.snapshots import Run, Snapshot
from python.protocol import pointer
from python.protocol.errors import HeadwaterError

__all__ = ["DescriptionError", "of_flow", "snapshot"]

_Json: TypeAlias = Any
_Files: TypeAlias = Mapping[str, bytes]


class DescriptionError(HeadwaterError):
    """A spec.json or catalog.json cannot be understood. Whoever made it must act."""


def of_flow(described: Snapshot) -> dict[str, bytes]:
    """Return the files that tell what a connector of Flow's has said: spec.json and catalog.json, each if known."""
    files = {}
    if described.spec is not None:
        spec = dict(described.spec)
        files["spec.json"] = _encoded({"connectionSpecification": spec.pop("configSchema", {}), **spec})
    bindings = {name: run.bindings for name, run in described.runs.items() if run.bindings is not None}
    if bindings:
        files["catalog.json"] = _encoded({"bindings": bindings})
    return files


def snapshot(name: str, version: str, files: _Files) -> Snapshot:
    """Return what `files`, spec.json and catalog.json, each if known, say of the version. Raises DescriptionError."""
    spec, catalog = (_object(name, each, files) for each in ("spec.json", "catalog.json"))
    if spec is not None and not isinstance(spec.get("connectionSpecification"), dict):
        raise DescriptionError(f"{name}: spec.json: want an object with connectionSpecification, a JSON Schema")
    return Snapshot(
        name=name,
        version=version,
        spec=None if spec is None else _flows_spec(spec),
        runs={} if catalog is None else _runs(name, catalog),
    )


def _encoded(value: _Json) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _object(name: str, file: str, files: _Files) -> dict[str, _Json] | None:
    if file not in files:
        return None
    try:
        return msgspec.json.decode(files[file], type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DescriptionError(f"{name}: {file}: {error}; want an object of JSON") from None


def _flows_spec(spec: Mapping[str, _Json]) -> dict[str, _Json]:
    found = {name: value for name, value in spec.items() if name != "connectionSpecification"}
    return {"resourceConfigSchema": {}, **found, "configSchema": spec.get("connectionSpecification", {})}


def _runs(name: str, catalog: Mapping[str, _Json]) -> dict[str, Run]:
    try:
        if "streams" in catalog:
            return {"": Run(bindings=tuple(_bindings(catalog["streams"])))}
        return {run: Run(bindings=tuple(each)) for run, each in catalog["bindings"].items()}
    except (KeyError, TypeError, AttributeError):
        raise DescriptionError(f"{name}: catalog.json: want Airbyte's streams, or bindings by config") from None


def _bindings(streams: list[_Json]) -> Iterator[dict[str, _Json]]:
    """Yield Airbyte's streams as bindings: a key is a list of pointers.

    Each sync mode is one more, of no documents: it is something that users choose, and miss when it goes.
    """
    for stream in streams:
        key = stream.get("source_defined_primary_key") or []
        path = [part for part in (stream.get("namespace"), stream["name"]) if part]
        yield {
            "recommendedName": "/".join(path),
            "resourceConfig": {"stream": stream["name"], "namespace": stream.get("namespace")},
            "resourcePath": path,
            "documentSchema": stream.get("json_schema", {}),
            "key": [pointer.join(part) for part in key],
        }
        for mode in stream.get("supported_sync_modes", ()):
            yield {
                "recommendedName": f"{'/'.join(path)}, sync mode {mode}",
                "resourceConfig": {"stream": stream["name"], "syncMode": mode},
                "resourcePath": [*path, mode],
                "documentSchema": {},
                "key": [],
            }
