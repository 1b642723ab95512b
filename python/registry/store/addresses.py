"""Which store an address names."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping

from python.registry.store.base import Store, StoreError
from python.registry.store.folder import FolderStore
from python.registry.store.memory import MemoryStore

__all__ = ["open_store"]

_GOOGLE = ("GCS_CREDENTIALS", "STORAGE_EMULATOR_HOST")


def open_store(address: str, environment: Mapping[str, str] = os.environ) -> Store:
    """Return the store at `address`: "gs://bucket/prefix", "s3://bucket/prefix", "memory:", or the path of a folder.

    A word without a slash is Airbyte's form, the name of a bucket of Google's, where GCS_CREDENTIALS (the raw JSON of a
    service account) or STORAGE_EMULATOR_HOST is set, unless a folder is called so; elsewhere it is a folder.
    Nothing is asked of the store yet. Raises StoreError for an address of another kind, for credentials that cannot be
    read, and where the package that the store needs is not installed.
    """
    if not address.strip():  # a variable that is not set: the folder that it would mean is where one happens to be
        raise StoreError("the address of the bucket is empty: want a folder, gs://bucket/prefix or s3://bucket/prefix")
    scheme, found, rest = address.partition("://")
    if address == "memory:":
        return MemoryStore()
    if not found:
        if _is_bucket(address, environment):
            return _in_bucket("gs", address, environment)
        return FolderStore(pathlib.Path(address).absolute())
    if scheme in ("gs", "s3"):
        return _in_bucket(scheme, rest, environment)
    raise StoreError(f"{address} names no store: want a folder, gs://bucket/prefix, s3://bucket/prefix or memory:")


def _is_bucket(address: str, environment: Mapping[str, str]) -> bool:
    is_word = "/" not in address and address not in ("", ".", "..") and not pathlib.Path(address).is_dir()
    return is_word and any(environment.get(name) for name in _GOOGLE)


def _in_bucket(scheme: str, rest: str, environment: Mapping[str, str]) -> Store:
    bucket, _, prefix = rest.partition("/")
    if not bucket:
        raise StoreError(f"{scheme}:// lacks the name of a bucket: want {scheme}://bucket or {scheme}://bucket/prefix")
    try:
        if scheme == "gs":
            from python.registry.store.gcs import open_gcs  # noqa: PLC0415 -- a package that most do not need

            return open_gcs(bucket, prefix.strip("/"), environment)
        from python.registry.store.s3 import open_s3  # noqa: PLC0415 -- same

        return open_s3(bucket, prefix.strip("/"))
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{scheme}://{rest} needs a package that is not installed, {error.name}: pip install 'headwater[registry]'"
        ) from None
