from __future__ import annotations

import logging

import pytest

from python.shim_singer_sdk.executable_logs import TapLogs


def logged(caplog: pytest.LogCaptureFixture, *lines: str) -> list[tuple[str, str]]:
    caplog.set_level(1)
    TapLogs("tap-x").take(line.encode() for line in lines)
    return [(record.levelname.lower(), record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INFO Syncing orders", ("info", "Syncing orders")),
        ("WARNING slow", ("warning", "slow")),
        ("CRITICAL 401 Unauthorized", ("error", "401 Unauthorized")),
        ("DEBUG:urllib3.connectionpool:GET /x", ("debug", "GET /x")),
        ("time=2024-01-02 03:04:05 name=tap_x level=ERROR message=no such table", ("error", "no such table")),
        ("level=INFO message=hello", ("info", "hello")),
        ("2024-01-02 03:04:05,678 | INFO     | tap-x                | Beginning sync", ("info", "Beginning sync")),
        ("2024-01-02 03:04:05,678 - tap_x - WARNING - low on quota", ("warning", "low on quota")),
        ("2024-01-02T03:04:05Z ERROR gone", ("error", "gone")),
        ("[INFO] ready", ("info", "ready")),
        ('{"level":"warn","msg":"as JSON"}', ("warning", "as JSON")),
        ("a print", ("warning", "a print")),
        ("unable to connect", ("error", "unable to connect")),
        ("INFORMATION is not a level", ("warning", "INFORMATION is not a level")),
    ],
)
def test_a_line_has_the_level_that_the_tap_gave_it(
    caplog: pytest.LogCaptureFixture, line: str, expected: tuple[str, str]
) -> None:
    assert logged(caplog, line) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        'INFO METRIC: {"type": "counter", "metric": "record_count", "value": 2, "tags": {}}',
        '2024-01-02 03:04:05,678 | INFO     | singer_sdk.metrics   | METRIC: {"type": "timer"}',
    ],
)
def test_metrics_are_for_debugging(caplog: pytest.LogCaptureFixture, line: str) -> None:
    ((level, message),) = logged(caplog, line)

    assert (level, message.startswith("METRIC: {")) == ("debug", True)


def test_a_traceback_belongs_to_the_log_before_it(caplog: pytest.LogCaptureFixture) -> None:
    lines = ["ERROR it broke", "Traceback (most recent call last):", '  File "x.py"', "KeyError: 'id'", "INFO next"]

    assert logged(caplog, *lines) == [("error", "it broke"), ("info", "next")]
    assert vars(caplog.records[0])["traceback"] == lines[1:4]


def test_a_traceback_that_comes_line_by_line_is_one_log(caplog: pytest.LogCaptureFixture) -> None:
    logs = TapLogs("tap-x")
    lines = ["Traceback (most recent call last):", '  File "x.py"', "    {}['id']", "KeyError: 'id'"]

    for line in lines:
        assert caplog.messages == []
        logs.take([line.encode()])

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("ERROR", "KeyError: 'id'")]
    assert vars(caplog.records[0])["traceback"] == lines


def test_half_a_traceback_is_logged_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    logs = TapLogs("tap-x")
    logs.take([b"Traceback (most recent call last):", b'  File "x.py"'])

    logs.end()

    assert caplog.messages == ['File "x.py"']


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["ERROR first", "CRITICAL 401 Unauthorized", "INFO bye"], "401 Unauthorized"),
        (["INFO x", "Traceback (most recent call last):", '  File "x.py"', "KeyError: 'id'"], "KeyError: 'id'"),
        (["Traceback (most recent call last):", '  File "x.py"', "ImportError: no dbf"], "ImportError: no dbf"),
        (["tap.py: line 3: it went wrong"], "tap.py: line 3: it went wrong"),
        (["INFO only this"], "only this"),
        (['{"level":"fatal","message":"out of paper"}', '{"level":"info","message":"bye"}'], "out of paper"),
        ([], ""),
    ],
)
def test_the_reason_of_a_failure_is_the_last_error(lines: list[str], reason: str) -> None:
    logs = TapLogs("tap-x")

    logs.take(line.encode() for line in lines)

    assert logs.reason == reason


def test_percent_signs_and_bytes_that_are_no_text_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    TapLogs("tap-x").take([b"INFO 100 %s %d \xff"])

    assert caplog.messages == ["100 %s %d �"]
