"""How far a run is: a line every few seconds, rewritten in place on a terminal, and a table at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TextIO, TypeVar

import msgspec

from python.runner.transactions import Transaction
from python.shell.outlet import Writable

__all__ = ["LINE_SECONDS", "QUIET_SECONDS", "Progress", "Session"]

LINE_SECONDS = 2.0
"""How often progress is told."""

QUIET_SECONDS = 10.0
"""How long a session may go without a commit until it is told what it waits for; and again, each time."""

_Batch = TypeVar("_Batch", bound=Sequence[object])


class _Counts(msgspec.Struct):
    documents: int = 0
    bytes: int = 0

    def add(self, other: _Counts) -> None:
        self.documents += other.documents
        self.bytes += other.bytes


class Progress:
    """Counts what was committed, by collection, and tells it on `stream`. Used from several threads.

    `now` is a clock in seconds.
    """

    def __init__(self, stream: Writable, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self.now = now
        self._lock = threading.Lock()
        self._began = now()
        self._told = self._began
        self._told_total = _Counts()
        self._counts: dict[str, _Counts] = {}
        self._terminal = stream.isatty()

    def started(self, task: str, collections: Sequence[str]) -> Session:
        """Return a session of `task`, which has begun; the order of `collections` is that of its bindings."""
        with self._lock:
            for name in collections:
                self._counts.setdefault(name, _Counts())
        self.note(f"{task}: capturing {len(collections)} bindings, waiting for the first checkpoint")
        return Session(self, task, collections)

    def add(self, task: str, committed: Mapping[str, _Counts]) -> None:
        """These are committed."""
        with self._lock:
            for name, counts in committed.items():
                self._counts.setdefault(name, _Counts()).add(counts)
            now = self.now()
            if now - self._told < LINE_SECONDS:
                return
            total, seconds = self._total(), now - self._told
            rate = (total.documents - self._told_total.documents) / seconds
            speed = (total.bytes - self._told_total.bytes) / seconds / 1e6
            self._told, self._told_total = now, total
            per = ", ".join(f"{name} {counts.documents:,}" for name, counts in self._counts.items() if counts.documents)
        self.note(f"{task}: {total.documents:,} documents, {rate:,.0f}/s, {speed:,.1f} MB/s ({per})")

    def waiting(self, task: str, seconds: float) -> None:
        """`task` waits for its interval to pass."""
        self.note(f"{task}: session done; the next one starts {seconds:g} s after this one did")

    def note(self, sentence: str) -> None:
        """Tell `sentence`."""
        with self._lock:
            self._stream.write(f"\r\x1b[2K{sentence}" if self._terminal else sentence + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Nothing is told any more on the rewritten line."""
        if self._terminal:
            self._stream.write("\n")

    def summary(self, stream: TextIO, store_path: str) -> None:
        """Write what was captured, as a table, and a query to look at it."""
        seconds = self.now() - self._began
        total = self._total()
        counted = [*self._counts.items(), ("total", total)]
        rows = [("collection", "documents", "MB")]
        rows += [(name, f"{counts.documents:,}", f"{counts.bytes / 1e6:,.1f}") for name, counts in counted]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        stream.writelines(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}\n" for row in rows)
        rate = total.documents / seconds if seconds else 0.0
        stream.write(f"\n{total.documents:,} documents committed to {store_path} in {seconds:.1f} s ({rate:,.0f}/s)\n")
        if self._counts:
            largest = max(self._counts, key=lambda name: self._counts[name].documents)
            query = f'select * from "{largest}" limit 5'  # noqa: S608 -- for a person to paste
            stream.write(f"Query it: headwater sql --store {store_path} '{query}'\n")

    def _total(self) -> _Counts:
        total = _Counts()
        for counts in self._counts.values():
            total.add(counts)
        return total


class Session:
    """One session's part of the progress. Used from one thread. What it staged is forgotten with it."""

    def __init__(self, progress: Progress, task: str, collections: Sequence[str]) -> None:
        self._progress = progress
        self._task = task
        self._collections = collections
        self._staged: dict[str, _Counts] = {}
        self._messages = 0
        self._quiet_since = self._heard = progress.now()

    def staged(self, transaction: Transaction) -> None:
        """`transaction` is the next part of a checkpoint sequence that outgrew memory; it waits on disk."""
        self._put_aside(transaction)
        documents = sum(counts.documents for counts in self._staged.values())
        self._quiet_since = self._progress.now()
        self._progress.note(f"{self._task}: {documents:,} documents wait on disk for their checkpoint")

    def committed(self, transaction: Transaction) -> None:
        """`transaction` is durable, and with it what was staged before."""
        self._put_aside(transaction)
        committed, self._staged = self._staged, {}
        self._messages = 0
        self._quiet_since = self._progress.now()
        self._progress.add(self._task, committed)

    def watched(self, batches: Iterator[_Batch]) -> Iterator[_Batch]:
        """Yield `batches` as they come; an empty one says that nothing came. Tells what a quiet session waits for."""
        for batch in batches:
            now = self._progress.now()
            if batch:
                self._messages += len(batch)
                self._heard = now
            if now - self._quiet_since >= QUIET_SECONDS:
                self._quiet_since = now
                self._progress.note(f"{self._task}: {self._waits_for(now)}")
            yield batch

    def _waits_for(self, now: float) -> str:
        since = f"{self._messages:,} messages since the last commit"
        silent = now - self._heard
        if silent >= LINE_SECONDS:
            return f"waiting for the connector, which has said nothing for {silent:,.0f} s ({since})"
        return f"waiting for a checkpoint ({since})"

    def _put_aside(self, transaction: Transaction) -> None:
        for name, combined in zip(self._collections, transaction.documents, strict=True):
            size = sum(map(len, combined.values()))
            self._staged.setdefault(name, _Counts()).add(_Counts(len(combined), size))
