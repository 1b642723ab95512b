"""What connectors log, on its way to the person who runs them, or to a program."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from python.protocol import document, log
from python.protocol.log import LEVELS, Log
from python.runner.endpoints import Task
from python.shell.outlet import Writable

__all__ = ["writer"]


def writer(stream: Writable, task: Task, *, as_json: bool, key_begin: int = 0) -> Callable[[Log], None]:
    """Return what writes a connector's logs to `stream`, from any thread.

    As text, a line each, from the task's own log level; with `as_json` as ops Log documents of Flow's runtime,
    which name the shard by the begin of its key range.
    """
    lock = threading.Lock()
    least = LEVELS.get(task.shards.log_level or "info", LEVELS["info"])

    def write(entry: Log) -> None:
        if LEVELS[entry.level] < least and not entry.fields.get("eventType"):
            return
        line = _as_json(entry, task, key_begin) if as_json else _as_text(entry, task.name)
        with lock:
            stream.write(line + "\n")
            stream.flush()

    return write


def _as_json(entry: Log, task: Task, key_begin: int) -> str:
    now = dt.datetime.now(dt.timezone.utc).isoformat()
    shard = {"kind": task.kind, "name": task.name, "keyBegin": f"{key_begin:08x}", "rClockBegin": "00000000"}
    value = {"shard": shard, "ts": entry.ts or now, "level": entry.level, "message": entry.message}
    return document.encode({**value, "fields": dict(entry.fields)}).decode()


def _as_text(entry: Log, task: str) -> str:
    event = entry.fields.get("eventType")
    mark = "status" if event == log.CONNECTOR_STATUS else entry.level
    trace = entry.fields.get("traceback") if entry.level == "error" else None
    lines = [f"{task} {mark}: {entry.message}", *(trace if isinstance(trace, list) else [])]
    return "\n".join(map(str, lines))
