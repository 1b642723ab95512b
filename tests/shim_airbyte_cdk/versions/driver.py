"""Runs in the environment of a version: each sample through the source's own entrypoint, and through our shim.

    python driver.py results.json sample ...

`results.json` then holds for each sample what the entrypoint printed, what the shim captured, and what it captured
when it was resumed from the state of each of its checkpoints.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from python.protocol import capture as wire
from python.protocol.errors import ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec
from python.protocol.patch import apply_state
from python.shim_airbyte_cdk import CaptureShim, sealing

Raw = msgspec.Raw
CSV = {
    "name": "rows",
    "format": {"filetype": "csv"},
    "file_type": "csv",
    "globs": ["*.csv"],
    "validation_policy": "Emit Record",
}
ODD_TABLE = {
    **CSV,
    "name": "table",
    "globs": ["*.table"],
    "input_schema": '{"id":"integer","price":"number","of":"object"}',
}
ODD_LINES = {**CSV, "name": "lines", "globs": ["*.lines"], "format": {"filetype": "jsonl"}, "file_type": "jsonl"}
FILES = {"files_odd": [ODD_TABLE, ODD_LINES], "file_based": [CSV], "files_refreshed": [CSV]}
TURNS_MAX = 40
FULL_REFRESH = ("files_refreshed",)  # others are read incrementally where their streams can be; this one is concurrent


def printed(make: Callable[[Any, Any, Any], Any], *arguments: str) -> tuple[list[str], str]:
    """Return the lines that `launch` prints on file descriptor 1, and why it raised."""
    entrypoint = importlib.import_module("airbyte_cdk.entrypoint")
    base = importlib.import_module("airbyte_cdk.sources.source").Source
    options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    config = json.loads(Path(options["--config"]).read_text())
    catalog = base.read_catalog(options["--catalog"]) if "--catalog" in options else None
    os.environ["REQUEST_CACHE_PATH"] = str(Path(options["--config"]).parent)
    failure = ""
    sys.stdout.flush()
    real = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            entrypoint.launch(make(catalog, config, []), list(arguments))
        except Exception as error:  # noqa: BLE001 -- whatever it raises is a result
            failure = f"{type(error).__name__}: {error}"
        finally:
            sys.stdout.flush()
            os.dup2(real, 1)
        file.seek(0)
        lines = file.read().decode().split("\n")  # and not at what else ends a line for Python
    return lines, failure


def theirs(make: Callable[[Any, Any, Any], Any], config: dict[str, Any], *, refresh: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        config_file, catalog_file = Path(folder, "config.json"), Path(folder, "catalog.json")
        config_file.write_text(json.dumps(config))
        found, failure = printed(make, "discover", "--config", str(config_file))
        catalogs = [json.loads(line)["catalog"] for line in found if '"CATALOG"' in line]
        if not catalogs:
            return {"failure": failure}
        configured = [
            {
                "stream": stream,
                "sync_mode": stream["supported_sync_modes"][0 if refresh else -1],
                "destination_sync_mode": "append",
            }
            for stream in catalogs[0]["streams"]
        ]
        catalog_file.write_text(json.dumps({"streams": configured}))
        lines, failure = printed(make, "read", "--config", str(config_file), "--catalog", str(catalog_file))
    return {"records": [line for line in lines if '"RECORD"' in line], "failure": failure}


def refreshed(found: wire.DiscoveredBinding) -> wire.DiscoveredBinding:
    resource = {**msgspec.json.decode(found.resource_config), "syncMode": "full_refresh"}
    return msgspec.structs.replace(found, resource_config=Raw(msgspec.json.encode(resource)))


class Ours:
    """Sessions of the shim with one sample."""

    def __init__(self, delegate: Any, config: dict[str, Any], *, refresh: bool) -> None:
        self._delegate = delegate
        self._config = Raw(json.dumps(config).encode())
        (discovered,) = CaptureShim(delegate=delegate).answer(wire.Discover(config=self._config))
        self.bindings = discovered.bindings  # type: ignore[attr-defined]  # it is Discovered
        if refresh:
            self.bindings = tuple(map(refreshed, self.bindings))
        asked = tuple(wire.ValidateBinding(resource_config=found.resource_config) for found in self.bindings)
        list(CaptureShim(delegate=delegate).answer(wire.Validate(config=self._config, bindings=asked)))

    def sync(self, stored: Any) -> dict[str, Any]:
        """Return the documents by stream and the states after each checkpoint, with how many documents it follows."""
        documents: list[Any] = []
        states: list[Any] = []
        failure = ""
        try:
            for response in CaptureShim(delegate=self._delegate).answer(self._open(stored)):
                if isinstance(response, wire.Captured):
                    path = self.bindings[response.binding].resource_path
                    documents.append([path[-1], bytes(response.doc).decode()])  # type: ignore[arg-type]  # it is Raw
                elif isinstance(response, wire.Checkpoint):
                    stored = apply_state(stored, response.state) if response.state else stored
                    states.append([len(documents), json.loads(msgspec.json.encode(stored))])
        except ConnectorError as error:
            failure = str(error)
        return {"documents": documents, "states": states, "failure": failure}

    def _open(self, stored: Any) -> wire.Open:
        bindings = tuple(
            CaptureBinding(
                resource_config=found.resource_config,
                resource_path=found.resource_path,
                state_key="%2F".join(found.resource_path),
                collection=CollectionSpec(name="acmeCo/x", key=found.key, write_schema=found.document_schema),
            )
            for found in self.bindings
        )
        spec = CaptureSpec(name="acmeCo/sample", config=self._config, bindings=bindings)
        return wire.Open(capture=spec, state=Raw(json.dumps(stored).encode()))


def ran(name: str, url: str) -> dict[str, Any]:
    factories = importlib.import_module("tests.shim_airbyte_cdk.versions.factories").FACTORIES
    instances = importlib.import_module("tests.shim_airbyte_cdk.versions.samples").INSTANCES
    config: dict[str, Any] = {"streams": FILES[name]} if name in FILES else {"url": url}
    refresh = name in FULL_REFRESH
    if name in factories:
        make, ours = factories[name], Ours(factories[name], config, refresh=refresh)
    else:
        make, ours = (lambda *_: instances[name]()), Ours(instances[name](), config, refresh=refresh)
    published: list[Any] = []
    sealing.publish = lambda config, *_: published.append(config)
    whole = ours.sync({})
    resumed = [ours.sync(state) for _, state in whole["states"][:TURNS_MAX]]
    return {
        "theirs": theirs(make, config, refresh=refresh),
        "ours": whole,
        "resumed": resumed,
        "published": published[:1],
    }


def tried(name: str, url: str) -> dict[str, Any]:
    try:
        return ran(name, url)
    except Exception:  # noqa: BLE001 -- the tests of this sample fail, with this for their reason
        return {"crash": traceback.format_exc()}


if __name__ == "__main__":
    from tests.shim_airbyte_cdk.versions.server import serving

    results: dict[str, Any] = {}
    with serving() as address:
        for sample in sys.argv[2:]:
            results[sample] = tried(sample, address)
    Path(sys.argv[1]).write_text(json.dumps(results))
