"""The corpus: cases in YAML files, each a change to a harmless manifest and the error that it must get."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CANARY = "c4n4ry-9f3a77-s3cret"
"""The secret of every case: it is in the config, and the manifest sends it."""

FOLDER = Path(__file__).parent


class Case(NamedTuple):
    """`sets` puts values at pointers of the manifest; `wanted` is what has to come of it."""

    name: str
    file: str
    told: Mapping[str, Any]
    wanted: Mapping[str, Any]

    def fields(self, url: str) -> dict[str, Any]:
        """The fields of a job: manifest, config, stream, state and limits."""
        told = json.loads(json.dumps(self.told).replace("URL", url))
        manifest = harmless(url)
        for pointer, value in told.get("set", {}).items():
            put(manifest, pointer, value)
        return {
            "manifest": manifest,
            "config": {"api_key": CANARY, **told.get("config", {})},
            "stream": told.get("stream", "items"),
            "state": told.get("state", []),
        }


def cases(folder: str) -> list[Case]:
    """All cases in the files of a folder."""
    found = []
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        for name, told in yaml.safe_load(path.read_text("utf-8")).items():
            found.append(Case(f"{path.stem}: {name}", path.stem, told, told["wanted"]))
    return found


def harmless(url: str) -> dict[str, Any]:
    """A manifest that reads `/good`, with a secret in its header."""
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": "items",
                "retriever": {
                    "type": "SimpleRetriever",
                    "requester": {
                        "type": "HttpRequester",
                        "url_base": url,
                        "path": "/good",
                        "http_method": "GET",
                        "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['api_key'] }}"},
                    },
                    "record_selector": {
                        "type": "RecordSelector",
                        "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
                    },
                },
                "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
            }
        ],
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
            },
        },
    }


def put(value: Any, pointer: str, new: Any) -> None:
    """Put `new` at a JSON pointer of `value`; a shorter form is `$r` for the retriever of the first stream."""
    path = pointer.replace("$r", "/streams/0/retriever").replace("$s", "/streams/0").strip("/").split("/")
    for name in path[:-1]:
        value = value[int(name)] if isinstance(value, list) else value.setdefault(name, {})
    if isinstance(value, list):
        value[int(path[-1])] = copy.deepcopy(new)
    else:
        value[path[-1]] = copy.deepcopy(new)
