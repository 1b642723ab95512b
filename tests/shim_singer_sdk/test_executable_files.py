from __future__ import annotations

import decimal
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from python.shim_singer_sdk.executable_files import private_folder

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

        os.kill(process.pid, signal.SIGKILL)

    guard.wait(10)
    assert not folder.exists()
