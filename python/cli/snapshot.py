"""`headwater snapshot`: what a connector says and captures, kept beside its tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from python.cli.group import headwater, sentences

if TYPE_CHECKING:
    from python.acceptance.snapshots import Change

__all__: list[str] = []

_KINDS = ("spec", "discover", "capture", "state")
_TIMEOUT = "Seconds until a capture is asked to end; by default those of its pyproject.toml, or 120."


@headwater.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("kinds", nargs=-1, type=click.Choice(_KINDS))
@click.option("--update", "way", flag_value="update", help="Write what differs, too, and remove what nothing gives.")
@click.option("--check", "way", flag_value="check", help="Write nothing: tell what differs, and exit with status 1.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help=_TIMEOUT)
def snapshot(folder: str, kinds: tuple[str, ...], way: str | None, network: str, timeout: float | None) -> None:
    """Take snapshots of the capture in FOLDER by its test.flow.yaml: of all KINDS, or of those that are named.

    Those that are not kept yet are written; the others are compared with what is kept, and differences told.
    Exit status: 0 if all is as it is kept, 1 if something differs, 2 for errors.
    """
    with sentences(status=2):
        from python.cli import snapshotting  # noqa: PLC0415 -- lazily, see the module's docstring

        found = snapshotting.changes_of(folder, kinds or _KINDS, network, timeout)
        written = [change for change in found if way == "update" or (way is None and change.kept is None)]
        snapshotting.write(written)
        for change in found:
            click.echo(f"{change.path} is written" if change in written and change.now else _told(change, written))
        if not found:
            click.echo(f"{folder}: {', '.join(kinds or _KINDS)} as kept")
        if len(found) > len(written):
            click.echo(f"if that is right: headwater snapshot {' '.join([folder, *kinds])} --update")
            sys.exit(1)


def _told(change: Change, written: list[Change]) -> str:
    return f"{change.path} is removed" if change in written else change.told()
