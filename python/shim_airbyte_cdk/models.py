"""The one place that touches airbyte-cdk. Everything else sees the Airbyte protocol's JSON as plain values.

airbyte-cdk is imported by the functions here, never by importing this module: its import installs log handlers that
write to stdout, so the shell must own file descriptor 1 before.
"""

from __future__ import annotations

import copy
import enum
import importlib
import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from python.shell import logs

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

Json = dict[str, object]

_logger = logging.getLogger("airbyte")


class Record(Protocol):
    """A record of a stream, as the source made it; `data` belongs to the source and must not be changed."""

    stream: str
    namespace: str | None
    data: Json


class Message(Protocol):
    """An Airbyte message; `record` is set in messages of the kind RECORD, and in no other."""

    type: enum.Enum
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


Delegate = object
"""A source, or a factory `(catalog, config, state) -> Source`; its type belongs to a CDK that we do not import."""

_KINDS_OF_BLOB = frozenset({"AirbyteStateBlob"})
_CONSTRUCTED_WITH_STATE = "ConcurrentDeclarativeSource"


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


def plain(value: object) -> object:
    """Return an Airbyte model as the JSON value that the Airbyte protocol has for it, without null members.

    Reads the attributes rather than a serializer: those differ between generations, refuse what they do not know,
    and orjson drops the members of a state blob that start with an underscore.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if not hasattr(value, "__dict__"):
        return value
    if type(value).__name__ in _KINDS_OF_BLOB:
        return dict(vars(value))
    return {
        name.rstrip("_"): plain(item)
        for name, item in vars(value).items()
        if item is not None and not name.startswith("_") and not callable(item)
    }


def mapping(value: object) -> Json:
    """Return `value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mapping_of(model: object) -> Json:
    """Return an Airbyte model as a JSON object, see `plain`."""
    return mapping(plain(model))


def spec_of(delegate: Delegate) -> Json:
    """Return the source's ConnectorSpecification. Asks nothing of the network."""
    return mapping_of(source_for(delegate, None).spec(_logger))


def check(delegate: Delegate, config: Json) -> str:
    """Return why the source cannot be reached with `config`, or an empty text."""
    source = source_for(delegate, config)
    status = mapping_of(source.check(_logger, _configured(source, config)))
    return "" if status.get("status") == "SUCCEEDED" else str(status.get("message") or "the source gives no reason")


def discover(delegate: Delegate, config: Json) -> list[Json]:
    """Return the streams of the source's catalog, as AirbyteStream objects."""
    source = source_for(delegate, config)
    catalog = mapping_of(source.discover(_logger, _configured(source, config)))
    streams = catalog.get("streams")
    return [stream for stream in streams if isinstance(stream, dict)] if isinstance(streams, list) else []


def read(delegate: Delegate, config: Json, catalog: Json, states: list[Json]) -> Iterator[Message]:
    """Yield the messages of one sync of `catalog` (a ConfiguredAirbyteCatalog), resumed from `states`.

    `states` are AirbyteStateMessages; those that are left over in the source's message repository come last.
    """
    cdk = importlib.import_module("airbyte_cdk.models")  # here, because importing it has side effects; see above
    configured = cdk.ConfiguredAirbyteCatalogSerializer.load(catalog)
    resumed = [cdk.AirbyteStateMessageSerializer.load(state) for state in states]
    source = source_for(delegate, config, configured, resumed)
    yield from source.read(_logger, _configured(source, config), configured, resumed)
    repository = getattr(source, "message_repository", None)
    if repository is not None:
        yield from repository.consume_queue()


def _configured(source: Source, config: Json) -> Json:
    """Return a copy of `config` that the source may keep, after the source's own migration of it."""
    with tempfile.TemporaryDirectory() as folder:
        return source.configure(copy.deepcopy(config), folder)


def reason(error: BaseException) -> str:
    """Return what an exception of a source says to a user: one sentence, never empty."""
    text = getattr(error, "message", None) or str(error)
    return text if hasattr(error, "failure_type") else f"{type(error).__name__}: {text}"


def kind_of(message: Message) -> str:
    """Return the message's type as the Airbyte protocol spells it, such as STATE."""
    return str(plain(message.type))
