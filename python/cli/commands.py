"""Every command of `headwater`."""

from __future__ import annotations

from python.cli import (
    acceptance,
    builder,
    connector_commands,
    importing,
    init,
    manifest,
    manifest_export,
    migrate_test,
    registry,
    registry_steps,
    runner_commands,
    snapshot,
)
from python.cli.group import headwater

__all__ = [
    "acceptance",
    "builder",
    "connector_commands",
    "headwater",
    "importing",
    "init",
    "manifest",
    "manifest_export",
    "migrate_test",
    "registry",
    "registry_steps",
    "runner_commands",
    "snapshot",
]
