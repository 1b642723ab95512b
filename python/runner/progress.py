"""How far a run is: a line every few seconds, rewritten in place on a terminal, and a table at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TextIO

import msgspec

from python.runner.transactions import Transaction

__all__ = ["Progress"]

LINE_SECONDS = 2.0
"""How often progress is told."""


class _Counts(msgspec.Struct):
    documents: int = 0
    bytes: int = 0


class Progress:
    """Counts what was committed, by collection, and tells it on `stream`. Used from several threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._told = self._began
        self._told_documents = 0
        self._told_megabytes = 0.0
        self._counts: dict[str, _Counts] = {}
        self._names: dict[str, list[str]] = {}
        self._terminal = stream.isatty()

    def started(self, task: str, collections: Sequence[str]) -> None:
        """A session of `task` has begun; the order of `collections` is that of its bindings."""
        with self._lock:
            self._names[task] = list(collections)
            for name in collections:
                self._counts.setdefault(name, _Counts())
            self._tell(f"{task}: capturing {len(collections)} bindings, waiting for the first checkpoint")

    def committed(self, task: str, transaction: Transaction) -> None:
        """`transaction` is durable."""
        with self._lock:
            for name, combined in zip(self._names[task], transaction.documents, strict=True):
                self._counts[name].documents += len(combined)
                self._counts[name].bytes += sum(map(len, combined.values()))
            now = time.monotonic()
            if now - self._told >= LINE_SECONDS:
                total = sum(counts.documents for counts in self._counts.values())
                seconds = now - self._told
                rate, megabytes = (total - self._told_documents) / seconds, self._megabytes()
                speed = (megabytes - self._told_megabytes) / seconds
                self._told, self._told_documents, self._told_megabytes = now, total, megabytes
                per = ", ".join(
                    f"{name} {counts.documents:,}" for name, counts in self._counts.items() if counts.documents
                )
                self._tell(f"{task}: {total:,} documents, {rate:,.0f}/s, {speed:,.1f} MB/s ({per})")

    def staged(self, task: str, documents: int) -> None:
        """A checkpoint sequence outgrew memory, and waits on disk for its checkpoint."""
        with self._lock:
            self._tell(f"{task}: {documents:,} documents wait on disk for their checkpoint")

    def waiting(self, task: str, seconds: float) -> None:
        """`task` waits for its interval to pass."""
        with self._lock:
            self._tell(f"{task}: session done; the next one starts {seconds:g} s after this one did")

    def note(self, sentence: str) -> None:
        """Tell `sentence`."""
        with self._lock:
            self._tell(sentence)

    def close(self) -> None:
        """Nothing is told any more on the rewritten line."""
        if self._terminal:
            self._stream.write("\n")

    def summary(self, stream: TextIO, store_path: str) -> None:
        """Write what was captured, as a table, and a query to look at it."""
        seconds = time.monotonic() - self._began
        rows = [(name, f"{counts.documents:,}", f"{counts.bytes / 1e6:,.1f}") for name, counts in self._counts.items()]
        total = sum(counts.documents for counts in self._counts.values())
        rows.append(("total", f"{total:,}", f"{self._megabytes():,.1f}"))
        widths = [max(len(row[column]) for row in [("collection", "documents", "MB"), *rows]) for column in range(3)]
        stream.writelines(
            f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}\n"
            for row in [("collection", "documents", "MB"), *rows]
        )
        stream.write(f"\n{total:,} documents committed to {store_path} in {seconds:.1f} s ({total / seconds:,.0f}/s)\n")
        if self._counts:
            largest = max(self._counts, key=lambda name: self._counts[name].documents)
            query = f'select * from "{largest}" limit 5'  # noqa: S608 -- for a person to paste
            stream.write(f"Query it: headwater sql --store {store_path} '{query}'")
            stream.write("\n")

    def _megabytes(self) -> float:
        return sum(counts.bytes for counts in self._counts.values()) / 1e6

    def _tell(self, sentence: str) -> None:
        if self._terminal:
            self._stream.write(f"\r\x1b[2K{sentence}")
        else:
            self._stream.write(sentence + "\n")
        self._stream.flush()
