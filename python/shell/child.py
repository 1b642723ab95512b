"""A connector as a child process: the runtime's end of the pipes (protocol reference, sections 0 and 8.4)."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from python.protocol import log
from python.protocol.errors import HeadwaterError
from python.protocol.framing import Lines
from python.protocol.log import Log

__all__ = ["Child", "ChildError"]

_READ_BYTES = 256 * 1024
_CHUNKS_MAX = 128  # read ahead: what a pipe holds at a time, 64 KiB on Linux, so 8 MiB at most
_GIVE_UP_SECONDS = 0.2  # how soon the reader notices that nobody iterates any more
_EXIT_SECONDS_MAX = 10.0  # from the end of stdout to the end of the process: the shell's own watchdog takes 5
_STOP_SECONDS_MAX = 30.0  # from SIGTERM to SIGKILL, as container platforms have it; the shell drains for 20
_LINGER_SECONDS_MAX = 1.0  # where a grandchild outside of the process group still holds a pipe open


class ChildError(HeadwaterError):
    """The connector ended with a failure; the message is its last log, or says that there was none."""


class Child:
    """A running connector.

    `send` queues a request, `batches` yields the response lines until stdout ends, `finish` waits for the exit and
    raises ChildError for a non-zero status. `on_log` gets every log, on another thread; where it raises, it is not
    called again, the connector is asked to stop, and `finish` says so. Always `kill` in the end: it ends the whole
    process group, forked workers included, and does nothing to one that has ended.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], on_log: Callable[[Log], None], cwd: str | None = None
    ) -> None:
        self._on_log = on_log
        self._log_problem: Exception | None = None
        self.last_log: Log | None = None
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **env},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise ChildError(f"cannot start {command[0]!r}: {error.strerror}; is it installed, and on PATH?") from None
        except ValueError as error:
            raise ChildError(f"cannot start {command[0]!r}: its command or environment has an {error}") from None
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="headwater-stdin", daemon=True)
        self._logger = threading.Thread(target=self._read_logs, name="headwater-stderr", daemon=True)
        self._chunks: queue.Queue[bytes] = queue.Queue(_CHUNKS_MAX)
        self._abandoned = threading.Event()
        self._reader = threading.Thread(target=self._read, name="headwater-stdout", daemon=True)
        self._patience = threading.Timer(_STOP_SECONDS_MAX, self._kill_group)
        self._patience.daemon = True
        for thread in (self._writer, self._logger, self._reader):
            thread.start()

    @property
    def pid(self) -> int:
        """The process id of the connector, which is its process group's, too."""
        return self._process.pid

    def send(self, line: bytes) -> None:
        """`line` will be written to the connector's stdin; one that no longer reads is not an error."""
        self._requests.put(line)

    def close_stdin(self) -> None:
        """The connector will read the end of its stdin, after everything sent."""
        self._requests.put(None)

    def batches(self, tick_seconds: float) -> Iterator[list[bytes]]:
        """Yield response lines, without their newlines, as they come, until the connector closes its stdout.

        An empty list says that nothing came for `tick_seconds`: time to do what is due.
        """
        lines = Lines()
        while True:
            try:
                chunk = self._chunks.get(timeout=tick_seconds)
            except queue.Empty:
                yield []
                continue
            if not chunk:
                break
            batch = list(lines.feed(chunk))
            if batch:
                yield batch
        lines.end()

    def finish(self) -> None:
        """The connector has ended. Raises ChildError, with its last log, where its status is not 0."""
        try:
            status = self._process.wait(_EXIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ChildError(
                f"the connector closed its stdout, but did not exit within {_EXIT_SECONDS_MAX:g} s (rule 29)"
            ) from None
        self._logger.join(_LINGER_SECONDS_MAX)
        if self._log_problem is not None:
            raise ChildError(f"the connector was stopped, since its logs cannot be passed on: {self._log_problem}")
        if status:
            raise ChildError(self._why(status))

    def interrupt(self) -> None:
        """Ask the connector to stop at its next boundary (SIGTERM); one that does not is ended later (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        if self._patience.ident is None:
            self._patience.start()

    def kill(self) -> None:
        """The connector and every process it started are gone."""
        self._patience.cancel()
        self._kill_group()
        self._process.wait()
        self._abandoned.set()
        self.close_stdin()
        self._writer.join()
        self._reader.join(_LINGER_SECONDS_MAX)
        self._logger.join(_LINGER_SECONDS_MAX)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _why(self, status: int) -> str:
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        if self.last_log is None:
            return f"the connector ended with {how} and no log output"
        return f"the connector ended with {how}: {self.last_log.message}"

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 -- Popen was asked for a pipe
        with contextlib.suppress(BrokenPipeError), stdin:
            while (line := self._requests.get()) is not None:
                view = memoryview(line)
                while view:
                    view = view[os.write(stdin.fileno(), view) :]

    def _read(self) -> None:
        """Read ahead of whoever iterates, so that the connector goes on while a transaction commits."""
        assert self._process.stdout is not None  # noqa: S101 -- Popen was asked for a pipe
        fd = self._process.stdout.fileno()
        chunk = b"begin"
        while chunk and not self._abandoned.is_set():
            chunk = os.read(fd, _READ_BYTES)
            self._hand_over(chunk)

    def _hand_over(self, chunk: bytes) -> None:
        while not self._abandoned.is_set():
            with contextlib.suppress(queue.Full):
                self._chunks.put(chunk, timeout=_GIVE_UP_SECONDS)
                return

    def _read_logs(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 -- Popen was asked for a pipe
        fd = self._process.stderr.fileno()
        partial = b""
        while chunk := _read_some(fd):
            *lines, partial = (partial + chunk).split(b"\n")
            self._keep(lines)
        self._keep([partial])

    def _keep(self, lines: list[bytes]) -> None:
        for entry in log.decode_lines(lines):
            self.last_log = entry
            if self._log_problem is None:
                self._pass_on(entry)

    def _pass_on(self, entry: Log) -> None:
        try:
            self._on_log(entry)
        except Exception as error:  # noqa: BLE001 -- whatever it is, stderr has to be emptied on, or the connector blocks
            self._log_problem = error
            self.interrupt()


def _read_some(fd: int) -> bytes:
    """Return what the pipe has; nothing where it has ended, or where `kill` has closed it."""
    try:
        return os.read(fd, _READ_BYTES)
    except OSError:
        return b""
