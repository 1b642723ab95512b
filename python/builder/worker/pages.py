"""Which pages of memory a job writes to, and how a process that waits for a job comes to its own copies of them early.

A forked process shares its parent's memory until it writes, and Python writes wherever it looks: it counts references.
A test read so copies some 5,000 pages (20 MB), one fault at a time, which is a third of its time. It is always the same
pages, since children of one parent find everything at the same address. What changes is when they are copied, and no
more: nothing of a job can be seen in it.

Linux only; elsewhere nothing is found, and pages are copied when they are written.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from .kinds import Json

__all__ = ["copy", "written"]

_POPULATE_WRITE = 23  # MADV_POPULATE_WRITE of <linux/mman.h>, since Linux 5.14; before it copies nothing
_PRESENT, _OWN = 1 << 63, 1 << 56  # of an entry in /proc/PID/pagemap: in memory, and of one process alone
_ENTRY_BYTES = 8


def written() -> list[Json]:
    """Return `[start, end]` of each run of pages that this process has of its own: new ones, or written since the fork.

    Empty where the system does not tell.
    """
    found: list[Json] = []
    for start, end in _own():
        if found and found[-1][1] == start:
            found[-1][1] = end
        else:
            found.append([start, end])
    return found


def copy(runs: Iterable[Json]) -> None:
    """Make this process's own copies of pages; what is not mapped here is passed over."""
    advise = getattr(ctypes.CDLL(None), "madvise", None)
    if advise is None:
        return
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in runs:
        advise(start, end - start, _POPULATE_WRITE)


def _own() -> Iterator[tuple[int, int]]:
    """Yield each page that this process has of its own, by its addresses."""
    size = os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError), Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        for start, end in _writable():
            pagemap.seek(start // size * _ENTRY_BYTES)
            entries = array.array("Q", pagemap.read((end - start) // size * _ENTRY_BYTES))
            pages = enumerate(entries)
            yield from ((start + n * size, start + n * size + size) for n, e in pages if e & _PRESENT and e & _OWN)


def _writable() -> Iterator[tuple[int, int]]:
    """Yield where this process has private memory that it may write to."""
    for line in Path("/proc/self/maps").read_text("utf-8", "replace").splitlines():
        addresses, rights = line.split(maxsplit=2)[:2]
        if rights == "rw-p":
            start, _, end = addresses.partition("-")
            yield int(start, 16), int(end, 16)
