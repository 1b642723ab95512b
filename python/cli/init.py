"""The command `headwater init`. What it does stands in `python.cli.initializing`, imported inside."""

from __future__ import annotations

from typing import Any

import click

from python.cli.group import headwater, sentences

__all__ = ["init"]


@headwater.command()
@click.argument("name")
@click.option("--airbyte", metavar="PACKAGE", help="Wrap an Airbyte source: airbyte-source-x, x==1.2, ./a-folder.")
@click.option("--singer", metavar="PACKAGE", help="Wrap a Singer tap: tap-x, tap-x==1.2, ./a-folder.")
@click.option("--manifest", metavar="FILE", help="Run a declarative manifest, which is copied.")
@click.option("--native", is_flag=True, help="Write a small connector in Python, to go on from.")
@click.option("--entry", help="What of a package to wrap, where it has several: module:Class, or a command.")
@click.option("--with", "requirements", multiple=True, metavar="REQUIREMENT", help="Install that, too; repeatable.")
def init(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Write the folder of a new connector, NAME, which passes its tests at once.

    NAME is source-x, materialize-x or derive-x. Where anything fails, nothing is written. What pull_upstream.sh has
    imported into the folder NAME is wrapped there, once it is committed: --airbyte ./NAME, or ./NAME/a-folder.
    """
    with sentences():
        from python.cli import initializing  # noqa: PLC0415 -- lazily, see the module's docstring

        for line in initializing.lines(initializing.Options(**options)):
            click.echo(line)
