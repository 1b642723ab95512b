"""Where a registry keeps its objects: one small interface over a folder, memory, Google Cloud Storage and S3."""

from __future__ import annotations

from python.registry.store.addresses import open_store
from python.registry.store.base import (
    ABSENT,
    ALWAYS,
    Absent,
    Always,
    Blob,
    ConflictError,
    NotFoundError,
    PathError,
    Store,
    StoreError,
    Unchanged,
    Version,
    When,
)

__all__ = [
    "ABSENT",
    "ALWAYS",
    "Absent",
    "Always",
    "Blob",
    "ConflictError",
    "NotFoundError",
    "PathError",
    "Store",
    "StoreError",
    "Unchanged",
    "Version",
    "When",
    "open_store",
]
