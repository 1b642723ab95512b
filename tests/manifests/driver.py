"""Runs in the environment of a version of airbyte-cdk: manifests through our capture, and through the CDK's entrypoint.

    python driver.py results.json {"name": {"folder": …, "config": …}, …}

`results.json` then holds for each manifest what it was refused with, or the records that the capture (`ours`) and the
entrypoint (`theirs`) gave, by stream.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from python.protocol import capture as wire
from python.protocol.errors import ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec
from python.shim_airbyte_cdk.manifest import manifest_capture
from python.shim_airbyte_cdk.manifest_files import manifest_at

DECLARATIVE = "airbyte_cdk.sources.declarative"
Records = dict[str, list[Any]]


def discovered(folder: Path, config: dict[str, Any]) -> tuple[wire.DiscoveredBinding, ...]:
    (found,) = manifest_capture(folder).answer(wire.Discover(config=msgspec.Raw(json.dumps(config).encode())))
    assert isinstance(found, wire.Discovered)
    return found.bindings


def ours(folder: Path, config: dict[str, Any], found: tuple[wire.DiscoveredBinding, ...]) -> Records:
    bindings = tuple(
        CaptureBinding(
            resource_config=each.resource_config,
            resource_path=each.resource_path,
            state_key=each.recommended_name,
            collection=CollectionSpec(name="acmeCo/x", key=each.key, write_schema=each.document_schema),
        )
        for each in found
    )
    capture = CaptureSpec(name="acmeCo/x", config=msgspec.Raw(json.dumps(config).encode()), bindings=bindings)
    records: Records = {}
    for response in manifest_capture(folder).answer(wire.Open(capture=capture, state=msgspec.Raw(b"{}"))):
        if isinstance(response, wire.Captured):
            assert isinstance(response.doc, msgspec.Raw)
            records.setdefault(found[response.binding].resource_path[-1], []).append(json.loads(bytes(response.doc)))
    return records


def source(content: Any, catalog: Any, config: dict[str, Any]) -> Any:
    """The CDK's own source, made as its documentation says for this version."""
    concurrent = importlib.util.find_spec(f"{DECLARATIVE}.concurrent_declarative_source") is not None
    name = "ConcurrentDeclarativeSource" if concurrent else "ManifestDeclarativeSource"
    module = "concurrent_declarative_source" if concurrent else "manifest_declarative_source"
    make = getattr(importlib.import_module(f"{DECLARATIVE}.{module}"), name)
    given = (
        {"catalog": catalog, "config": config, "state": []} if "catalog" in inspect.signature(make).parameters else {}
    )
    return make(source_config=content, **given)


def theirs(folder: Path, config: dict[str, Any], found: tuple[wire.DiscoveredBinding, ...]) -> Records:
    resources = [json.loads(bytes(each.resource_config)) for each in found]
    streams = [
        {
            "stream": {"name": each["stream"], "json_schema": {}, "supported_sync_modes": [each["syncMode"]]},
            "sync_mode": each["syncMode"],
            "destination_sync_mode": "append",
        }
        for each in resources
    ]
    files = {"--config": folder / "config.json", "--catalog": folder / "catalog.json"}
    files["--config"].write_text(json.dumps(config))
    files["--catalog"].write_text(json.dumps({"streams": streams}))
    output = folder / "printed"
    child = os.fork()
    if not child:
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        base = importlib.import_module("airbyte_cdk.sources.source").Source
        catalog = base.read_catalog(str(files["--catalog"]))
        arguments = ["read", *(str(part) for pair in files.items() for part in pair)]
        entrypoint = importlib.import_module("airbyte_cdk.entrypoint")
        entrypoint.launch(source(manifest_at(folder).content, catalog, config), arguments)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    records: Records = {}
    for message in map(json.loads, filter(None, output.read_text().split("\n"))):
        if message["type"] == "RECORD":
            records.setdefault(message["record"]["stream"], []).append(message["record"]["data"])
    return records


def result(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    try:
        list(manifest_capture(folder).answer(wire.Spec()))
    except ConnectorError as error:
        return {"refused": str(error)}
    found = discovered(folder, config)
    printed = theirs(folder, config, found)  # first: it is forked, before a source has started threads
    return {"ours": ours(folder, config, found), "theirs": printed}


if __name__ == "__main__":
    jobs = {name: (Path(job["folder"]), job["config"]) for name, job in json.loads(sys.argv[2]).items()}
    Path(sys.argv[1]).write_text(json.dumps({name: result(*job) for name, job in jobs.items()}))
