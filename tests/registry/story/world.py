"""What the story of a registry is told with: folders of connectors, what readers see, and a bucket's bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from python.registry.generation.applying import Published, generate
from python.registry.generation.checking import checked_entry
from python.registry.generation.snapshots import FIXED, PUBLISHED, current, manifest_of, read, snapshot_ids
from python.registry.service.packaging import Sources
from python.registry.service.uploading import Outcome, Rules, upload
from python.registry.store import NotFoundError, Store
from tests.registry.generation.buckets import metadata

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)
TEXT = {"type": "string"}
ICON = "<svg xmlns='http://www.w3.org/2000/svg'/>"
ROLLED_OUT = {"rolloutConfiguration": {"enableProgressiveRollout": True}}


def clock() -> dt.datetime:
    return NOW


def connector(folder: Path, name: str, version: str, **members: Any) -> Path:
    """A connector's folder, as people write it; `key` is the schema of a property of its config."""
    folder.mkdir(parents=True, exist_ok=True)
    properties = {"token": {"type": "string", "airbyte_secret": True}, "key": members.pop("key", TEXT)}
    spec = {"connectionSpecification": {"type": "object", "properties": properties, "additionalProperties": True}}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata(name, version, **members)))
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "icon.svg").write_text(ICON)
    (folder / "README.md").write_text(f"# {name}\n")
    return folder


def uploaded(store: Store, folder: Path) -> Outcome:
    return upload(store, Sources(metadata=folder), Rules(), clock).outcome


def generated(store: Store) -> Published:
    return generate(store, clock)


class View(msgspec.Struct, frozen=True):
    """What a reader sees: a snapshot, and each connector's version by registry."""

    snapshot: str
    versions: Mapping[str, Mapping[str, str]]


def seen(store: Store) -> View | None:
    """What a reader of the pointer sees, after all of it was looked at; None where nothing was ever published.

    Every file is what its manifest says, every entry is one, and oss, cloud and composite are of one moment.
    """
    now = current(store)
    if now is None:
        return None
    files = {name: read(store, now.manifest, name) for name in now.manifest.files}
    by_registry = {name: _entries(files[f"{name}_registry.json"]) for name in ("oss", "cloud", "composite")}
    composite = by_registry.pop("composite")
    assert {name: len(entries) for name, entries in by_registry.items()} == now.manifest.counts
    assert composite.keys() == by_registry["oss"].keys() | by_registry["cloud"].keys()
    for name, entry in composite.items():
        there = [registry for registry in ("cloud", "oss") if name in by_registry[registry]]
        of_one = by_registry["oss" if "oss" in there else "cloud"][name]
        assert entry == {**of_one, "availability": there}
    versions = {
        registry: {name: str(entry["dockerImageTag"]) for name, entry in entries.items()}
        for registry, entries in by_registry.items()
    }
    return View(now.pointer.snapshot, versions)


def _entries(data: bytes) -> dict[str, dict[str, Any]]:
    told: dict[str, list[msgspec.Raw]] = msgspec.json.decode(data, type=dict[str, list[msgspec.Raw]])
    found = {}
    for raw in told["sources"]:
        checked_entry(raw, "source")
        entry = msgspec.json.decode(raw)
        found[entry["dockerRepository"].removeprefix("airbyte/source-")] = entry
    assert len(found) == len(told["sources"])
    return found


def check_copies(store: Store) -> None:
    """Each file at the fixed paths is, byte for byte, that of some snapshot: never half of one."""
    copies = {name: _sum(store, f"{FIXED}/{name}") for name in PUBLISHED}
    manifests = [manifest_of(store, snapshot) for snapshot in snapshot_ids(store)]
    for name, digest in copies.items():
        assert digest in {None, *(each.files[name].sha256 for each in manifests)}, name


def _sum(store: Store, path: str) -> str | None:
    try:
        return hashlib.sha256(store.get(path).data).hexdigest()
    except NotFoundError:
        return None


def lasting(store: Store) -> Mapping[str, bytes]:
    """The bytes of a bucket that do not depend on when they were written: versions, entries, files of registries."""
    paths = [each.path for each in store.list("metadata/")]
    paths += [f"{FIXED}/{name}" for name in PUBLISHED]
    return {path: _timeless(store.get(path).data) for path in paths}


def _timeless(data: bytes) -> bytes:
    return re.sub(rb'"metadata_last_modified":"[^"]*"', b'"metadata_last_modified":""', data)
