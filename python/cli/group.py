"""The group of commands, and how errors are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from python.protocol.errors import HeadwaterError

__all__ = ["headwater", "sentences"]


@contextmanager
def sentences(status: int = 1) -> Iterator[None]:
    """Turn our errors into one sentence on stderr and exit status `status`; a reader that is gone ends us quietly."""
    try:
        yield
    except HeadwaterError as error:
        click.echo(f"headwater: {error}", err=True)
        sys.exit(status)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="headwater")
def headwater() -> None:
    """Run, look into and prove connectors that speak Estuary's Flow protocol."""
