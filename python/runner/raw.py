"""`headwater raw`: single questions to a connector, answered as flowctl answers them (protocol reference, 10.2)."""

from __future__ import annotations

import contextlib
import pathlib
import sys
from collections.abc import Iterator, Sequence

import msgspec

from python.protocol import capture as wire
from python.protocol.codec import CAPTURE_RESPONSES
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.runner import discovery, drive, engines, task_logs, tasks
from python.runner.catalog import CaptureTask
from python.runner.loading import load_catalog
from python.runner.stop import until_signal
from python.shell.child import ChildError
from python.shell.outlet import Outlet

__all__ = ["discover", "spec"]


def spec(source: str, name: str | None, network: str) -> str:
    """Return the connector's answer to `spec`, its members alone, as one line of JSON."""
    capture = load_catalog(pathlib.Path(source)).capture(name)
    with _launched(capture, network) as launch:
        request = wire.Spec(connector_type=launch.connector_type, config=tasks.discover_request(capture).config)
        answer = drive.ask(launch, request, wire.SpecResponse)
    return _members(CAPTURE_RESPONSES.encode(answer))


def discover(source: str, name: str | None, network: str, *, emit_raw: bool) -> Iterator[str]:
    """Yield what to print: each discovered binding as a line of JSON, or what was written into the spec."""
    loaded = load_catalog(pathlib.Path(source))
    capture = loaded.capture(name)
    pointers: Sequence[str] = ()
    with _launched(capture, network) as launch:
        answer = drive.ask(launch, tasks.discover_request(capture), wire.Discovered)
        if not emit_raw:
            asked = wire.Spec(connector_type=launch.connector_type)
            pointers = drive.ask(launch, asked, wire.SpecResponse).resource_path_pointers
    if emit_raw:
        for binding in answer.bindings:
            yield msgspec.json.encode(binding).decode()
        return
    yield from discovery.write(loaded, capture, answer, pointers)


@contextlib.contextmanager
def _launched(capture: CaptureTask, network: str) -> Iterator[drive.Launch]:
    """How to start the connector; a signal ends it, and then us, with a sentence."""
    with until_signal() as stop:
        on_log = task_logs.writer(Outlet(sys.stderr, stop.ask), capture, as_json=False)
        try:
            yield msgspec.structs.replace(engines.launch(capture, on_log, network), stop=stop)
        except (ChildError, RemoteProtocolError):
            if stop.asked:
                raise HeadwaterError(f"{capture.name}: stopped before the connector had answered") from None
            raise


def _members(line: bytes) -> str:
    """Return the value of a message's one member."""
    return bytes(next(iter(msgspec.json.decode(line, type=dict[str, msgspec.Raw]).values()))).decode()
