"""What a tap emits in process: the SDK's message objects in, plain messages out, states no oftener than is useful.

The SDK hands out its live state, again and again: after each child of each parent. Copying, comparing and writing it
every time takes the square of the number of parents. So most states are let pass, and only the newest counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from python.protocol import document
from python.shim_common.values import Json, mapping

__all__ = ["COPY_SHARE_MAX", "STATE_SECONDS_MIN", "Emitter"]

STATE_SECONDS_MIN = 0.1
"""The shortest time between two states, in seconds: what a restart may have to read again, and a stop to wait for."""

COPY_SHARE_MAX = 0.05
"""The share of the time that copies of the state may take: a large state is taken less often."""

_KINDS = {
    "RecordMessage": "RECORD",
    "StateMessage": "STATE",
    "SchemaMessage": "SCHEMA",
    "ActivateVersionMessage": "ACTIVATE_VERSION",
}


class Emitter:
    """Puts the messages of a tap, whose streams `names` calls by the names of its records.

    `now` returns seconds. States come `seconds_min` apart or rarer, all of them where it is 0, the last at `finish`.
    """

    def __init__(self, put: Callable[[Json], None], now: Callable[[], float], seconds_min: float) -> None:
        self._put = put
        self._now = now
        self._seconds_min = seconds_min
        self._due = now()
        self._live: object = None
        self._covered = True
        self.names: dict[str, str] = {}

    def message(self, message: Any) -> None:  # noqa: ANN401 -- a class of an SDK that we do not import
        """`message`, an object of any version of the SDK, is on its way."""
        kind = _KINDS.get(type(message).__name__)
        if kind == "RECORD":
            stream = self.names.get(message.stream, message.stream)
            # The dict may be the tap's own, and the tap is a step ahead of who reads it.
            record = dict(message.record)
            self._put({"type": kind, "stream": stream, "record": record, "version": message.version})
            self._covered = False
        elif kind == "STATE":
            self.state(message.value)
        elif kind == "SCHEMA":
            self._put({"type": kind, "stream": self.names.get(message.stream, message.stream)})
        else:
            plain = mapping(message.to_dict())
            stream = str(plain.get("stream"))
            self._put({**plain, "type": kind or _text(plain.get("type")), "stream": self.names.get(stream, stream)})
            self._covered = False

    def state(self, live: object) -> None:
        """The tap's state is `live`, as of now: it is put if it is time to, else the next one counts."""
        self._live, self._covered = live, True
        began = self._now()
        if began < self._due:
            return
        copied = _copied(live)
        ended = self._now()
        if self._seconds_min:
            self._due = ended + max(self._seconds_min, (ended - began) / COPY_SHARE_MAX)
        self._emit(copied)

    def finish(self) -> None:
        """Nothing more comes: the last state is put, unless records followed that the tap has not said it covers."""
        if self._live is not None and self._covered:
            self._emit(_copied(self._live))

    def _emit(self, copied: object) -> None:
        self._live = None
        self._put({"type": "STATE", "value": copied})


def _copied(live: object) -> object:
    return document.decode(document.encode(live))


def _text(kind: object) -> str:
    return str(getattr(kind, "value", kind))
