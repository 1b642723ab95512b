from __future__ import annotations

import itertools
import sys

import pytest

from python.protocol.errors import RemoteProtocolError
from python.protocol.log import Log
from python.shell.child import Child, ChildError

LOGS: list[Log] = []


@pytest.fixture(autouse=True)
def logs() -> None:
    LOGS.clear()


def child(code: str) -> Child:
    return Child([sys.executable, "-c", code], {}, LOGS.append)


def lines(of: Child) -> list[bytes]:
    return [line for batch in of.batches(0.05) for line in batch]


def test_lines_come_as_they_were_written_and_the_end_is_clean() -> None:
    running = child("import sys; sys.stdout.write(sys.stdin.readline() * 2)")
    running.send(b"hello\n")

    assert lines(running) == [b"hello", b"hello"]
    running.finish()
    running.kill()


def test_a_quiet_child_gives_empty_batches() -> None:
    running = child("import sys; sys.stdin.readline()")

    assert next(running.batches(0.01)) == []
    running.kill()


def test_a_failure_is_told_with_the_last_log() -> None:
    running = child('import sys; sys.stderr.write(\'first\\n{"level":"error","msg":"no luck"}\\n\'); sys.exit(3)')

    assert lines(running) == []
    with pytest.raises(ChildError, match="exit status 3: no luck"):
        running.finish()
    running.kill()
    assert [(log.level, log.message) for log in LOGS] == [("warn", "first"), ("error", "no luck")]


def test_a_child_that_a_signal_ends_is_told() -> None:
    running = child("import os; os.kill(os.getpid(), 9)")
    lines(running)

    with pytest.raises(ChildError, match="signal SIGKILL and no log output"):
        running.finish()
    running.kill()


def test_an_unfinished_last_line_is_refused() -> None:
    running = child("import sys; sys.stdout.write('half')")

    with pytest.raises(RemoteProtocolError, match="without a newline"):
        lines(running)
    running.kill()


def test_a_command_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(ChildError, match=r"cannot start 'no-such-connector'.*is it installed, and on PATH"):
        Child(["no-such-connector"], {}, LOGS.append)


def test_killing_ends_a_child_that_writes_without_end() -> None:
    running = child("while True: print('x' * 1000)")
    next(running.batches(1.0))

    running.kill()

    with pytest.raises(ChildError, match="SIGKILL"):
        running.finish()


def test_requests_to_a_child_that_reads_no_more_are_no_error() -> None:
    running = child("pass")
    lines(running)
    running.send(b"x" * 1_000_000 + b"\n")

    running.finish()
    running.kill()


def test_a_log_that_cannot_be_passed_on_stops_the_child_and_does_not_block_it() -> None:
    def gone(log: Log) -> None:
        LOGS.append(log)
        raise BrokenPipeError("nobody reads")

    much = "for _ in range(40): sys.stderr.write('x' * 50_000 + '\\n')"
    code = f"import signal, sys; signal.signal(15, signal.SIG_IGN); {much}\nprint('done')".replace("; for", "\nfor")
    running = Child([sys.executable, "-c", code], {}, gone)
    ticks = itertools.islice(running.batches(0.05), 400)

    assert next((batch for batch in ticks if batch), "blocked") == [b"done"]
    with pytest.raises(ChildError, match="logs cannot be passed on: nobody reads"):
        running.finish()
    running.kill()
    assert len(LOGS) == 1


def test_an_argument_with_a_nul_is_a_sentence() -> None:
    with pytest.raises(ChildError, match="cannot start 'true': its command or environment has an embedded null byte"):
        Child(["true", "\0"], {}, LOGS.append)
