"""What a table consists of: its manifest, of which each version is a file that is written once.

A version is committed by creating its file, which only one session can. So what a session of long ago would commit
has been committed already, by another one: it reads the newer version, finds that its key range was taken over, and
fails. The versions before the last two are removed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping

import msgspec

from materialize_parquet.folder import Folder
from python.materialize_staged import overlap, range_key, range_of
from python.protocol.errors import ConnectorError
from python.protocol.flow import RangeSpec

__all__ = ["MANIFESTS", "Bucket", "ColumnOf", "Ledger", "Manifest", "with_holder"]

MANIFESTS = "_manifests"
"""The folder of a table's manifests."""

_ATTEMPTS_MAX = 100  # shards that commit at the same time make each other try again, a few times
_DIGITS = 20
_VERSION = re.compile(rf"[0-9]{{{_DIGITS}}}\.json")
_KEPT = 2  # so that who has just read which version is the last one can read it


class ColumnOf(msgspec.Struct, frozen=True):
    """A column of a table; `type` is one of `columns.ARROW`."""

    name: str
    type: str
    key: bool = False


class Bucket(msgspec.Struct, frozen=True):
    """The rows of the keys whose hashes begin with the bits `prefix`, a text of 0 and 1. `file` is "" without rows."""

    prefix: str = ""
    file: str = ""
    rows: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One version of a table.

    With `delta` the rows are in all its part files, and `buckets` are what was there before; without, in those of the
    `buckets`, which share the hashes of keys between them. `state_key` is that of the binding, so a raised backfill
    counter changes it. `applied` is the last transaction of each key range, `holders` the session that may commit for
    it. While it is `emptying`, there are part files left to remove.
    """

    version: int = 0
    collection: str
    state_key: str
    delta: bool
    columns: tuple[ColumnOf, ...]
    buckets: tuple[Bucket, ...] = (Bucket(),)
    emptying: bool = False
    applied: dict[str, str] = {}
    holders: dict[str, str] = {}

    def require(self, own: RangeSpec, session: str, where: str) -> None:
        """Raise ConnectorError where another session has taken over the key range `own`."""
        if self.holders.get(range_key(own)) != session:
            raise ConnectorError(
                f"another session has taken over the key range {range_key(own)} of the table {where}: this one is "
                "fenced off, and its transaction was not applied"
            )


class Ledger:
    """The manifests of the table in `folder`."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def last(self) -> Manifest | None:
        """Return the last version; None where there is no table."""
        for _ in range(_ATTEMPTS_MAX):
            versions = self._versions()
            if not versions:
                return None
            with contextlib.suppress(FileNotFoundError):  # where two more versions came meanwhile
                return self._read(_file(versions[-1]))
        raise self._busy()

    def _read(self, name: str) -> Manifest:
        try:
            return msgspec.json.decode(self._folder.read(name), type=Manifest)
        except msgspec.DecodeError as error:
            raise ConnectorError(
                f"{self._folder.named}/{name} is no manifest: {error}; restore it, or remove the table's folder and "
                "raise the backfill counter of its binding"
            ) from None

    def commit(self, change: Callable[[Manifest | None], Manifest]) -> Manifest:
        """Commit what `change` makes of the last version, unless it is the same, and return what is there then.

        `change` is asked again where another session was first; it raises ConnectorError where there is no place any
        more for its change.
        """
        for _ in range(_ATTEMPTS_MAX):
            before = self.last()
            changed = change(before)
            if changed == before:
                return changed
            after = msgspec.structs.replace(changed, version=before.version + 1 if before else 1)
            if not self._folder.create(_file(after.version), msgspec.json.encode(after)):
                continue
            versions = self._versions()
            for version in versions[:-_KEPT]:
                self._folder.remove(_file(version))
            if after.version in versions[-_KEPT:]:
                return after
        raise self._busy()

    def _busy(self) -> ConnectorError:
        return ConnectorError(f"{self._folder.named}: other sessions commit all the time; try again later")

    def _versions(self) -> list[int]:
        return sorted(int(name[:_DIGITS]) for name in self._folder.names(MANIFESTS) if _VERSION.fullmatch(name))


def with_holder(manifest: Manifest, own: RangeSpec, session: str) -> Manifest:
    """Return `manifest` with `session` as the one that may commit for `own`, and none for ranges that overlap it."""
    others: Mapping[str, str] = {
        key: holder for key, holder in manifest.holders.items() if not overlap(range_of(key), own)
    }
    return msgspec.structs.replace(manifest, holders={**others, range_key(own): session})


def _file(version: int) -> str:
    return f"{MANIFESTS}/{version:0{_DIGITS}}.json"
