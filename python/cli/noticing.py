"""Errors of a command that nobody watches, told to people in a chat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from python.protocol.errors import HeadwaterError

__all__ = ["noticed", "noticing"]


def noticed(text: str) -> None:
    """People are told `text`. Raises HeadwaterError where nobody can be."""
    from python.registry.service.notices import VARIABLES, notify, webhook_in  # noqa: PLC0415 -- --help must be quick

    webhook = webhook_in(os.environ)
    if webhook is None:
        raise HeadwaterError(f"nobody can be told: neither {' nor '.join(VARIABLES)} is set")
    notify(webhook, text)


@contextmanager
def noticing(command: str, *, is_wanted: bool) -> Iterator[None]:
    """Within, an error is told to people, too, if that `is_wanted`; if it cannot be, stderr says so as well."""
    try:
        yield
    except HeadwaterError as error:
        if is_wanted:
            _notice_of(f"{command} failed: {error}")
        raise


def _notice_of(text: str) -> None:
    try:
        noticed(text)
    except HeadwaterError as error:
        click.echo(f"headwater: {error}", err=True)
