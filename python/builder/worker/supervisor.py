"""A process that has the CDK imported, and forks a child for each job.

The control socket carries lines. The server says `job ID` together with the socket of the job, or `kill ID`; the
supervisor says `ready`, `failed`, and how each child ended. When the server's end closes, every child is killed.
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

from . import child, preloading
from .kinds import Json

__all__ = ["supervise"]

_FDS_MAX = 16
_GC_THRESHOLD = 50_000  # a short life makes little garbage, and each collection writes to what is shared


def supervise(descriptor: int) -> None:
    """Serve jobs until the other end of the control socket closes."""
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the server, which ends us in good order
    try:
        told = {"ready": preloading.preload()}
    except BaseException as error:  # noqa: BLE001 -- a broken CDK may raise anything, SystemExit too
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        told = {"failed": {"why": f"airbyte_cdk cannot be imported: {last}", "stack": traceback.format_exc()[-4000:]}}
    with contextlib.suppress(OSError):
        _say(control, told)
        if "ready" in told:
            gc.collect()
            gc.freeze()  # else each child's first collection would copy the pages of everything imported
            _Supervisor(control).run()
    os._exit(0)


def _say(control: socket.socket, told: Json) -> None:
    control.sendall(json.dumps(told).encode() + b"\n")


class _Supervisor:
    """The loop: one thread, since a process with one thread can be forked."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, str] = {}
        self._sockets: list[int] = []
        self._rest = b""
        self._woken, waking = os.pipe()
        for end in (self._woken, waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waking)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
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
                self._fork(number, self._sockets.pop(0))
            else:
                self._kill(number)
        return bool(data)

    def _fork(self, number: str, descriptor: int) -> None:
        supervisor = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # no memory, or too many processes: this job fails, others go on
            os.close(descriptor)
            _say(self._control, {"ended": number, "code": error.errno or 1, "cpu_seconds": 0.0})
            return
        if pid == 0:
            _become_child(self._control, descriptor, supervisor)
        os.close(descriptor)
        self._children[pid] = number

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
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # what custom code may have started
            code = os.waitstatus_to_exitcode(status)
            _say(self._control, {"ended": number, "code": code, "cpu_seconds": used.ru_utime + used.ru_stime})


def _kill(pid: int) -> None:
    """Kill a child that was not waited for, with all that it started."""
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _become_child(control: socket.socket, descriptor: int, supervisor: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    control.close()
    gc.set_threshold(_GC_THRESHOLD)
    try:
        child.serve(descriptor, supervisor)
    except BaseException:  # noqa: BLE001 -- nothing may reach the supervisor's own loop, in this process
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
