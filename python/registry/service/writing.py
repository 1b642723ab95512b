"""A version written to a bucket: whole or not at all, once and for all, whoever else writes, wherever it is killed.

The first write, `files.json`, claims the version for exactly these files: it is made only where there is none. The
last, `metadata.yaml`, makes it a version. Whoever finds the claim of the same files goes on with them, so an upload
that was killed is done by doing it again. Another's claim is heeded, until it is so old that its writer has given up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.service.layout import FILES, MARKER, At, Sum, found
from python.registry.store import ABSENT, Blob, ConflictError, NotFoundError, Store, Unchanged, When

__all__ = ["CLAIM_SECONDS_MAX", "WRITE_SECONDS_MAX", "Claim", "ImmutableError", "Written", "claim_of", "write"]

WRITE_SECONDS_MAX = 10 * 60
"""A writer that has not finished by then gives up. A version is some files of a few kilobytes."""

CLAIM_SECONDS_MAX = 60 * 60
"""A claim older than that is nobody's: its writer gave up long ago, even where clocks differ by minutes."""


class ImmutableError(HeadwaterError):
    """A version is there already, or is being uploaded, with other files. Whoever uploads must act."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What `files.json` holds: which files the version has, by name, and when it was begun."""

    files: Mapping[str, Sum]
    begun: dt.datetime


class Written(msgspec.Struct, frozen=True):
    """Whether the version was not there before."""

    is_new: bool


def write(store: Store, at: At, files: Mapping[str, bytes], now: Callable[[], dt.datetime]) -> Written:
    """The version `at` is there, with `files`, among them `metadata.yaml`; nothing is done where it was there already.

    Raises ImmutableError, with nothing changed, where it has other files or somebody else is writing it.
    """
    sums = {name: Sum(len(data), hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items())}
    begun = now()
    if _is_there(store, at, files, sums):
        return Written(is_new=False)
    mine = Claim(files=sums, begun=begun)
    leftover = _claimed(store, at, mine)
    for name in sorted(files.keys() - {MARKER}):
        _put(store, at.path(name), files[name])
    for name in sorted(leftover.files.keys() - files.keys() if leftover else ()):
        store.delete(at.path(name))
    if (now() - begun).total_seconds() > WRITE_SECONDS_MAX:
        raise ImmutableError(f"{at}: gave up after {WRITE_SECONDS_MAX // 60} minutes; upload it once more")
    _check_still(store, at, mine)
    try:
        store.put(at.path(MARKER), files[MARKER], when=ABSENT, cache_control="no-cache")
    except ConflictError:
        if found(store, at.path(MARKER)) != files[MARKER]:
            raise ImmutableError(_other(at)) from None
        return Written(is_new=False)  # somebody else was uploading the same
    return Written(is_new=True)


def claim_of(store: Store, at: At) -> Claim | None:
    """Return the claim of the version `at`, None where it has none that can be read: another tool made the version."""
    data = found(store, at.path(FILES))
    return _decoded(data) if data is not None else None


def _is_there(store: Store, at: At, files: Mapping[str, bytes], sums: Mapping[str, Sum]) -> bool:
    there = found(store, at.path(MARKER))
    if there is None:
        return False
    claim = claim_of(store, at)
    if there != files[MARKER] or (claim is not None and claim.files != sums):
        raise ImmutableError(_other(at, _changed(claim, sums) if claim else ()))
    return True


def _claimed(store: Store, at: At, mine: Claim) -> Claim | None:
    """`mine` is the claim of the version `at`. Return the abandoned one that it takes the place of, if any."""
    when: When = ABSENT
    path, before = at.path(FILES), None
    there = _blob(store, path)
    if there is not None:
        before = _decoded(there.data)
        if before is None or before.files != mine.files:  # else an upload that was killed goes on, with all its time
            _check_abandoned(at, before, there, mine)
        when = Unchanged(there.version.generation)
    try:
        store.put(path, msgspec.json.encode(mine), when=when, cache_control="no-cache")
    except ConflictError:
        now_there = claim_of(store, at)
        if now_there is None or now_there.files != mine.files:
            raise ImmutableError(f"{at}: somebody else is uploading it with other files; nothing was changed") from None
    return before


def _check_abandoned(at: At, before: Claim | None, there: Blob, mine: Claim) -> None:
    is_known = before is not None and before.begun <= mine.begun  # else by a clock that is ahead: the store's counts
    begun = before.begun if before and is_known else there.version.updated
    age = max(0.0, (mine.begun - begun).total_seconds())
    if age <= CLAIM_SECONDS_MAX:
        changed = _changed(before, mine.files) if before else (FILES,)
        raise ImmutableError(
            f"{at}: an upload with other files ({', '.join(changed)}) was begun {age:.0f} seconds ago and has not "
            f"ended; upload those files again, or wait until it is {CLAIM_SECONDS_MAX // 60} minutes old"
        )


def _check_still(store: Store, at: At, mine: Claim) -> None:
    """Raise ImmutableError where somebody whose clock is far from ours took our claim for abandoned."""
    claim = claim_of(store, at)
    if claim is None or claim.files != mine.files:
        raise ImmutableError(f"{at}: somebody else began to upload it with other files; nothing can be seen of ours")


def _put(store: Store, path: str, data: bytes) -> None:
    """The object at `path` is `data`; it is written only where it was not so."""
    when: When = ABSENT
    there = _blob(store, path)
    if there is not None:
        if there.data == data:
            return
        when = Unchanged(there.version.generation)  # of an upload that was given up
    try:
        store.put(path, data, when=when)
    except ConflictError:
        if found(store, path) != data:
            raise


def _blob(store: Store, path: str) -> Blob | None:
    try:
        return store.get(path)
    except NotFoundError:
        return None


def _decoded(data: bytes) -> Claim | None:
    try:
        return msgspec.json.decode(data, type=Claim)
    except msgspec.DecodeError:
        return None


def _changed(claim: Claim | None, sums: Mapping[str, Sum]) -> tuple[str, ...]:
    there = claim.files if claim else {}
    return tuple(sorted(name for name in {*there, *sums} if there.get(name) != sums.get(name)))


def _other(at: At, changed: tuple[str, ...] = ()) -> str:
    what = f"other files ({', '.join(changed)})" if changed else "another metadata.yaml"
    return f"{at}: is uploaded already, with {what}, and versions never change: raise dockerImageTag"
