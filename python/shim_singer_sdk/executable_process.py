"""A Singer tap as a child process: its lines, its logs, its end."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from python.protocol.errors import ConnectorError
from python.protocol.framing import LINE_BYTES_MAX
from python.shell.signals import STOP_SIGNALS
from python.shim_singer_sdk.executable_files import PrivateFolder, private_folder
from python.shim_singer_sdk.executable_logs import TapLogs

__all__ = ["TapProcess", "found", "running"]

_PIPE_BYTES = 1024 * 1024  # how far a tap may be ahead of us; more than the default spares it waiting
_READ_BYTES = 64 * 1024
_LOG_BYTES_MAX = 64 * 1024  # a line of logs without an end is cut here
_GRACE_SECONDS = 5.0  # from SIGTERM to SIGKILL, once nobody wants anything more of the tap
_EXIT_SECONDS_MAX = 10.0  # from the end of stdout to the end of the process
_LINGER_SECONDS_MAX = 1.0  # where a grandchild holds a pipe open

_CHANGED = "%s has changed %s in its %s file; this is not kept: where it is a token, put the new one into the config"
_logger = logging.getLogger(__name__)


class TapProcess:
    """A running tap. `lines` yields what it writes to stdout, `finish` says how it ended. Made by `running`."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        self._process = process
        self.name = name
        self._logs = TapLogs(name)
        self._prints = TapLogs(name)  # of its own: stderr is read on another thread, and may be within a traceback
        self._reader = threading.Thread(target=self._read_logs, name="headwater-tap-stderr", daemon=True)
        self._reader.start()
        self.stopped = False

    def lines(self) -> Iterator[bytes]:
        """Yield each line of the tap's stdout as it comes, until the tap closes it.

        A last line without an end is yielded, too, unless the tap was stopped: then it may be half a line.
        """
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 -- Popen was asked for a pipe
        while line := stdout.readline(LINE_BYTES_MAX):
            if len(line) >= LINE_BYTES_MAX:
                raise ConnectorError(f"{self.name} wrote a line of {LINE_BYTES_MAX:,} bytes or more")
            if line.endswith(b"\n") or not self.stopped:
                yield line

    def print(self, line: bytes) -> None:
        """`line`, which the tap wrote to stdout, is no message: it is logged."""
        self._prints.take([line.rstrip(b"\r\n")])

    def finish(self) -> None:
        """The tap has ended. Raises ConnectorError, with its last error, where it says that it has failed."""
        try:
            status = self._process.wait(_EXIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise ConnectorError(
                f"{self.name} closed its stdout, but did not exit within {_EXIT_SECONDS_MAX:g} s"
            ) from None
        self._reader.join(_LINGER_SECONDS_MAX)
        self._prints.end()
        if self.stopped:
            raise ConnectorError(f"{self.name} was stopped")
        if status:
            how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
            reason = self._logs.reason or self._prints.reason or "it gives no reason"
            raise ConnectorError(f"{self.name} {how}: {reason}")

    def stop(self) -> None:
        """Ask the tap, once, to end: one that hears of it twice may break off while it ends in good order."""
        if not self.stopped:
            self.stopped = True
            self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """The tap and all that it started are gone."""
        if self._process.poll() is None:
            self.stop()
            threading.Thread(target=self._drain, name="headwater-tap-drain", daemon=True).start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(_LINGER_SECONDS_MAX)

    def _drain(self) -> None:
        """A tap that ends in good order writes what it has: it must not wait for us to read it."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 -- Popen was asked for a pipe
        with contextlib.suppress(OSError, ValueError):
            while os.read(stdout.fileno(), _READ_BYTES):
                pass

    def _read_logs(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 -- Popen was asked for a pipe
        partial = b""
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(stderr.fileno(), _READ_BYTES):
                *lines, partial = (partial + chunk).split(b"\n")
                if len(partial) > _LOG_BYTES_MAX:
                    lines, partial = [*lines, partial], b""
                self._logs.take(lines)
        self._logs.take([partial])
        self._logs.end()


@contextlib.contextmanager
def running(command: Sequence[str], files: Mapping[str, object]) -> Iterator[TapProcess]:
    """Within, the tap runs, with each of `files`, by the option that names it, as a JSON file: `{"--config": {…}}`.

    SIGTERM and SIGINT are passed on to it. Afterwards, however that is, the tap and its files are gone.
    """
    program, *arguments = command
    with private_folder({_file_name(option): value for option, value in files.items()}) as folder:
        for option in files:
            arguments += [option, str(folder.path / _file_name(option))]
        try:
            process = subprocess.Popen(
                [found(program), *arguments],
                bufsize=_READ_BYTES,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pipesize=_PIPE_BYTES if sys.platform == "linux" else -1,
                start_new_session=True,
            )
        except OSError as error:
            raise ConnectorError(f"cannot start {program!r}: {error.strerror}; is the tap installed?") from None
        folder.belongs_to(process.pid)
        tap = TapProcess(process, Path(program).name)
        with process.stdout, process.stderr, contextlib.closing(tap), _told_of_signals(tap):  # type: ignore[union-attr] # they are pipes
            try:
                yield tap
            finally:
                _warn_of_changes(folder, files, tap.name)


def found(program: str) -> str:
    """Return where `program` is: beside this Python, where its own environment has it, else on PATH."""
    beside = Path(sys.executable).parent / program
    return str(beside) if os.sep not in program and beside.exists() else shutil.which(program) or program


def _warn_of_changes(folder: PrivateFolder, files: Mapping[str, object], name: str) -> None:
    """Some taps write what they were given anew, such as a token that can be used once."""
    for option, value in files.items():
        if members := folder.changed(_file_name(option), value):
            _logger.warning(_CHANGED, name, ", ".join(members), option.lstrip("-"))


def _file_name(option: str) -> str:
    return f"{option.lstrip('-')}.json"


@contextlib.contextmanager
def _told_of_signals(tap: TapProcess) -> Iterator[None]:
    """Within, a signal to stop reaches the tap as well; for us it means what it meant before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def pass_on(number: int, frame: FrameType | None) -> None:
        tap.stop()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in STOP_SIGNALS:
        signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
