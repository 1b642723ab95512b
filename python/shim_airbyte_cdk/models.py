"""The one place that touches airbyte-cdk. Everything else sees the Airbyte protocol's JSON as plain values.

airbyte-cdk is imported by the functions here, never by importing this module: its import installs log handlers that
write to stdout, so the shell must own file descriptor 1 before.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import importlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, cast

from python.protocol import document
from python.shell import logs
from python.shim_airbyte_cdk.generations import stopping
from python.shim_airbyte_cdk.generations.values import Json, mapping, mapping_of, plain
from python.shim_airbyte_cdk.withholding import withholding

__all__ = [
    "Delegate",
    "Json",
    "Message",
    "Record",
    "Source",
    "check",
    "check_delegate",
    "discover",
    "kind_of",
    "mapping",
    "mapping_of",
    "plain",
    "read",
    "reason",
    "source_for",
    "spec_of",
]

_logger = logging.getLogger("airbyte")


class Record(Protocol):
    """A record of a stream, as the source made it; `data` belongs to the source and must not be changed."""

    stream: str
    namespace: str | None
    data: Json


class Message(Protocol):
    """An Airbyte message; `record` is set in messages of the kind RECORD, and in no other."""

    type: object
    record: Record | None


class Source(Protocol):
    """What every generation of `airbyte_cdk.sources.source.Source` offers."""

    def spec(self, logger: logging.Logger) -> object:
        """Return the ConnectorSpecification."""

    def configure(self, config: Json, temp_dir: str) -> Json:
        """Return the config, migrated by sources that do so."""

    def check(self, logger: logging.Logger, config: Json) -> object:
        """Return the AirbyteConnectionStatus."""

    def discover(self, logger: logging.Logger, config: Json) -> object:
        """Return the AirbyteCatalog."""

    def read(self, logger: logging.Logger, config: Json, catalog: object, state: object) -> Iterable[Message]:
        """Yield the messages of one sync."""


class _Reader(Protocol):
    def read_catalog(self, path: str) -> object: ...

    def read_state(self, path: str) -> object: ...


Delegate = object
"""A source, or a factory `(catalog, config, state) -> Source`; its type belongs to a CDK that we do not import."""

_CONSTRUCTED_WITH_STATE = "ConcurrentDeclarativeSource"
_CACHE = "REQUEST_CACHE_PATH"
"""Where HttpStreams cache: the CDK's entrypoint sets it, and without it a cache grows in memory."""


def check_delegate(delegate: Delegate) -> None:
    """Raise TypeError where `delegate` is an instance that would ignore the state it is asked to read from."""
    if _is_source(delegate) and any(cls.__name__ == _CONSTRUCTED_WITH_STATE for cls in type(delegate).__mro__):
        raise TypeError(
            f"{type(delegate).__name__} takes its catalog, config and state in the constructor, and ignores those of "
            "`read`; pass CaptureShim a factory: delegate=lambda catalog, config, state: YourSource(catalog, config, "
            "state)"
        )


def source_for(delegate: Delegate, config: Json | None, catalog: object = None, state: object = None) -> Source:
    """Return the source that serves one request: a fresh one where `delegate` is a factory.

    The process's logs go where they went before, at the level they had: an import of airbyte-cdk diverts them.
    """
    if _is_source(delegate):
        source = cast("Source", delegate)  # _is_source has looked for what we call
    else:
        source = cast("Callable[..., Source]", delegate)(catalog, copy.deepcopy(config), state)  # else it is a factory
    logs.reclaim()
    _logger.setLevel(logging.NOTSET)
    return source


def _is_source(delegate: Delegate) -> bool:
    return not isinstance(delegate, type) and hasattr(delegate, "read") and hasattr(delegate, "discover")


def spec_of(delegate: Delegate) -> Json:
    """Return the source's ConnectorSpecification. Asks nothing of the network."""
    return mapping_of(source_for(delegate, None).spec(_logger))


def check(delegate: Delegate, config: Json, tell: Callable[[Message], None]) -> str:
    """Return why the source cannot be reached with `config`, or an empty text.

    `tell` is given the messages that the source has queued meanwhile, such as a changed config.
    """
    with _folder() as folder, _drained(source_for(delegate, config), tell) as source:
        status = mapping_of(source.check(_logger, source.configure(copy.deepcopy(config), folder)))
    message = str(status.get("message") or "the source gives no reason")
    return "" if status.get("status") == "SUCCEEDED" else _unquoted(message)


