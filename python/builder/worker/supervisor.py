"""A process that has the CDK imported, and forks a child for each job.

The control socket carries lines. The server says `job ID` together with the socket of the job, or `kill ID`; the
supervisor says `ready`, `failed`, and how each child ended. When the server's end closes, every child is killed.

One child is forked before there is a job for it, and has its own copies of the memory that a job writes to: the spare.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import child, confine, pages, preloading, rehearsing
from .kinds import Json

__all__ = ["UNREHEARSED", "supervise"]

UNREHEARSED = "unrehearsed"
"""What stands last in the command of a supervisor that must do without a rehearsal."""

_FDS_MAX = 16
_RUNS_AT_ONCE = 50  # of memory, between two looks whether there is a job
_GC_THRESHOLD = 50_000  # a short life makes little garbage, and each collection writes to what is shared


def supervise(descriptor: int, *, rehearse: bool = True) -> None:
    """Serve jobs until the other end of the control socket closes. With `rehearse`, a test read is done before them."""
    control = socket.socket(fileno=descriptor)
    runs: list[Json] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the server, which ends us in good order
    try:
        versions = preloading.preload(rehearse=rehearse)
        if rehearse and rehearsing.has_threads():  # it cannot be forked: begin again
            os.execv(sys.executable, [sys.executable, *sys.argv[:3], UNREHEARSED])  # noqa: S606 -- our own command
        gc.collect()
        gc.freeze()  # else each child's first collection would copy the pages of everything imported
        gc.set_threshold(_GC_THRESHOLD)
        if rehearse:
            runs = rehearsing.memory_of_a_job(versions["cdk_version"])
        told = {"ready": versions}
    except BaseException as error:  # noqa: BLE001 -- a broken CDK may raise anything, SystemExit too
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        told = {"failed": {"why": f"airbyte_cdk cannot be imported: {last}", "stack": traceback.format_exc()[-4000:]}}
    with contextlib.suppress(OSError):
        _say(control, told)
        if "ready" in told:
            _Supervisor(control, runs).run()
    os._exit(0)


def _say(control: socket.socket, told: Json) -> None:
    control.sendall(json.dumps(told).encode() + b"\n")


class _Spare(NamedTuple):
    """A child that waits for the socket of a job."""

    pid: int
    inlet: socket.socket


class _Supervisor:
    """The loop: one thread, since a process with one thread can be forked."""

    def __init__(self, control: socket.socket, runs: Sequence[Json]) -> None:
        """Serve on `control`; `runs` are of the memory that a job writes to."""
        self._control = control
        self._runs = runs
        self._children: dict[int, str] = {}  # with the number of its job, "" while it has none
        self._sockets: list[int] = []
        self._rest = b""
        self._spare: _Spare | None = None
        self._processors = os.cpu_count() or 1
        self._woken, waking = os.pipe()
        for end in (self._woken, waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waking)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        self._provide()
        try:
            while self._heard():
                pass
        finally:
            for pid in self._children:
                _kill(pid)

    def _heard(self) -> bool:
        """Wait for something, and do it; False when the server has gone."""
        wanted: list[Json] = [self._control, self._woken]
        ready, _, _ = select.select(wanted, [], [])
        if self._woken in ready:
            os.read(self._woken, 4096)
            self._reap()
        if self._control not in ready:
            return True
        data, sockets, _, _ = socket.recv_fds(self._control, 65536, _FDS_MAX)
        self._sockets += sockets
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, _, number = line.decode().partition(" ")
            if word == "job":
                self._start(number, self._sockets.pop(0))
            else:
                self._kill(number)
        return bool(data)

    def _start(self, number: str, descriptor: int) -> None:
        """Let the spare child run a job, or a new one."""
        try:
            pid = self._given(descriptor) or self._forked(lambda parent: child.serve(descriptor, parent))
        except OSError as error:  # no memory, or too many processes: this job fails, others go on
            _say(self._control, {"ended": number, "code": error.errno or 1, "cpu_seconds": 0.0})
        else:
            self._children[pid] = number
        finally:
            os.close(descriptor)
        self._provide()

    def _given(self, descriptor: int) -> int | None:
        """Give a job's socket to the spare child, and return which that was; None without one, or if it has died."""
        spare, self._spare = self._spare, None
        if spare is None:
            return None
        with spare.inlet, contextlib.suppress(OSError):
            socket.send_fds(spare.inlet, [b"job"], [descriptor])
            return spare.pid
        return None

    def _provide(self) -> None:
        """Have a spare child, unless making it would take the processor from a job."""
        running = sum(1 for number in self._children.values() if number)
        if self._spare is not None or running >= self._processors:
            return
        ours, theirs = socket.socketpair()
        with theirs, contextlib.suppress(OSError):  # the next job will tell
            pid = self._forked(lambda parent: _wait(theirs, ours, self._runs, parent))
            self._spare = _Spare(pid, ours)
            self._children[pid] = ""
            return
        ours.close()

    def _forked(self, work: Callable[[int], object]) -> int:
        """Return a new child, which does `work` with the process id of its parent. Raises OSError."""
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child()
            try:
                work(supervisor)
            except BaseException:  # noqa: BLE001 -- nothing may reach the supervisor's own loop, in this process
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        return pid

    def _become_child(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        self._control.close()
        if self._spare is not None:
            self._spare.inlet.close()  # else that child would not see that its parent has gone

    def _kill(self, number: str) -> None:
        for pid, its in self._children.items():
            if its == number:
                _kill(pid)

    def _reap(self) -> None:
        while self._children:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self._children.pop(pid, "")
            if self._spare is not None and self._spare.pid == pid:  # the system had no room for it
                self._spare.inlet.close()
                self._spare = None
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # what custom code may have started
            if not number:
                continue
            code = os.waitstatus_to_exitcode(status)
            _say(self._control, {"ended": number, "code": code, "cpu_seconds": used.ru_utime + used.ru_stime})
            self._provide()


def _kill(pid: int) -> None:
    """Kill a child that was not waited for, with all that it started."""
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _wait(inlet: socket.socket, other: socket.socket, runs: Sequence[Json], parent: int) -> None:
    """Wait for a job, in a child that has its own copies of as many `runs` by then as time allows, and run it."""
    other.close()
    confine.die_with_parent(parent)
    for at in range(0, len(runs), _RUNS_AT_ONCE):
        if select.select([inlet], [], [], 0)[0]:
            break
        pages.copy(runs[at : at + _RUNS_AT_ONCE])
    _, descriptors, _, _ = socket.recv_fds(inlet, 16, 1)
    if descriptors:
        inlet.close()
        child.serve(descriptors[0], parent)
    os._exit(0)
