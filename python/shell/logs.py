"""Flow's logs on stderr, from Python's `logging` (protocol reference, section 7)."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import traceback
from collections.abc import Iterable, Mapping

from python.protocol import log
from python.protocol.log import Log
from python.shell.scrubber import Scrubber

__all__ = ["TRACE", "FlowHandler", "LogWriter", "config_update", "install", "protect", "reclaim", "status"]

TRACE = log.LEVELS["trace"]
_EVENTS = logging.getLogger("headwater.events")
_PYTHON_NAMES = {"warning": "warn", "fatal": "error", "critical": "error"}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogWriter:
    """Writes logs as lines to a file descriptor, whole, scrubbed, and from any thread or forked child."""

    def __init__(self, fd: int, scrubber: Scrubber) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._speaker: int | None = None
        self.scrubber = scrubber
        os.register_at_fork(after_in_child=self._renew_lock)

    def write(self, entry: Log) -> None:
        """`entry` is on its way to the runtime. Nothing is raised where nobody reads any more."""
        fields = entry.fields
        if fields.get("eventType") != log.CONFIG_UPDATE:  # its config is sealed, and has to arrive unchanged
            fields = {str(name): self.scrubber.value(value) for name, value in fields.items()}
        line = log.encode(Log(level=entry.level, message=self.scrubber.text(entry.message), fields=fields, ts=entry.ts))
        view = memoryview(line)
        with self._lock, contextlib.suppress(OSError):
            while view and self._speaker in (None, threading.get_ident()):
                view = view[os.write(self._fd, view) :]

    def reserve(self) -> None:
        """From now on this thread alone has something to say: what the others log is dropped."""
        with self._lock:
            self._speaker = threading.get_ident()

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()


class FlowHandler(logging.Handler):
    """A `logging` handler that writes every record as one of Flow's logs."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def protect(self, secrets: Iterable[str]) -> None:
        """Mask `secrets` from now on."""
        self._writer.scrubber.add(secrets)

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`. Events pass at every level: the control plane acts on them."""
        self._writer.write(Log(level=log.severity(record.levelno), message=_message(record), fields=_fields(record)))


_installed: list[FlowHandler] = []
"""The handler in charge, if any: one process has one stderr."""


def install(writer: LogWriter, level_name: str | None) -> None:
    """Every log of the process now goes through `writer`, from the level named as in LOG_LEVEL (default: info)."""
    logging.addLevelName(TRACE, "TRACE")
    name = (level_name or "info").lower()
    known = log.LEVELS.get(_PYTHON_NAMES.get(name, name))
    root = logging.getLogger()
    _installed[:] = [FlowHandler(writer)]
    root.handlers[:] = _installed
    root.setLevel(known or logging.INFO)
    _EVENTS.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    if known is None:
        root.warning("LOG_LEVEL is %r; it is one of %s. Logging at info.", level_name, ", ".join(log.LEVELS))


def status(text: str) -> None:
    """The task's status, as its users see it, is now `text` (`connectorStatus`)."""
    _EVENTS.info("%s", text, extra={"eventType": log.CONNECTOR_STATUS})


def config_update(sealed: Mapping[str, object]) -> None:
    """Ask the control plane to publish `sealed`, a full and encrypted endpoint config (`configUpdate`)."""
    _EVENTS.info("the endpoint config has changed", extra={"eventType": log.CONFIG_UPDATE, "config": dict(sealed)})


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 -- `%` in a text that came with arguments, or an argument that cannot be shown
        return f"{record.msg} {_shown(record.args)}"


def _shown(args: object) -> str:
    try:
        return repr(args)
    except Exception as error:  # noqa: BLE001 -- a source's `__repr__` may do anything; its log must not end it
        return f"(its arguments cannot be shown: {type(error).__name__})"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    fields.setdefault("source", record.name)
    if record.exc_info and record.exc_info[0] is not None:
        fields["traceback"] = "".join(traceback.format_exception(*record.exc_info)).splitlines()
    elif record.exc_text:
        fields["traceback"] = record.exc_text.splitlines()
    if record.stack_info:
        fields["stack"] = record.stack_info.splitlines()
    return fields


def reclaim() -> None:
    """Put our handler back in charge, where a library has configured `logging` for itself since."""
    root = logging.getLogger()
    ours = [handler for handler in _installed if handler not in root.handlers or len(root.handlers) > 1]
    if ours:
        root.handlers[:] = ours


def protect(secrets: Iterable[str]) -> None:
    """From now on `secrets` are masked in logs, too: a source may have got new ones."""
    for handler in _installed:
        handler.protect(secrets)
