"""Limits that the kernel keeps, for a process that runs one job: memory, CPU, files, and its parent's life."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Mapping

from .kinds import Json

__all__ = ["confine", "die_with_parent"]

_FILE_BYTES_MAX = 1 << 30  # what a job may write to one file: async jobs and file uploads download to disk
_CPU_GRACE_SECONDS = 2  # Linux says SIGKILL, as everybody might, where the hard limit is no larger than the soft one
_PDEATHSIG = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


def confine(limits: Mapping[str, Json], folder: str) -> None:
    """Keep this process within `limits` from now on, with `folder` as its place for files.

    Beyond memory, allocations fail: a MemoryError, or an abort by a library. Beyond CPU, the kernel ends the process
    with SIGXCPU, whatever it is doing. A core file, which would hold secrets, is never written.
    """
    _lower(resource.RLIMIT_AS, int(limits["memory_bytes"]))
    _lower(resource.RLIMIT_FSIZE, _FILE_BYTES_MAX)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, max(1, int(limits["cpu_seconds"])), _CPU_GRACE_SECONDS)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, with an error that tells why
    os.umask(0o077)
    os.chdir(folder)
    os.environ.update(HOME=folder, TMPDIR=folder, REQUEST_CACHE_PATH=folder)
    tempfile.tempdir = folder


def die_with_parent(parent: int) -> None:
    """End this process when the thread that started it ends, on Linux; at once if `parent` is gone already."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _lower(what: int, wanted: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(what)
    soft, final = (limit if hard == resource.RLIM_INFINITY else min(limit, hard) for limit in (wanted, wanted + grace))
    with contextlib.suppress(ValueError, OSError):  # a system that has no such limit (macOS: address space)
        resource.setrlimit(what, (soft, final))
