"""`headwater migrate-test`: whether a connector goes on from another one's state."""

from __future__ import annotations

import sys
from typing import Any

import click

from python.cli.group import headwater, sentences

__all__: list[str] = []


@headwater.command("migrate-test")
@click.option("--from", "state", required=True, metavar="STATE", help="File with the state of the task; - for stdin.")
@click.option("--to", required=True, metavar="FOLDER", help="Folder of the new connector, or a Flow spec that runs it.")
@click.option("--name", help="Capture of the spec, where it has several.")
@click.option("--allow-restart", "allowed", multiple=True, metavar="BINDING", help="May start over; more than once.")
@click.option("--timeout", help="Ask each of the two runs to end after this long, as 10s or 1m 30s.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
@click.option("--json", "form", flag_value="json", help="Print one line of JSON.")
@click.option("--table", "form", flag_value="table", default=True, help="Print for a person; the default.")
def migrate_test(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Run a connector from STATE, and from nothing, and show what each binding resumes, restarts or loses.

    STATE is what airbyte-to-flow stored, in any of its forms, or one of Estuary's shims, a Singer tap, or Headwater.
    Exit status: 0 if nothing starts over or is lost, 1 if something does, 2 for errors, 3 if of something nobody can
    tell: documents did not come, and nothing shows that they were captured before.
    """
    with sentences(status=2):
        from python.cli import migrating  # noqa: PLC0415 -- lazily, see the module's docstring

        told, status = migrating.tell(migrating.Options(**options))
        click.echo(told)
        sys.exit(status)
