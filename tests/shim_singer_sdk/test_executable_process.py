from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from python.protocol.errors import ConnectorError
from python.shim_singer_sdk.executable_process import TapProcess, found, running

SAYS_WHAT_IT_GOT = """
import json, os, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print(json.dumps({option: json.load(open(path)) for option, path in options.items()}))
"""
UNTIL_SIGTERM = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("the end", flush=True), sys.exit(0)))
print("begun", flush=True)
while True: signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("begun", flush=True)
while True: signal.pause()
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def ended(command: Sequence[str]) -> list[bytes]:
    with running(command, {}) as tap:
        lines = list(tap.lines())
        tap.finish()
    return lines


def pid_of(tap: TapProcess) -> int:
    return tap._process.pid


def test_a_tap_gets_its_files_by_their_options() -> None:
    with running(python(SAYS_WHAT_IT_GOT), {"--config": {"a": 1}, "--state": {"b": 2}}) as tap:
        (line,) = tap.lines()
        tap.finish()

    assert json.loads(line) == {"--config": {"a": 1}, "--state": {"b": 2}}


def test_lines_come_whole_and_the_last_needs_no_end() -> None:
    assert ended(python("print('{\"a\": 1}'); print('x' * 200_000); print('last', end='')")) == [
        b'{"a": 1}\n',
        b"x" * 200_000 + b"\n",
        b"last",
    ]


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import sys; sys.exit(3)", "ended with exit status 3: it gives no reason"),
        ("import sys; print('CRITICAL no such user', file=sys.stderr); sys.exit(1)", "exit status 1: no such user"),
        ("{}['id']", "exit status 1: KeyError: 'id'"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL: it gives no reason"),
    ],
)
def test_a_failure_is_one_sentence(program: str, sentence: str) -> None:
    with pytest.raises(ConnectorError, match=sentence) as caught:
        ended(python(program))

    assert "\n" not in str(caught.value)


def test_a_tap_that_is_not_there_is_named() -> None:
    with pytest.raises(ConnectorError, match=r"cannot start 'tap-nowhere': .*; is the tap installed\?"):
        ended(["tap-nowhere"])


def test_a_tap_of_the_connectors_own_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "bin" / "sh"
    own.parent.mkdir()
    own.touch()
    monkeypatch.setattr(sys, "executable", str(own.parent / "python"))

    assert found("sh") == str(own)
    assert found("cat") == "/bin/cat" or found("cat").endswith("/cat")
    assert found("/bin/sh") == "/bin/sh"


def test_what_it_writes_to_stderr_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    ended(python("import sys; print('WARNING slow', file=sys.stderr)"))

    assert ("WARNING", "slow") in [(record.levelname, record.getMessage()) for record in caplog.records]


PRINTS_WITHIN_A_TRACEBACK = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
def say(file, text):
    print(text, file=file, flush=True)
say(sys.stderr, "Traceback (most recent call last):")
say(sys.stderr, '  File "tap.py", line 1')
say(sys.stdout, "progress: 10 rows")
signal.sigwait({signal.SIGUSR1})
say(sys.stderr, "ValueError: boom")
sys.exit(1)
"""


def test_what_it_prints_does_not_end_a_traceback_of_its_stderr(caplog: pytest.LogCaptureFixture) -> None:
    with running(python(PRINTS_WITHIN_A_TRACEBACK), {}) as tap:
        for line in tap.lines():
            while not tap._logs._held:  # until the other thread has read what came before
                pass
            tap.print(line)
            os.kill(pid_of(tap), signal.SIGUSR1)
        with pytest.raises(ConnectorError, match=r"exit status 1: ValueError: boom$"):
            tap.finish()

    (told,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert told.getMessage() == "ValueError: boom"
    assert "progress: 10 rows" not in told.traceback  # type: ignore[attr-defined] # it is an extra of ours


def test_what_it_prints_is_the_reason_where_its_stderr_gives_none() -> None:
    with running(python("import sys; print('no such user'); sys.exit(1)"), {}) as tap:
        for line in tap.lines():
            tap.print(line)
        with pytest.raises(ConnectorError, match=r"exit status 1: no such user$"):
            tap.finish()


def test_its_stdin_is_empty() -> None:
    assert ended(python("import sys; print(repr(sys.stdin.read()))")) == [b"''\n"]


def test_a_tap_that_is_left_is_asked_to_end_first() -> None:
    with running(python(UNTIL_SIGTERM), {}) as tap:
        assert next(tap.lines()) == b"begun\n"
        pid = pid_of(tap)

    assert not psutil.pid_exists(pid)
    assert tap._process.returncode == 0


def test_a_tap_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("python.shim_singer_sdk.executable_process._GRACE_SECONDS", 0.1)

    with running(python(STUBBORN), {}) as tap:
        next(tap.lines())

    assert tap._process.returncode == -signal.SIGKILL


def test_a_tap_that_writes_without_end_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(python("while True: print('x' * 1000)"), {}) as tap:
        next(tap.lines())

    assert tap._process.returncode == -signal.SIGTERM


def test_a_signal_is_passed_on_and_means_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with running(python(UNTIL_SIGTERM), {}) as tap:
            lines = tap.lines()
            next(lines)
            os.kill(os.getpid(), signal.SIGTERM)

            assert list(lines) == [b"the end\n"]
            with pytest.raises(ConnectorError, match="was stopped"):
                tap.finish()
        restored = signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert seen == [signal.SIGTERM]
    assert callable(restored)


def test_the_files_are_gone_when_the_tap_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with running(python("pass"), {"--config": {"token": "s"}}) as tap:
        assert [path.name for path in tmp_path.rglob("*.json")] == ["config.json"]
        list(tap.lines())

    assert list(tmp_path.iterdir()) == []
