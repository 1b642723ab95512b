from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from python.protocol.log import Log
from python.runner import task_logs
from python.runner.catalog import CaptureTask, LocalEndpoint, Shards
from python.runner.problems import Where

WHERE = Where(Path("x.flow.yaml"))


def written(*logs: Log, level: str | None = None, as_json: bool = False, key_begin: int = 0) -> list[str]:
    endpoint = LocalEndpoint(command=("true",), config={}, config_where=WHERE, where=WHERE)
    capture = CaptureTask(name="acmeCo/x", endpoint=endpoint, bindings=(), shards=Shards(log_level=level), where=WHERE)
    stream = io.StringIO()
    write = task_logs.writer(stream, capture, as_json=as_json, key_begin=key_begin)
    for log in logs:
        write(log)
    return stream.getvalue().splitlines()


def test_a_log_is_a_line_with_its_task_and_level() -> None:
    assert written(Log(level="warn", message="slow down")) == ["acmeCo/x warn: slow down"]


def test_a_status_is_called_one() -> None:
    assert written(Log(level="info", message="reading", fields={"eventType": "connectorStatus"})) == [
        "acmeCo/x status: reading"
    ]


@pytest.mark.parametrize(("level", "told"), [("error", 1), ("warn", 2), (None, 3), ("debug", 4), ("trace", 5)])
def test_logs_below_the_tasks_level_are_left_out(level: str | None, told: int) -> None:
    logs = [Log(level=name, message="x") for name in ("error", "warn", "info", "debug", "trace")]

    assert len(written(*logs, level=level)) == told


def test_an_event_is_told_at_any_level() -> None:
    event = Log(level="info", message="reading", fields={"eventType": "connectorStatus"})

    assert len(written(event, level="error")) == 1


def test_an_error_brings_its_traceback() -> None:
    error = Log(level="error", message="no luck", fields={"traceback": ["Traceback", "  in x"]})

    assert written(error) == ["acmeCo/x error: no luck", "Traceback", "  in x"]


def test_as_json_a_log_is_one_of_flows_with_its_shard() -> None:
    log = Log(level="info", message="hello", fields={"n": 1}, ts="2024-01-01T00:00:00Z")
    [line] = written(log, as_json=True, key_begin=2**31)

    assert msgspec.json.decode(line) == {
        "shard": {"kind": "capture", "name": "acmeCo/x", "keyBegin": "80000000", "rClockBegin": "00000000"},
        "ts": "2024-01-01T00:00:00Z",
        "level": "info",
        "message": "hello",
        "fields": {"n": 1},
    }


def test_as_json_a_log_without_a_time_gets_one() -> None:
    [line] = written(Log(level="info", message="hello"), as_json=True)

    assert msgspec.json.decode(line)["ts"].endswith("+00:00")
