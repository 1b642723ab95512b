"""What airbyte-cdk has renamed and removed in declarative manifests: what to write today."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OLD_DIALECT", "REMOVED_COMPONENTS"]

OLD_DIALECT: tuple[tuple[str, str], ...] = (
    ("$options", "`$options` is `$parameters` since airbyte-cdk 0.29"),
    ("*ref(", "`*ref(x)` is `$ref: '#/x'` since airbyte-cdk 0.29"),
)
"""What begins a key or a text that was written before airbyte-cdk 0.29, and what it is since then."""

REMOVED_COMPONENTS: Mapping[str, str] = {
    "CustomIncrementalSync": "airbyte-cdk 7.0 removed it: write a DatetimeBasedCursor, or install airbyte-cdk below 7",
}
"""Types of components that airbyte-cdk knows no more, and what to do."""
