"""`headwater import`: code of upstream repositories in ours."""

from __future__ import annotations

import pathlib

import click

from python.cli.group import headwater, sentences

__all__: list[str] = []


@headwater.group("import")
def importing() -> None:
    """Import folders of upstream repositories, and see where they stand."""


@importing.command()
@click.argument("remote")
@click.argument("ref", metavar="SOURCE_REF")
@click.argument("prefix", metavar="SOURCE_PREFIX")
@click.argument("dest", metavar="DEST_PREFIX")
@click.argument("licence", metavar="LICENSE_ID")
@click.argument("licence_path", metavar="SOURCE_LICENSE_PATH")
@click.option("--moved-from", metavar="PREFIX", help="Where upstream had the folder at the last import, if elsewhere.")
def pull(**options: str) -> None:
    """Import a folder of an upstream repository, or its changes since the last import, as a merge commit.

    \b
    REMOTE               a remote of this repository: git remote add --no-tags REMOTE URL
    SOURCE_REF           a branch or a tag of that, or the hash of a commit
    SOURCE_PREFIX        the folder there; . is all of it
    DEST_PREFIX          the folder here, as seen from the top of this repository
    LICENSE_ID           SPDX identifier or expression: MIT, "MIT OR Apache-2.0"
    SOURCE_LICENSE_PATH  the file there that says so, as seen from the top: LICENSE

    Local edits are kept. Where upstream changed the same lines, a merge is left in progress: mend the files, git add
    them, and git commit. Exit status: 0 if imported, or if nothing is new; 1 if not; 2 for a wrong call.
    """  # noqa: D301 -- \b is click's: it keeps these lines as they are
    with sentences():
        from python.importing import pulling  # noqa: PLC0415 -- lazily, see `commands`

        for line in pulling.pull(pulling.Order(**options), pathlib.Path.cwd()):
            click.echo(line)


@importing.command()
@click.argument("folders", metavar="[CONNECTOR]...", nargs=-1)
@click.option("--fetch", is_flag=True, help="Ask the remotes for news; without it, only what is known here counts.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each imported folder.")
def status(folders: tuple[str, ...], *, fetch: bool, as_json: bool) -> None:
    """Show which commit of upstream each imported folder is, how far that lies behind, and what was edited since."""
    with sentences():
        import msgspec  # noqa: PLC0415 -- lazily, see `commands`

        from python.importing import import_status  # noqa: PLC0415 -- lazily, see `commands`
        from python.importing.repository import here  # noqa: PLC0415 -- lazily, see `commands`

        found = import_status.import_statuses(here(pathlib.Path.cwd()), folders, fetch=fetch)
        lines = (msgspec.json.encode(each).decode() for each in found) if as_json else import_status.status_lines(found)
        for line in lines:
            click.echo(line)
