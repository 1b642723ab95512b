"""Buckets for tests of generation: connectors with metadata and spec, put there as any tool would."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import yaml

from python.registry.generation.applying import Published, generate
from python.registry.generation.plans import Options
from python.registry.generation.snapshots import current, read
from python.registry.store import Store

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)
BOTH = {"oss": {"enabled": True}, "cloud": {"enabled": True}}


def metadata(name: str, version: str, **members: Any) -> dict[str, Any]:
    """A valid metadata.yaml's content; members given as None are left out."""
    data = {
        "name": name.title(),
        "definitionId": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "connectorType": "source",
        "connectorSubtype": "api",
        "dockerRepository": f"airbyte/source-{name}",
        "dockerImageTag": version,
        "documentationUrl": f"https://docs.example.com/{name}",
        "githubIssueLabel": f"source-{name}",
        "license": "MIT",
        "releaseStage": "beta",
        "tags": ["language:python"],
        "registryOverrides": BOTH,
        **members,
    }
    return {"metadataSpecVersion": "1.0", "data": {key: value for key, value in data.items() if value is not None}}


def spec(**properties: Any) -> dict[str, Any]:
    """A connector's spec."""
    token = {"type": "string", "airbyte_secret": True}
    return {"connectionSpecification": {"type": "object", "properties": {"token": token, **properties}}}


def put(store: Store, name: str, version: str = "1.0.0", specification: Any = None, **members: Any) -> str:
    """A version is in the bucket; return the path of its metadata."""
    folder = f"metadata/airbyte/source-{name}/{version}"
    store.put(f"{folder}/spec.json", json.dumps(spec() if specification is None else specification).encode())
    path = f"{folder}/metadata.yaml"
    store.put(path, yaml.safe_dump(metadata(name, version, **members)).encode())
    return path


def generated(store: Store, **options: Any) -> Published:
    return generate(store, lambda: NOW, Options(**options))


def sources(store: Store, registry: str = "oss") -> dict[str, dict[str, Any]]:
    """The sources at a registry's fixed path, by repository."""
    told = json.loads(store.get(f"registries/v0/{registry}_registry.json").data)
    return {each["dockerRepository"].removeprefix("airbyte/source-"): each for each in told["sources"]}


def versions(store: Store, registry: str = "oss") -> dict[str, str]:
    return {name: each["dockerImageTag"] for name, each in sources(store, registry).items()}


def whole(store: Store) -> str:
    """The snapshot that readers see, after each of its files and of the fixed ones was held against its manifest."""
    seen = current(store)
    assert seen is not None
    for name in seen.manifest.files:
        read(store, seen.manifest, name)
    for registry in ("oss", "cloud"):
        versions(store, registry)
    return seen.pointer.snapshot
