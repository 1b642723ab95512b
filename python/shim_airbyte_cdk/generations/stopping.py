"""Old CDKs (0.52 is one) stop a sync at the first stream that fails; newer ones go on, and so do we.

They say INCOMPLETE of the stream, and then raise what it has raised. Newer ones tell why it failed in a message of its
own, which is made up for here.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from python.shim_airbyte_cdk.generations.values import Json, mapping, mapping_of, plain

__all__ = ["Failure", "read_on", "stops_at_failures"]


class Failure(Struct, frozen=True, kw_only=True):
    """A message, shaped as the CDK's own are, that tells why a stream has failed."""

    trace: Json
    type: str = "TRACE"
    record: None = None


def stops_at_failures() -> bool:
    """Whether this CDK's sources read their streams in order, and no further than to the first that fails."""
    cdk = importlib.import_module("airbyte_cdk.sources.abstract_source")
    return not hasattr(cdk.AbstractSource, "stop_sync_on_stream_failure")


def read_on(catalog: Json, read: Callable[[Json], Iterable[object]]) -> Iterator[object]:
    """Yield the messages that `read` gives of `catalog`, and then of the streams behind each one that fails.

    A failure that is no stream's ends it: it is raised, or told where that of a stream has been told before.
    """
    configured = catalog["streams"]
    waiting = list(configured) if isinstance(configured, list) else []
    told = False
    while waiting:
        failed: object = None
        try:
            for message in read({**catalog, "streams": waiting}):
                failed = _incomplete(message)
                yield message
        except Exception as error:
            if failed is None and not told:
                raise
            told = True
            yield Failure(trace={"type": "ERROR", "error": {**_told(error), "stream_descriptor": failed}})
        else:
            return
        names = [_identity(mapping(each).get("stream")) for each in waiting]
        waiting = waiting[names.index(_identity(failed)) + 1 :] if _identity(failed) in names else []


def _incomplete(message: object) -> object:
    """Return the descriptor of the stream that `message` says to be incomplete; None for other messages."""
    if getattr(message, "record", None) is not None or plain(getattr(message, "type", None)) != "TRACE":
        return None
    status = mapping(mapping_of(getattr(message, "trace", None)).get("stream_status"))
    return status.get("stream_descriptor") if status.get("status") == "INCOMPLETE" else None


def _told(error: Exception) -> Json:
    sentence = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
    return {"message": sentence, "stack_trace": "".join(traceback.format_exception(error))}


def _identity(descriptor: object) -> tuple[object, object]:
    found = mapping(descriptor)
    return (found.get("name"), found.get("namespace") or None)
