from __future__ import annotations

import json
import signal
import time
from base64 import b64encode
from typing import Any

import pytest

from tests.conversing import NUMBERS, converse, ended, open_numbers, start

SPEC: dict[str, Any] = {"spec": {"connectorType": "LOCAL", "config": {}}}
TOKEN = 'sesame/open "now"+1'


def test_requests_are_answered_in_order_in_one_process() -> None:
    end = converse(NUMBERS, SPEC, {"spec": {}}, {"discover": {"config": {}}})

    assert (end.status, end.kinds) == (0, ["spec", "spec", "discovered"])


def test_nothing_asked_is_nothing_answered() -> None:
    assert converse(NUMBERS) == (0, [], [], "")


def test_a_session_ends_by_itself_with_stdin_still_open() -> None:
    process = start(NUMBERS)
    assert process.stdin
    process.stdin.write(json.dumps(open_numbers(count=2)) + "\n")
    process.stdin.flush()

    assert process.wait(30) == 0
    assert ended(process).kinds == ["opened", "captured", "checkpoint", "captured", "checkpoint"]


def test_resuming_continues_after_the_last_checkpoint() -> None:
    end = converse(NUMBERS, open_numbers({"bindingStateV1": {"numbers": {"n": 1}, "gone": {}}}, count=3))

    assert end.responses[1:] == [
        {"captured": {"binding": 0, "doc": {"n": 2}}},
        {"checkpoint": {"state": {"updated": {"bindingStateV1": {"numbers": {"n": 2}}}, "mergePatch": True}}},
    ]


def test_whatever_is_printed_becomes_a_log_and_never_reaches_stdout() -> None:
    end = converse(NUMBERS, open_numbers(mood="print", count=1, token=TOKEN))

    printed = "\n".join(log["message"] for log in end.logs)
    assert end.kinds == ["opened", "captured", "checkpoint"]
    assert all(word in printed for word in ("python ****", "libc", "child", "raw ****"))


def test_a_forked_worker_does_not_keep_the_protocol_open() -> None:
    process = start(NUMBERS)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(open_numbers(mood="fork", count=1)) + "\n")
    process.stdin.flush()
    began = time.monotonic()

    assert [next(iter(json.loads(line))) for line in process.stdout] == ["opened", "captured", "checkpoint"]
    assert process.wait(30) == 0
    assert time.monotonic() - began < 30


def test_a_stop_that_the_kernel_tells_another_thread_stops_a_blocked_source() -> None:
    end = converse(NUMBERS, open_numbers(mood="signal another thread"))

    assert (end.status, end.kinds) == (0, ["opened"])


def test_workers_that_the_source_terminates_die_amid_a_sequence() -> None:
    end = converse(NUMBERS, open_numbers(mood="terminate workers", count=2, batch=2))

    assert (end.status, end.kinds) == (0, ["opened", "captured", "captured", "checkpoint"])


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"count": 0}, "config /count: got 0, want greater than or equal to 1"),
        ({"count": "many"}, "config /count: got 'many', want a valid integer, unable to parse string as an integer"),
        ({"mood": "refuse", "token": TOKEN}, "the token **** has expired: make a new one in the settings"),
    ],
)
def test_a_users_mistake_is_one_sentence_without_a_traceback(config: dict[str, Any], reason: str) -> None:
    end = converse(NUMBERS, SPEC, open_numbers(**config))

    assert (end.status, end.reason) == (1, reason)
    assert "traceback" not in end.stderr.lower()


def test_a_crash_keeps_its_traceback_in_a_field() -> None:
    end = converse(NUMBERS, open_numbers(mood="fail", token=TOKEN))

    assert (end.status, end.reason) == (1, "RuntimeError: no luck with ****")
    assert end.logs[-1]["fields"]["traceback"][-1] == "RuntimeError: no luck with ****"


def test_documents_without_a_checkpoint_fail_the_session_and_are_withheld() -> None:
    end = converse(NUMBERS, open_numbers(mood="forget the checkpoint", count=1))

    assert (end.status, end.kinds) == (1, ["opened", "captured", "checkpoint"])
    assert "rule 53" in end.reason


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense\n", "not one JSON object"),
        ('{"open":{}}{"open":{}}\n', "not one JSON object"),
        ("\n", "not one JSON object"),
        ('{"spec":{}', "without a newline"),
        ('{"unheard":{}}\n', "got none"),
        ('{"acknowledge":{"checkpoints":1}}\n', "Acknowledge came while waiting for a request"),
        ('{"open":{"capture":{"config":{"token":"sesame"},"bindings":7}}}\n', "Expected `array`, got `int`"),
    ],
)
def test_nonsense_on_stdin_is_refused_in_one_sentence(line: str, words: str) -> None:
    process = start(NUMBERS)
    stdout, stderr = process.communicate(line, 30)

    assert (process.returncode, stdout) == (1, "")
    assert words in json.loads(stderr.splitlines()[-1])["message"]
    assert "sesame" not in stderr
    assert "traceback" not in stderr


