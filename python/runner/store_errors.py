"""What an error of the embedded database means for the person whose store it is."""

from __future__ import annotations

import pathlib

from python.protocol.errors import HeadwaterError

__all__ = ["StoreError", "readable_error", "wants_memory"]

_MEANINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("conflicting lock", "used by another process"),
        "is in use by another process: wait for it, stop it, or give another file with --store",
    ),
    (
        ("no space left", "could not write", "file too large", "disk quota", "out of disk", "failed to offload"),
        "cannot be written, and nothing of this transaction is in it: free space on its disk and run again",
    ),
    (
        ("permission denied", "read-only file system", "read only file system"),
        "may not be written: change its permissions, or give another file with --store",
    ),
    (("does not exist", "no such file"), "does not exist: `headwater run` makes it, or give another with --store"),
    (
        ("not a valid duckdb", "newer version of duckdb", "older version of duckdb", "serialization version"),
        "is not a file that this DuckDB can read: give another file with --store, or update headwater",
    ),
    (
        ("increasing the memory limit",),
        "needs more memory for this transaction than there is: its documents are too large to be kept",
    ),
)


class StoreError(HeadwaterError):
    """The store cannot be used: another process has it, the disk is full, or the file is none of ours."""


def readable_error(path: str, error: Exception) -> StoreError:
    """Return the sentence for `error`, which DuckDB or the operating system raised over the store at `path`."""
    if isinstance(error, IsADirectoryError) or pathlib.Path(path).is_dir():
        return StoreError(f"{path} is a folder: give a file with --store")
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    lowered = str(error).lower()
    for signs, meaning in _MEANINGS:
        if any(sign in lowered for sign in signs):
            return StoreError(f"{path} {meaning} ({text})")
    return StoreError(f"{path}: {text}")


def wants_memory(error: Exception) -> bool:
    """Whether `error` of DuckDB says that its memory limit was in the way. It names the remedy, however it failed."""
    return "increasing the memory limit" in str(error).lower()
