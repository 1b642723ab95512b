"""The `metadata_service` command: a connector's metadata validated, uploaded, promoted, rolled back and yanked."""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and exit, with a status that its help explains."""
    try:
        from python.cli.metadata_service_commands import metadata_service  # noqa: PLC0415 -- the core has no click

        metadata_service(prog_name="metadata_service")
    except ModuleNotFoundError as error:
        reason = f"{error.name} is missing: pip install 'headwater[registry]'"
        sys.stderr.write(f"metadata_service: the tools for registries are not installed ({reason})\n")
        sys.exit(2)
    raise AssertionError("click exits by itself")
