"""Every command of `headwater`."""

from __future__ import annotations

from python.cli import connector_commands, init, runner_commands
from python.cli.group import headwater

__all__ = ["connector_commands", "headwater", "init", "runner_commands"]
