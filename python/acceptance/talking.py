"""Conversations with a connector as a black box: bytes in, bytes out, and an end that comes in any case."""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from python.acceptance.transcripts import BY_ITSELF, SILENT, TOO_LATE, Json, Transcript, kind_of, object_in
from python.protocol.errors import HeadwaterError
from python.runner.containers import Containers

__all__ = ["Dialogue", "Limits", "Start"]

_OTHERWISE = "we ended it"

_READ_BYTES = 256 * 1024
_RESTING = ("checkpoint", "opened")  # after which a session may be quiet for as long as it likes
_LOOK_SECONDS = 0.05  # how often an end is looked for that leaves a pipe open: another process may hold it
_LINGER_SECONDS = 0.3  # for what such a process still writes


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a connector may take: `seconds` for a whole conversation, `stop_seconds` from SIGTERM to its end.

    A session that says nothing for `quiet_seconds` after a checkpoint waits for news of its source.
    """

    seconds: float = 120.0
    quiet_seconds: float = 10.0
    stop_seconds: float = 30.0


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a connector; `env` is added to the environment. `containers` are those of an image's command."""

    command: Sequence[str]
    env: Mapping[str, str] = {}
    cwd: str | None = None
    containers: Containers | None = None


class Dialogue:
    """A started connector. Leave the `with`, and it and all that it started is gone, whatever it does.

    `lines` are the complete lines of stdout up to now, `counts` how many of each kind they are. Raises HeadwaterError
    where it cannot be started.
    """

    def __init__(self, start: Start, limits: Limits) -> None:
        self._limits = limits
        self._containers = start.containers
        try:
            self._process = subprocess.Popen(
                start.command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **start.env},
                cwd=start.cwd,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise HeadwaterError(f"cannot start {start.command[0]!r}: {error}; is it installed, and on PATH?") from None
        self._began = time.monotonic()
        self._sent: list[bytes] = []
        self._unsent = bytearray()
        self._closing = False
        self._out, self._err = bytearray(), bytearray()
        self._partial = bytearray()
        self.lines: list[bytes] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self._selector = selectors.DefaultSelector()
        assert self._process.stdin  # noqa: S101 -- Popen was asked for pipes
        self._stdin = self._process.stdin
        os.set_blocking(self._stdin.fileno(), False)
        for pipe, kept in ((self._process.stdout, self._out), (self._process.stderr, self._err)):
            assert pipe  # noqa: S101 -- same
            self._selector.register(pipe, selectors.EVENT_READ, functools.partial(self._read, pipe, kept))

    def __enter__(self) -> Dialogue:  # noqa: PYI034 -- `Self` is of a later Python
        return self

    def __exit__(self, *_: object) -> None:
        """The process group is gone, and its pipes are closed."""
        self._kill()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def send(self, *lines: bytes) -> None:
        """`lines` are on their way; a connector that no longer reads them is not an error."""
        self._sent += lines
        self._unsent += b"".join(lines)
        self._watch_stdin()

    def until(self, kind: str, count: int = 1, seconds: float | None = None) -> bool:
        """Wait for `count` lines of a kind since the start. Returns False where the end, or the limit, came first."""
        limit = self._left() if seconds is None else min(seconds, self._left())
        return self._pump(lambda: self.counts[kind] >= count, limit)

    def last(self, kind: str) -> Json:
        """Return the value of the last line of a kind, or an empty object."""
        found = (object_in(line) for line in reversed(self.lines) if kind_of(line) == kind)
        value = (next(found, None) or {}).get(kind)
        return value if isinstance(value, dict) else {}

    def silent(self, seconds: float) -> bool:
        """Wait until nothing has come on stdout for so long. Returns False where the end, or the limit, came first."""
        while True:
            before = len(self._out)
            if not self._pump(lambda: len(self._out) != before, seconds):  # noqa: B023 -- called at once
                return bool(self._selector.get_map()) and self._process.poll() is None and self._left() > 0
            if self._left() <= 0:
                return False

    def close(self) -> None:
        """The connector will read the end of stdin, after all that was sent."""
        self._closing = True
        self._watch_stdin()

    def end(self, *, idle: bool = False) -> Transcript:
        """Close stdin, wait for the end, and return all that was said. With `idle`, a silence is an end, too."""
        self.close()
        return self.wait(idle=idle)

    def wait(self, *, idle: bool = False) -> Transcript:
        """Wait for the end, with stdin as it is, and return all that was said. With `idle`, as `end`."""
        if idle and self.silent(self._limits.quiet_seconds) and kind_of((self.lines or [b""])[-1]) in _RESTING:
            return self._stopped(SILENT)
        if not self._pump(lambda: False, self._left()) and self._process.poll() is None and self._still_there():
            return self._stopped(TOO_LATE)
        return self._transcript(BY_ITSELF)

    def stop(self, number: signal.Signals) -> Transcript:
        """Send a signal, wait for the end, and return all that was said; `ended` says whether it came in time."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        self._pump(lambda: False, self._limits.stop_seconds)
        if self._process.poll() is None and self._still_there():
            return self._stopped(TOO_LATE)
        return self._transcript(_OTHERWISE)

    def stop_now(self) -> Transcript:
        """Kill the connector, and return all that was said."""
        return self._stopped(_OTHERWISE)

    def _left(self) -> float:
        return self._began + self._limits.seconds - time.monotonic()

    def _still_there(self) -> bool:
        """Whether the process lives on after it has closed both pipes, for which it gets a moment."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(_LINGER_SECONDS, min(self._left(), self._limits.stop_seconds)))
        return self._process.poll() is None

    def _stopped(self, why: str) -> Transcript:
        self._kill()
        return self._transcript(why)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._containers and self._process.returncode < 0:
            self._containers.remove(self._process.pid)
            self._containers = None

    def _transcript(self, ended: str) -> Transcript:
        self._pump(lambda: False, _LINGER_SECONDS)
        return Transcript(
            sent=tuple(self._sent),
            stdout=bytes(self._out),
            stderr=bytes(self._err),
            status=None if ended in (SILENT, TOO_LATE) else self._process.poll(),
            ended=ended,
            seconds=time.monotonic() - self._began,
        )

    def _pump(self, done: Callable[[], bool], seconds: float) -> bool:
        """Move bytes until `done`, for so long; returns whether it is done. Ends with the process, too."""
        deadline = time.monotonic() + seconds
        while not done():
            reading = any(key.events & selectors.EVENT_READ for key in self._selector.get_map().values())
            left = deadline - time.monotonic()
            if not reading or left <= 0:
                return False
            ready = self._selector.select(min(left, _LOOK_SECONDS))
            if not ready and self._process.poll() is not None:
                deadline = min(deadline, time.monotonic() + _LINGER_SECONDS)
            for key, _ in ready:
                key.data()
        return True

    def _read(self, pipe: contextlib.AbstractContextManager[object], kept: bytearray) -> None:
        chunk = os.read(pipe.fileno(), _READ_BYTES)  # type: ignore[attr-defined] # a pipe of Popen's
        kept += chunk
        if kept is self._out:
            first, *others = chunk.split(b"\n")
            self._partial += first  # a line of many chunks is copied once
            if others:
                complete = [bytes(self._partial), *others[:-1]]
                self._partial = bytearray(others[-1])
                self.lines += complete
                self.counts.update(map(kind_of, complete))
        if not chunk:
            self._selector.unregister(pipe)  # type: ignore[arg-type] # same

    def _watch_stdin(self) -> None:
        if self._stdin.closed:
            return
        if not self._unsent:
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._stdin)
            if self._closing:
                self._stdin.close()
        elif self._stdin.fileno() not in self._selector.get_map():
            self._selector.register(self._stdin, selectors.EVENT_WRITE, self._write)

    def _write(self) -> None:
        try:
            written = os.write(self._stdin.fileno(), self._unsent)
        except BrokenPipeError:
            written = len(self._unsent)
        del self._unsent[:written]
        self._watch_stdin()
