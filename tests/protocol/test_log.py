from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.log import LEVELS, LINE_BYTES_MAX, Log, decode_lines, encode, severity
from tests.protocol.strategies import json_objects


def decoded(*lines: str | bytes) -> list[Log]:
    return list(decode_lines(line.encode() if isinstance(line, str) else line for line in lines))


@given(
    level=st.sampled_from(sorted(LEVELS)),
    message=st.text(st.characters(exclude_categories=["Cs"])),
    fields=json_objects,
)
def test_what_is_encoded_decodes_to_itself(level: str, message: str, fields: dict[str, object]) -> None:
    log = Log(level=level, message=message, fields=fields, ts="2024-01-02T03:04:05Z")

    line = encode(log)

    assert line.count(b"\n") == 1
    assert decoded(line) == [log]


@pytest.mark.parametrize("spelling", ["trace", "debug", "info", "warn", "warning"])
def test_levels_are_read_in_the_spellings_that_flow_accepts(spelling: str) -> None:
    for spelled in (spelling, spelling.upper()):
        assert decoded(f'{{"level":"{spelled}","msg":"x"}}') == [Log(level=spelling.removesuffix("ing"), message="x")]


@pytest.mark.parametrize("spelling", ["error", "ERROR", "fatal", "FATAL", "panic", "PANIC"])
def test_fatal_levels_are_errors(spelling: str) -> None:
    assert decoded(f'{{"lvl":"{spelling}","message":"x"}}') == [Log(level="error", message="x")]


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"CRITICAL","msg":"x"}',
        '{"level":"Info"}',
        '{"level":[]}',
        '{"level":7}',
        '{"level":"info","msg":7}',
        '{"level":"info","fields":[]}',
        '{"level":"info","ts":"yesterday"}',
        '{"level":"info","ts":"2024-01-02T03:04:05"}',
        '{"level":"info","ts":7}',
        '{"level":"info"} and more',
        '{"a":' + "[" * 5000 + "]" * 5000 + "}",
        "[]",
        "plain text",
    ],
)
def test_a_line_of_another_form_is_raw_text(line: str) -> None:
    assert decoded(line) == [Log(level="warn", message=line)]


def test_consecutive_raw_lines_become_one_log() -> None:
    lines = ["Traceback:", "  File x", "ValueError: no  ", "", '{"level":"info","msg":"then"}', "bye\r"]

    assert decoded(*lines) == [
        Log(level="error", message="Traceback:\n  File x\nValueError: no"),
        Log(level="info", message="then"),
        Log(level="warn", message="bye"),
    ]


def test_a_log_without_level_is_judged_by_its_text() -> None:
    assert [log.level for log in decoded('{"msg":"a TIMEOUT came"}', '{"msg":"all well"}', "{}")] == [
        "error",
        "warn",
        "warn",
    ]


def test_other_members_become_fields_and_flows_own_are_left_out() -> None:
    line = '{"time":"2024-01-02T03:04:05Z","level":"info","msg":"x","a":1,"fields":{"b":2},"shard":{},"spans":[]}'

    assert decoded(line) == [Log(level="info", message="x", fields={"a": 1, "b": 2}, ts="2024-01-02T03:04:05Z")]


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert decoded(b"caf\xe9") == [Log(level="warn", message="caf\ufffd")]


def test_fields_that_are_not_json_are_written_as_python_shows_them() -> None:
    log = Log(level="info", message="x", fields={"set": {1}, "nan": float("nan"), "ok": [1], "bad\ud800": "\ud800"})

    assert json.loads(encode(log))["fields"] == {"set": "{1}", "nan": "nan", "ok": [1], "bad\\ud800": "'\\ud800'"}


def test_a_surrogate_in_a_message_is_escaped() -> None:
    assert json.loads(encode(Log(level="info", message="a\ud800b")))["message"] == "a\\ud800b"


def test_a_log_without_time_has_no_ts() -> None:
    assert json.loads(encode(Log(level="info", message="x"))) == {"level": "info", "message": "x", "fields": {}}


def test_a_long_message_is_cut() -> None:
    message = json.loads(encode(Log(level="info", message="x" * (LINE_BYTES_MAX + 1))))["message"]

    assert message == "x" * LINE_BYTES_MAX + "… (262,145 characters)"


@pytest.mark.parametrize(
    ("number", "level"),
    [(50, "error"), (40, "error"), (39, "warn"), (30, "warn"), (25, "info"), (10, "debug"), (5, "trace"), (0, "trace")],
)
def test_pythons_levels_fall_to_the_next_lower_one_of_flows(number: int, level: str) -> None:
    assert severity(number) == level
