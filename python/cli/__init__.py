"""The `headwater` command. Commands are imported when they are called, so that `--help` answers at once."""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and exit: 0 for success, 1 for a failure told in one sentence, 2 for a wrong call."""
    try:
        from python.cli.commands import headwater  # noqa: PLC0415 -- the core alone has no click
    except ModuleNotFoundError as error:
        sys.exit(f"headwater: the tools are not installed ({error.name} is missing): pip install 'headwater[runner]'")
    headwater()
    raise AssertionError("click exits by itself")
