"""Ten ways for a connector to be broken in a bucket, as a foreign tool would leave it, behind the service's back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from python.registry.generation.checking import METADATA_BYTES_MAX
from python.registry.store import Store
from tests.registry.generation.buckets import metadata, spec

OTHERS_ID = metadata("c000", "1.0.0")["data"]["definitionId"]
LETTERS = "abcdefghi"
BOMB = "a: &a [x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in itertools.pairwise(LETTERS)
)


def _file(name: str, **members: Any) -> bytes:
    return yaml.safe_dump(metadata(name, "1.0.0", **members)).encode()


def _other_text(change: Callable[[bytes], bytes]) -> Callable[[str], Mapping[str, bytes]]:
    return lambda name: {"metadata.yaml": change(_file(name)), "spec.json": json.dumps(spec()).encode()}


def _members(**members: Any) -> Callable[[str], Mapping[str, bytes]]:
    return lambda name: {"metadata.yaml": _file(name, **members), "spec.json": json.dumps(spec()).encode()}


WAYS: Mapping[str, tuple[Callable[[str], Mapping[str, bytes]], str]] = {
    "yaml": (_other_text(lambda text: text + b"\n: [}"), "cannot be read"),
    "bytes": (_other_text(lambda text: text.replace(b"language", b"l\xff\xfe")), "cannot be read"),
    "bomb": (_other_text(lambda text: text + BOMB.encode()), "cannot be read"),
    "size": (_other_text(lambda text: text + b"#" * METADATA_BYTES_MAX), "bytes: want"),
    "type": (_members(connectorType="pump"), "/data/connectorType"),
    "missing": (_members(definitionId=None), "/data/definitionId"),
    "identity": (_members(definitionId=OTHERS_ID), "is that of airbyte/source-c000"),
    "name": (_members(dockerRepository="airbyte/source-of-somebody"), "has a folder of its own"),
    "half": (lambda name: {"metadata.yaml": _file(name), "spec.json": b'{"connectionSpecif'}, "is no spec"),
    "lacking": (lambda name: {"metadata.yaml": _file(name)}, "there is no spec"),
}
"""By name: the files of a broken connector, by what it is called, and what its quarantine says."""


def put_broken(store: Store) -> dict[str, str]:
    """One connector for each way is in the bucket; return what is to be told of each, by repository."""
    for way, (files, _) in WAYS.items():
        for name, data in files(f"with-broken-{way}").items():
            store.put(f"metadata/airbyte/source-with-broken-{way}/1.0.0/{name}", data)
    return {f"airbyte/source-with-broken-{way}": told for way, (_, told) in WAYS.items()}
