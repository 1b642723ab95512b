"""What `headwater preview` was asked for: its options, and what their texts mean."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import msgspec

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.runner.durations import parse_seconds
from python.runner.stop import Stop

__all__ = ["Meaning", "Options", "meaning", "stopped_after"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater preview`, as the command line names them."""

    source: str
    name: str | None = None
    sessions: str = "-1"
    timeout: str | None = None
    delay: str = "0s"
    fixture: str | None = None
    initial_state: str = "{}"
    output_state: bool = False
    output_apply: bool = False
    log_json: bool = False
    shards: int = 1
    network: str = "bridge"


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What the texts of the options mean. `targets` has the transactions of each session; 0 or less: no limit."""

    targets: Sequence[int]
    state: object
    timeout_seconds: float | None
    delay_seconds: float


def meaning(options: Options) -> Meaning:
    """Return what the texts of `options` mean. Raises HeadwaterError, which names the option."""
    return Meaning(
        targets=_targets(options.sessions),
        state=_initial(options.initial_state),
        timeout_seconds=_seconds("--timeout", options.timeout) if options.timeout else None,
        delay_seconds=_seconds("--delay", options.delay),
    )


def _targets(sessions: str) -> list[int]:
    try:
        return [int(part) for part in sessions.split(",")]
    except ValueError:
        raise HeadwaterError(f"--sessions is {sessions!r}; it is a list of counts, such as 1,2 or -1") from None


def _seconds(option: str, text: str) -> float:
    try:
        return parse_seconds(text)
    except ValueError as error:
        raise HeadwaterError(f"{option}: {error}") from None


def _initial(text: str) -> object:
    try:
        return document.decode(text.encode())
    except HeadwaterError as error:
        raise HeadwaterError(f"--initial-state is not JSON: {error}") from None


@contextlib.contextmanager
def stopped_after(seconds: float | None, stop: Stop) -> Iterator[None]:
    """`stop` is asked for after `seconds`, where the `with` lasts that long."""
    limit = threading.Timer(seconds or 0.0, stop.ask)
    if seconds is not None:
        limit.start()
    try:
        yield
    finally:
        limit.cancel()