def discover(delegate: Delegate, config: Json, tell: Callable[[Message], None]) -> list[Json]:
    """Return the streams of the source's catalog, as AirbyteStream objects. Of `tell`, see `check`."""
    with _folder() as folder, _drained(source_for(delegate, config), tell) as source:
        catalog = mapping_of(source.discover(_logger, source.configure(copy.deepcopy(config), folder)))
    streams = catalog.get("streams")
    return [stream for stream in streams if isinstance(stream, dict)] if isinstance(streams, list) else []


@contextlib.contextmanager
def _drained(source: Source, tell: Callable[[Message], None]) -> Iterator[Source]:
    """Whatever happens within, `tell` is given the messages that `source` has queued then."""
    try:
        with withholding():
            yield source
    finally:
        for message in _queued(source):
            tell(message)


def _unquoted(text: str) -> str:
    """Return what the CDK has quoted, as it does with every reason that a source gives for a failed check."""
    if text[:1] not in ("'", '"') or text[-1:] != text[:1]:
        return text
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text


def read(delegate: Delegate, config: Json, catalog: Json, states: list[Json]) -> Iterator[Message]:
    """Yield the messages of one sync of `catalog` (a ConfiguredAirbyteCatalog), resumed from `states`.

    `states` are AirbyteStateMessages; those that are left over in the source's message repository come last.
    """
    with _folder() as folder:
        once = functools.partial(_read_once, delegate, config, states, folder)
        messages = stopping.read_on(catalog, once) if stopping.stops_at_failures() else once(catalog)
        yield from cast("Iterator[Message]", messages)  # they are the source's, and ours that are shaped like them


def _read_once(delegate: Delegate, config: Json, states: list[Json], folder: str, catalog: Json) -> Iterator[Message]:
    base = importlib.import_module("airbyte_cdk.sources.source").Source
    source = source_for(delegate, config, *_loaded(base, catalog, states, folder))
    # A source may have its own ways to read both, such as one that brings older states up to date.
    reader = cast("_Reader", source) if hasattr(source, "read_state") else base  # hasattr has looked
    configured, resumed = _loaded(reader, catalog, states, folder)
    try:
        with withholding():
            yield from source.read(_logger, source.configure(copy.deepcopy(config), folder), configured, resumed)
    except Exception:
        yield from _queued(source)
        raise
    yield from _queued(source)


def _loaded(reader: _Reader, catalog: Json, states: list[Json], folder: str) -> tuple[object, object]:
    """Return catalog and states as this generation's `read` wants them: models, and where it says so, a plain object.

    Files are the one way to give them that has been the same in every generation.
    """
    stored: object = [state for state in states if state.get("data") != {}]
    if hasattr(reader, "_emit_legacy_state_format") and [state.get("type") for state in states] == ["LEGACY"]:
        stored = states[0].get("data")  # sources that define `read` themselves take it so, and others a list
    with tempfile.TemporaryDirectory(dir=folder) as private:
        catalog_file, state_file = Path(private, "catalog.json"), Path(private, "state.json")
        catalog_file.write_bytes(document.encode(catalog))
        state_file.write_bytes(document.encode(stored))
        return reader.read_catalog(str(catalog_file)), reader.read_state(str(state_file))


def _queued(source: Source) -> Iterator[Message]:
    repository = getattr(source, "message_repository", None)
    if repository is not None:
        yield from repository.consume_queue()


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """Within, there is a folder for one request: sources write configs into it, and caches of what they were sent."""
    before = os.environ.get(_CACHE)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ[_CACHE] = folder
        try:
            yield folder
        finally:
            os.environ.pop(_CACHE)
            if before is not None:
                os.environ[_CACHE] = before


def reason(error: BaseException) -> str:
    """Return what an exception of a source says to a user: one sentence, never empty."""
    text = getattr(error, "message", None) or str(error)
    return text if hasattr(error, "failure_type") else f"{type(error).__name__}: {text}"


def kind_of(message: Message) -> str:
    """Return the message's type as the Airbyte protocol spells it, such as STATE."""
    return str(plain(message.type))
