"""Where the messages of singer-sdk 0.33 to 0.54 leave it, taken there, and put back as it was.

Before 0.34, a function of a module writes all messages; from 0.47 until 0.54.4 it still writes ACTIVATE_VERSION. In
between and since, the tap writes them, from 0.45 on through a writer of its own, and from 0.48 on states through a
second one.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

from python.shim_common.tokens import Giver, Masked, masking
from python.shim_singer_sdk.emitting import Emitter
from python.shim_singer_sdk.partitions import Partitions

__all__ = ["emit_through", "hooked"]

_METRICS = "singer_sdk.metrics"
_FIND = "_find_in_partitions_list"
_GIVERS = (
    Giver("singer_sdk.authenticators", "OAuthAuthenticator", ("update_access_token",)),
    # Taps may have a way of their own to get a token, and yet pass it on in one of these.
    Giver("singer_sdk.authenticators", "APIAuthenticatorBase", ("authenticate_request", "__call__")),
)
_DEFAULT_FREQUENCY = 10_000
_FREQUENCY = 1
"""A state after so many records of a stream, where the tap leaves the SDK's number. States that are let pass cost next
to nothing (see `Emitter.state`), and a stop waits for one."""


@contextlib.contextmanager
def hooked(write: Callable[[Any], None]) -> Iterator[None]:
    """Within, the SDK's module functions give messages to `write`, do not set up logging, and find partitions fast.

    Tokens that its authenticators are given are masked in logs.
    """
    core = importlib.import_module("singer_sdk.streams.core")
    states: Any = importlib.import_module("singer_sdk.helpers._state")
    places: list[tuple[Any, str, object]] = [
        (states, _FIND, Partitions(getattr(states, _FIND, _nothing)).find),
        (core.singer, "write_message", write),
        (importlib.import_module("singer_sdk.tap_base"), "write_message", write),
        (importlib.import_module(_METRICS), "_setup_logging", _nothing),
    ]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in places if hasattr(owner, name)]
    metrics = logging.getLogger(_METRICS)
    level = metrics.level
    metrics.addFilter(_at_debug)
    try:
        for owner, name, value in places:
            if hasattr(owner, name):
                setattr(owner, name, value)
        with masking(_GIVERS, Masked()):
            yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
        metrics.removeFilter(_at_debug)
        metrics.setLevel(level)


def emit_through(emitter: Emitter, tap: Any) -> None:  # noqa: ANN401 -- a class of an SDK that we do not import
    """All messages of `tap` go through `emitter`, its states at the pace of that. The tap lives for one sync only."""
    writer = _Writer(emitter)
    if hasattr(tap, "message_writer"):
        tap.message_writer = writer
    else:
        tap.write_message = emitter.message
    if hasattr(tap, "_state_writer"):
        tap._state_writer = writer  # noqa: SLF001 -- the SDK has no public place for it
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        logging.getLogger(_METRICS).setLevel(logging.WARNING)  # a constructor has set it; spares making the records
    base = importlib.import_module("singer_sdk").Stream
    for stream in tap.streams.values():
        if stream.STATE_MSG_FREQUENCY == _DEFAULT_FREQUENCY:
            stream.STATE_MSG_FREQUENCY = _FREQUENCY
        if type(stream)._write_state_message is base._write_state_message:  # noqa: SLF001 -- the SDK's own is replaced
            stream._write_state_message = writer.of(tap)  # noqa: SLF001 -- before 0.48, it copies the state each time


class _Writer:
    """A message writer and a state writer, as far as the SDK calls them."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self.write_message = emitter.message

    def write_state(self, state: object) -> None:
        self._emitter.state(state)

    def of(self, tap: Any) -> Callable[[], None]:  # noqa: ANN401 -- a class of an SDK that we do not import
        return lambda: self._emitter.state(tap.state)


def _nothing(*given: object, **named: object) -> Any:  # noqa: ANN401 -- it is put in place of anything
    """Leave the logs to the shell, which is in charge of them."""


def _at_debug(record: logging.LogRecord) -> bool:
    """Metrics come for each request: they are for debugging."""
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return logging.getLogger().isEnabledFor(logging.DEBUG)
