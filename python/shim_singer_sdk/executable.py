"""`ExecutableShim`: any Singer tap, run as a child process, as a Flow capture."""

from __future__ import annotations

import decimal
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from python import capture
from python.capture import Captured, Checkpoint, ConfigError, ConnectorError, DiscoveredBinding
from python.protocol import document
from python.protocol.errors import DocumentError
from python.protocol.flow import OAuth2
from python.shell import logs
from python.shim_common.values import Json, mapping
from python.shim_singer_sdk import catalog
from python.shim_singer_sdk.executable_process import TapProcess, running
from python.shim_singer_sdk.reading import Reading
from python.shim_singer_sdk.states import TaskState
from python.shim_singer_sdk.tap_capture import TapCapture

__all__ = ["CatalogOption", "ExecutableShim"]

CatalogOption = Literal["--catalog", "--properties"]

_SHOWN_BYTES_MAX = 200  # enough of a line to recognise what wrote it


class ExecutableShim(TapCapture):
    """A capture that runs a Singer tap, an executable of any language, as a child process.

    `command` is the tap with its arguments, if it has some: `["tap-x"]`. It is looked for beside this Python first,
    then on PATH. Taps cannot tell what their config is: `config_schema` is its JSON Schema; without one every object is
    taken, and the tap judges. `catalog_option` is how the tap takes its catalog; old ones know `--properties` alone.

    `discover` and `validate` run the tap with `--discover`; `open` runs it once, to the end of its sync. What it writes
    to stderr is logged. A stop is passed on to it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        config_schema: Mapping[str, Any] | None = None,
        catalog_option: CatalogOption = "--catalog",
        documentation_url: str = "",
        oauth2: OAuth2 | None = None,
    ) -> None:
        if isinstance(command, str) or not command:
            raise TypeError(f'command is {command!r}, want a list of words: ["tap-x"]')
        self._command = tuple(command)
        self._catalog_option = catalog_option
        self._documentation_url = documentation_url
        self.config_schema = config_schema
        self.oauth2 = oauth2

    def discover(self, config: dict[str, Any]) -> Iterable[DiscoveredBinding]:
        """Return a binding for each of the tap's streams, in the tap's order."""
        return tuple(catalog.bindings_of(self._entries(config)))

    def validate(self, request: capture.Validate[dict[str, Any], dict[str, Any]]) -> None:
        """Return where the tap can tell its streams with this config, and has those that are bound.

        Raises ConfigError or ConnectorError where not. A tap has no other way to try its config out.
        """
        self._check_resources(request.resources)
        known = {str(entry.get("tap_stream_id") or entry.get("stream")) for entry in self._entries(request.config)}
        for index, resource in enumerate(request.resources):
            name = resource.get("tap_stream_id")
            if name not in known:
                at = f"/bindings/{index}/resource/tap_stream_id"
                raise ConfigError(at=at, got=name, want=f"one of the tap's streams: {', '.join(sorted(known))}")

    def open(
        self, request: capture.Open[dict[str, Any], dict[str, Any], dict[str, Any]]
    ) -> Iterator[Captured | Checkpoint]:
        """Read the streams of this shard's key range once, each from where its state says."""
        owned = self._owned(request)
        if not owned:
            return
        state = TaskState(request.state, owned)
        files: dict[str, object] = {"--config": request.config, self._catalog_option: catalog.catalog_of(owned)}
        if resumed := state.document():
            files["--state"] = resumed
        logs.status(f"Capture started: {len(owned)} streams")
        yield from Reading(owned, state).run(self._messages(files))

    def _entries(self, config: dict[str, Any]) -> list[Json]:
        """Return the entries of the catalog that the tap tells."""
        with running([*self._command, "--discover"], {"--config": config}) as tap:
            told = b"".join(tap.lines())
            tap.finish()
        try:
            found = mapping(document.decode(told)).get("streams")
        except DocumentError:
            found = None
        if not isinstance(found, list):
            shown = told[:_SHOWN_BYTES_MAX].decode(errors="replace")
            raise ConnectorError(f"{self._name} --discover wrote {shown!r}, want a Singer catalog")
        return [mapping(entry) for entry in found]

    def _messages(self, files: Mapping[str, object]) -> Iterator[Json]:
        """Yield what the tap says while it syncs. Raises ConnectorError where it fails, or is stopped."""
        with running(self._command, files) as tap:
            for line in tap.lines():
                message = _message_of(tap, line)
                if message is None:
                    tap.print(line)
                else:
                    yield message
            tap.finish()

    @property
    def _name(self) -> str:
        return Path(self._command[0]).name

    def _documentation(self) -> str:
        return self._documentation_url


def _message_of(tap: TapProcess, line: bytes) -> Json | None:
    """Return the message in `line` of `tap`. Where that cannot be read since the tap was ended within it, say that."""
    try:
        return _message(line)
    except ConnectorError:
        if not line.endswith(b"\n"):
            tap.finish()
        raise


def _message(line: bytes) -> Json | None:
    """Return the Singer message in `line`, numbers kept exactly; None where it is something else.

    NaN and infinity, which some taps print though JSON lacks them, are null. Raises ConnectorError for what begins as a
    message and is none: it may be a record, which must not be lost.
    """
    try:
        found = document.decode(line)
    except DocumentError as error:
        if not line.startswith(b'{"'):
            return None
        found = _with_constants(line, error)
    return found if isinstance(found, dict) and isinstance(found.get("type"), str) else None


def _with_constants(line: bytes, error: DocumentError) -> object:
    try:
        return json.loads(line, parse_float=decimal.Decimal, parse_constant=lambda _: None)
    except ValueError:
        shown = line[:_SHOWN_BYTES_MAX].decode(errors="replace")
        raise ConnectorError(f"the tap wrote a message that cannot be read: {error}; it begins {shown!r}") from None
