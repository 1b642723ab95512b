"""`headwater raw`: single questions to a connector, answered as flowctl answers them (protocol reference, 10.2)."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator

import msgspec

from python.protocol import capture as wire
from python.protocol.codec import CAPTURE_RESPONSES
from python.runner import discovery, drive, engines, task_logs, tasks
from python.runner.loading import load_catalog

__all__ = ["discover", "spec"]


def spec(source: str, name: str | None, network: str) -> str:
    """Return the connector's answer to `spec`, its members alone, as one line of JSON."""
    capture = load_catalog(pathlib.Path(source)).capture(name)
    launch = engines.launch(capture, task_logs.writer(sys.stderr, capture, as_json=False), network)
    request = wire.Spec(connector_type=launch.connector_type, config=tasks.discover_request(capture).config)
    answer = drive.ask(launch, request, wire.SpecResponse)
    return _members(CAPTURE_RESPONSES.encode(answer))


def discover(source: str, name: str | None, network: str, *, emit_raw: bool) -> Iterator[str]:
    """Yield what to print: each discovered binding as a line of JSON, or what was written into the spec."""
    loaded = load_catalog(pathlib.Path(source))
    capture = loaded.capture(name)
    launch = engines.launch(capture, task_logs.writer(sys.stderr, capture, as_json=False), network)
    answer = drive.ask(launch, tasks.discover_request(capture), wire.Discovered)
    if emit_raw:
        for binding in answer.bindings:
            yield msgspec.json.encode(binding).decode()
        return
    asked = wire.Spec(connector_type=launch.connector_type)
    pointers = drive.ask(launch, asked, wire.SpecResponse).resource_path_pointers
    yield from discovery.write(loaded, capture, answer, pointers)


def _members(line: bytes) -> str:
    """Return the value of a message's one member."""
    return bytes(next(iter(msgspec.json.decode(line, type=dict[str, msgspec.Raw]).values()))).decode()