def test_no_spelling_of_a_secret_reaches_the_logs() -> None:
    end = converse(NUMBERS, open_numbers(mood="log secrets", count=1, token=TOKEN))

    assert end.status == 0
    assert "it is ****" in end.stderr
    inside = b64encode(f"user:{TOKEN}".encode()).decode()[8:-4]
    assert not [
        spelling for spelling in (TOKEN, json.dumps(TOKEN)[1:-1], "sesame%2Fopen", inside) if spelling in end.stderr
    ]


@pytest.mark.parametrize("level", ["error", "warn", "info", "debug", "trace", "CRITICAL", "nonsense"])
def test_every_log_level_is_accepted(level: str) -> None:
    end = converse(NUMBERS, open_numbers(count=1), LOG_LEVEL=level)

    assert end.status == 0
    assert any("done with" in log["message"] for log in end.logs) == (level in ("info", "debug", "trace", "nonsense"))
    assert {log["level"] for log in end.logs} <= {"trace", "debug", "info", "warn", "error"}


def test_acknowledgements_are_taken_while_the_source_is_busy() -> None:
    process = start([*NUMBERS, "--acknowledge"])
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(json.dumps(open_numbers(count=2, pause_seconds=2.0)) + "\n")
    process.stdin.flush()
    kinds = [next(iter(json.loads(process.stdout.readline()))) for _ in range(3)]
    process.stdin.write('{"acknowledge":{"checkpoints":1}}\n')
    process.stdin.flush()
    log = json.loads(process.stderr.readline())
    still_running = process.poll() is None

    assert kinds == ["opened", "captured", "checkpoint"]
    assert (log["message"], still_running) == ("acknowledged 1", True)
    assert ended(process).status == 0


def test_acknowledging_more_than_is_pending_fails_the_session() -> None:
    process = start([*NUMBERS, "--acknowledge"])
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(open_numbers(count=3, pause_seconds=0.5)) + "\n")
    process.stdin.flush()
    kinds = [next(iter(json.loads(process.stdout.readline()))) for _ in range(3)]
    end = ended(process, {"acknowledge": {"checkpoints": 9}})

    assert kinds[-1] == "checkpoint"
    assert end.status == 1
    assert "counts 9 checkpoints, but" in end.reason


def test_a_checkpoint_leaves_within_a_second_however_slow_the_source() -> None:
    process = start(NUMBERS)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(open_numbers(count=4, batch=1, pause_seconds=1.5)) + "\n")
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(3)]
    seen = time.monotonic()
    process.stdout.readline()

    assert "checkpoint" in lines[2]
    assert time.monotonic() - seen > 0.5, "the checkpoint came no earlier than the document after it"
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_requests_ends_the_process_quietly(number: signal.Signals) -> None:
    process = start(NUMBERS)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(SPEC) + "\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(number)

    assert ended(process) == (0, [], [], "")


def test_sigterm_lets_the_current_sequence_finish() -> None:
    process = start(NUMBERS)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(open_numbers(count=1000, batch=10, pause_seconds=0.02)) + "\n")
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(12)]
    process.send_signal(signal.SIGTERM)
    end = ended(process)

    assert (end.status, end.kinds[-1:]) == (0, ["checkpoint"])
    assert len(lines) + len(end.responses) < 100


def test_sigterm_drops_a_sequence_that_takes_too_long_whole() -> None:
    process = start(NUMBERS)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(open_numbers(count=1000, batch=1000, pause_seconds=0.1)) + "\n")
    process.stdin.flush()
    assert "opened" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)

    assert ended(process)[:2] == (0, [])


def test_a_closed_stdout_ends_the_process_quietly() -> None:
    process = start(NUMBERS, LOG_LEVEL="error")
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write(json.dumps(open_numbers(count=5)) + "\n")
    process.stdin.close()

    assert process.wait(30) == 141
    assert process.stderr.read() == ""


def test_a_source_that_exits_by_itself_has_failed() -> None:
    end = converse(NUMBERS, open_numbers(mood="exit quietly"))

    assert (end.status, end.kinds) == (1, ["opened"])
    assert end.reason == "the source ended the process with exit status 0"


def test_the_reason_is_the_last_log_whoever_goes_on_talking() -> None:
    end = converse(NUMBERS, open_numbers(mood="fail beside a talker"))

    assert end.status == 1
    assert end.reason.endswith("has expired: make a new one in the settings")


def test_what_cannot_be_logged_is_said_and_holds_nobody_up() -> None:
    end = converse(NUMBERS, open_numbers(mood="log the unspeakable", count=1, token=TOKEN))

    said = [log["message"] for log in end.logs]
    assert (end.status, end.kinds) == (0, ["opened", "captured", "checkpoint"])
    assert "it is %s (its arguments cannot be shown: AttributeError)" in said
    assert "a printed line could not be logged: RecursionError" in said
