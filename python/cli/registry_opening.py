"""The bucket and the keys that `headwater registry …` is called with."""

from __future__ import annotations

import pathlib

from python.protocol.errors import HeadwaterError
from python.registry.generation.publication import Sign
from python.registry.store import Store, StoreError, open_store

__all__ = ["content_of", "opened", "signer_of"]


def opened(bucket: str) -> Store:
    """Return the store at `bucket`. Raises StoreError for a folder that is not there: it is misspelt, most likely."""
    if not bucket:
        raise StoreError("the bucket has no name: give a folder, gs://bucket/prefix or s3://bucket/prefix")
    store = open_store(bucket)
    if "://" not in store.address and store.address != "memory:" and not pathlib.Path(store.address).is_dir():
        if pathlib.Path(store.address).exists():
            raise StoreError(f"{store.address} is a file, want a folder")
        raise StoreError(f"there is no folder {store.address}: `metadata_service upload` makes one")
    return store


def signer_of(key: pathlib.Path | None) -> Sign | None:
    """Return what signs with the private key in the file `key`, None where there is no file."""
    if key is None:
        return None
    from python.registry.generation.signing import signer  # noqa: PLC0415 -- a package that most do not need

    return signer(content_of(key))


def content_of(path: pathlib.Path) -> bytes:
    """Return what a file holds. Raises HeadwaterError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise HeadwaterError(f"{path} cannot be read: {error.strerror}") from None
