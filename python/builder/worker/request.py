"""From a job to what the CDK's entrypoint reads: config, catalog and state, as files that only we can read.

The keys and their meaning are those of `airbyte_cdk.connector_builder` (builder reference, section 3.1).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .kinds import Json

__all__ = ["arguments", "config_of", "forget", "messages_of"]

_FILES = ("config", "catalog", "state")
_RESERVED_PREFIX = "__"  # a caller's config must not inject code or a manifest past the checks on them
_RECORDS_MAX_OLD = 1000  # what older message groupers accept, which then stop there
_MAJOR_THAT_COUNTS_ON = 6  # from here on the CDK takes any limit, and keeps none: the cut is ours
_EMPTY_SPEC = {
    "type": "Spec",
    "connection_specification": {"type": "object", "properties": {}, "additionalProperties": True},
}
_ENVELOPE_DEPTH = 3  # message, stream or global, descriptor: below stands the stream's own state, where null may matter


def arguments(job: Mapping[str, Json], folder: str) -> list[str]:
    """Return the entrypoint's arguments, after writing the files that they name into `folder`."""
    reading = job["command"] == "test_read"
    contents = (
        config_of(job),
        _catalog(job["stream"]) if reading else None,
        messages_of(job["state"]) if reading else None,
    )
    written = ["read"]
    for name, content in zip(_FILES, contents):  # noqa: B905 -- Python 3.9 has no `strict`
        path = Path(folder, f"{name}.json")
        path.touch(mode=0o600, exist_ok=False)
        path.write_text("" if content is None else json.dumps(content))
        written += [f"--{name}", str(path)]
    return written


def forget(folder: str) -> None:
    """Remove the files again. They hold secrets, and nobody reads them once the CDK begins to read from its source."""
    for name in _FILES:
        Path(folder, f"{name}.json").unlink(missing_ok=True)


def config_of(job: Mapping[str, Json]) -> dict[str, Json]:
    """Return the user's config with what the builder's commands carry in it. The job stays as it is."""
    limits = job["limits"]
    manifest = dict(job["manifest"])
    if job["command"] in ("test_read", "check", "discover") and not manifest.get("spec"):
        manifest["spec"] = _EMPTY_SPEC
    config: dict[str, Json] = {k: v for k, v in job["config"].items() if not k.startswith(_RESERVED_PREFIX)}
    config["__command"] = job["command"]
    config["__injected_declarative_manifest"] = manifest
    config["__test_read_config"] = {
        "max_records": limits["records"]
        if job["cdk_major"] >= _MAJOR_THAT_COUNTS_ON
        else min(limits["records"], _RECORDS_MAX_OLD),
        "max_pages_per_slice": limits["pages"],
        "max_slices": limits["slices"],
        "max_streams": limits["streams"],
    }
    config["__should_migrate"] = job["migrate"]
    config["__should_normalize"] = job["normalize"]
    if job["components_py"] is not None:
        code = job["components_py"].encode()
        config["__injected_components_py"] = job["components_py"]
        config["__injected_components_py_checksums"] = {"sha256": hashlib.sha256(code).hexdigest()}
    return config


def messages_of(state: Sequence[Json]) -> list[Json]:
    """Return state as the CDK reads it, from state as the CDK shows it: `global_`, nulls, whole messages around it."""
    return [_without_nulls(_unwrapped(message), _ENVELOPE_DEPTH) for message in state]


def _without_nulls(value: Json, depth: int) -> Json:
    """Return a state message with Airbyte's names, and no null in the upper `depth` levels; states stay as they are."""
    if not isinstance(value, Mapping) or depth == 0:
        return value
    named = {"global" if key == "global_" else key: inner for key, inner in value.items() if inner is not None}
    return {k: v if k.endswith("_state") else _without_nulls(v, depth - 1) for k, v in named.items()}


def _unwrapped(message: Json) -> Json:
    wrapped = isinstance(message, Mapping) and message.get("type") == "STATE" and "state" in message
    return message["state"] if wrapped else message


def _catalog(stream: str) -> dict[str, Json]:
    return {
        "streams": [
            {
                "stream": {
                    "name": stream,
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": "incremental",
                "destination_sync_mode": "append",
            }
        ]
    }
