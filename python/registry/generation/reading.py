"""The bucket's files as generation reads them: what was asked for is remembered, so that a run tells what changed."""

from __future__ import annotations

import datetime as dt

import msgspec

from python.registry.generation.entries import EntryError
from python.registry.generation.listing import METADATA, Listing
from python.registry.generation.metrics import Metrics
from python.registry.store import NotFoundError, PathError, Store

__all__ = ["Context", "Files"]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What all connectors of a run share. `base_url` is where readers find the bucket, None where they cannot.

    `metrics` are what a warehouse tells of connectors. `allow_breaking` is as `Options` has it.
    """

    store: Store
    listing: Listing
    now: dt.datetime
    base_url: str | None = None
    metrics: Metrics = {}
    allow_breaking: bool = False


class Files:
    """The bucket's files, for the connector `repository`.

    `outside` has the generation of each that was asked for and is not in the connector's own folder, None if missing.
    """

    def __init__(self, context: Context, repository: str) -> None:
        self._store = context.store
        self._listing = context.listing
        self._own = f"{METADATA}{repository}/"
        self.outside: dict[str, str | None] = {}
        self.sha256: dict[str, str] = {}

    def get(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where the listing has none. Raises EntryError for one that vanishes."""
        if not self.has(path):
            return None
        try:
            blob = self._store.get(path)
        except NotFoundError:
            raise EntryError(f"{path} was deleted meanwhile") from None
        except PathError as error:  # a folder, or another tool's bucket, may have names that a store must not have
            raise EntryError(f"it cannot be read: {error}") from None
        self.sha256[path] = blob.version.sha256 or ""
        return blob.data

    def has(self, path: str) -> bool:
        """Return whether there is a file at `path`."""
        version = self._listing.files.get(path)
        if not path.startswith(self._own):
            self.outside[path] = version.generation if version else None
        return version is not None
