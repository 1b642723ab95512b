"""Owning the process's file descriptors: the protocol's stdout is ours, whatever the source prints.

With `Descriptors`, descriptors 1 and 2 lead into a pipe whose lines become logs: prints, C libraries and child
processes of a wrapped source can no longer reach the protocol, and secrets in what they print are scrubbed. The real
stdout and stderr live on under private descriptors, which no child process inherits.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterator

from python.protocol import log
from python.protocol.log import Log

__all__ = ["Descriptors"]

_PIPE_BYTES = 1024 * 1024  # a C library may print with the interpreter lock held: the pump cannot drain meanwhile
_LINE_BYTES_MAX = 64 * 1024  # a line without an end is cut here
_MARK = b"\0headwater: end of output\0"
_DRAIN_SECONDS_MAX = 1.0  # what children still print after we are done is not waited for longer


class Descriptors:
    """The private `stdout` and `stderr`, and the pump which turns what others print into logs."""

    def __init__(self) -> None:
        self.stdout = os.dup(1)
        self.stderr = os.dup(2)
        self._read, self._write = os.pipe()
        with contextlib.suppress(OSError):  # a smaller pipe works, too
            fcntl.fcntl(self._write, 1031, _PIPE_BYTES)  # F_SETPIPE_SZ, which Python names only on Linux
        self._drained = threading.Event()
        self._pump: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget_stdout)
        os.dup2(self._write, 1)
        os.dup2(self._write, 2)
        sys.stdout.flush()  # only now: what was printed while the source was imported becomes a log, too
        sys.stderr.flush()

    def pump(self, write: Callable[[Log], None]) -> None:
        """From now on every line that anybody prints is given to `write` as a log."""
        self._pump = threading.Thread(target=self._run, args=(write,), name="headwater-prints", daemon=True)
        self._pump.start()

    def release(self, *, hush: bool = False) -> None:
        """Everything printed so far has been logged; what is printed from now on goes to stderr as it is.

        With `hush` it is lost: the last log has to be the last.
        """
        after = os.open(os.devnull, os.O_WRONLY) if hush else self.stderr
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os.write(self._write, b"\n" + _MARK + b"\n")
        os.dup2(after, 1)
        os.dup2(after, 2)
        if self._pump:
            self._drained.wait(_DRAIN_SECONDS_MAX)

    def _run(self, write: Callable[[Log], None]) -> None:
        for lines in self._chunks():
            for entry in log.decode_lines(lines):
                _surely(write, entry)

    def _chunks(self) -> Iterator[list[bytes]]:
        """Yield the whole lines that came together: a stack trace is one log."""
        partial = b""
        while not self._drained.is_set():
            chunk = os.read(self._read, _PIPE_BYTES)
            *lines, partial = (partial + chunk).split(b"\n")
            if len(partial) > _LINE_BYTES_MAX or not chunk:
                lines, partial = [*lines, partial], b""
            ended = _MARK in lines or not chunk
            yield [line for line in lines if line != _MARK]
            if ended:
                self._drained.set()

    def _forget_stdout(self) -> None:
        """In a forked child: let go of the protocol, or the runtime would wait for the child to end."""
        with contextlib.suppress(OSError):
            os.close(self.stdout)


def _surely(write: Callable[[Log], None], entry: Log) -> None:
    """Write `entry`, or that it could not be: a pump that ends has whoever prints wait for ever."""
    try:
        write(entry)
    except Exception as error:  # noqa: BLE001 -- whatever a line may hold
        write(Log(level="warn", message=f"a printed line could not be logged: {type(error).__name__}"))
