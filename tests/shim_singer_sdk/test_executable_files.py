from __future__ import annotations

import decimal
import os
import select
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from python.protocol.errors import ConnectorError
from python.shim_singer_sdk.executable_files import _GUARD, private_folder

ROOT = Path(__file__).parent.parent.parent
HOLDING = """
import sys, time
from python.shim_singer_sdk.executable_files import private_folder
with private_folder({"config.json": {"token": "s"}}) as folder:
    print(folder.path, flush=True)
    sys.stdin.read()
"""


def test_the_files_are_for_nobody_else() -> None:
    with private_folder({"config.json": {"token": "s"}}) as folder:
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.path, folder.path / "config.json")]

    assert modes == [0o700, 0o600]


def test_numbers_keep_their_digits() -> None:
    with private_folder({"state.json": {"n": decimal.Decimal("1.10"), "i": 2**64 + 1}}) as folder:
        assert (folder.path / "state.json").read_bytes() == b'{"n":1.10,"i":18446744073709551617}'


def test_the_files_are_gone_afterwards() -> None:
    with private_folder({"config.json": {}}) as folder:
        pass

    assert not folder.path.exists()


def test_the_files_are_gone_after_an_error() -> None:
    with pytest.raises(KeyError), private_folder({"config.json": {}}) as folder:
        raise KeyError

    assert not folder.path.exists()


def test_a_value_that_is_no_json_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(Exception, match="is not JSON"), private_folder({"config.json": {"x": object()}}):
        pytest.fail("was entered")

    assert list(tmp_path.iterdir()) == []


def test_without_a_shell_there_is_no_tap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("python.shim_singer_sdk.executable_files._SHELL", "/nowhere/sh")

    with pytest.raises(ConnectorError, match="cannot start /nowhere/sh, which guards"), private_folder({}):
        pytest.fail("was entered")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("told", [b"", b"GROUP\n"])
def test_the_guard_ends_the_tap_and_deletes_its_files_where_we_are_gone(tmp_path: Path, told: bytes) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "config.json").touch()
    tap = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    guard = subprocess.Popen(["/bin/sh", "-c", _GUARD, "guard", str(folder)], stdin=subprocess.PIPE)

    guard.communicate(told.replace(b"GROUP", b"%d" % tap.pid), 10)

    assert not folder.exists()
    if not told:
        tap.terminate()
    assert tap.wait(10) == -signal.SIGTERM


def test_the_guard_leaves_alone_what_was_cleaned_up(tmp_path: Path) -> None:
    tap = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    guard = subprocess.Popen(["/bin/sh", "-c", _GUARD, "guard", str(tmp_path)], stdin=subprocess.PIPE)

    guard.communicate(b"%d\n\nended\n" % tap.pid, 10)

    assert tap.poll() is None
    tap.kill()
    tap.wait()
    assert tmp_path.exists()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of another's child")
def test_the_files_are_gone_after_a_kill() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin
    assert process.stdout
    with process:
        folder = Path(process.stdout.readline().strip())
        assert (folder / "config.json").exists()
        (guard,) = psutil.Process(process.pid).children()
        ended = os.pidfd_open(guard.pid)

        process.kill()

    assert select.select([ended], [], [], 10)[0]
    os.close(ended)
    assert not folder.exists()
