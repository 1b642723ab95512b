"""Commands for a connector's life, from its first file to its release.

What they do stands in modules beside this one, in `python.importing` and `python.acceptance`, imported inside of each.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from python.cli.group import headwater, sentences
from python.protocol.errors import HeadwaterError

__all__: list[str] = []


@headwater.command()
@click.argument("old")
@click.argument("new")
@click.option("--run", is_flag=True, help="Run connectors in folders, and in git, whatever snapshots their tests keep.")
@click.option("--no-capture", "capture", flag_value=False, default=True, help="Run for spec and bindings alone.")
@click.option("--source", help="Flow spec with the config to ask with; by default test.flow.yaml of the folder.")
@click.option("--name", help="Capture of that spec, where it has several.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
@click.option("--json", "form", flag_value="json", help="Print one line of JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="Print the text of a pull request.")
@click.option("--table", "form", flag_value="table", default=True, help="Print for a person; the default.")
def compare(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Classify what changed between two versions of a connector, and whether VERSION was raised enough.

    OLD and NEW are folders, snapshots (JSON files), folders in git (REVISION:source-x) or images (with a tag). What is
    both NAME:TAG and REVISION:FOLDER is the folder where the revision has it, or else the image; with its registry
    (ghcr.io/estuary/source-x:v1), an image is never taken for a folder.
    Exit status: 0 if VERSION is high enough for the gravest change, 1 if it is not, 2 for errors.
    """
    with sentences(status=2):
        from python.cli import comparing  # noqa: PLC0415 -- lazily, see the module's docstring

        told, enough = comparing.tell(comparing.Options(**options))
        click.echo(told)
        sys.exit(not enough)


@headwater.command()
@click.option("--since", metavar="REVISION", help="Only those that a change since then touches; by default all.")
@click.option("--json", "form", flag_value="json", help="Print one line of JSON: their names.")
@click.option("--matrix", "form", flag_value="matrix", help="Print the entries of a matrix of GitHub Actions.")
@click.option("--names", "form", flag_value="names", default=True, help="Print a line for each; the default.")
def changed(since: str | None, form: str) -> None:
    """List the connectors of this repository, or those that a change touches: what CI tests and builds anew."""
    with sentences():
        from python.cli import changing  # noqa: PLC0415 -- lazily, see the module's docstring

        for line in changing.lines(since, form):
            click.echo(line)


@headwater.command()
@click.argument("connector")
@click.option("--check", is_flag=True, help="Write nothing: tell what is lacking, and exit with status 1.")
@click.option("--image", help="Image that has to be what the folder is, as ghcr.io/estuary/source-x:local.")
@click.option("--since", default="HEAD", show_default=True, help="Revision of git in whose history to look.")
@click.option("--no-ask", "ask", flag_value=False, default=True, help="Trust the snapshots: do not run the connector.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
@click.option("--markdown", is_flag=True, help="Print for a pull request: first what has changed.")
@click.option("--bucket", help="Upload the release, with its metadata.yaml: a folder, gs://bucket or s3://bucket.")
def release(bucket: str | None, **options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Raise VERSION by what has changed since CONNECTOR's last release, and write its CHANGELOG and README.

    Its snapshots have to be what the connector says, and what its image says. The last release is the newest commit
    that wrote a heading of its CHANGELOG.md. With --bucket, a release is uploaded, too, as `metadata_service upload`
    would: commit it first, then --check --bucket.
    Exit status: 0 for a release, 1 if something is lacking, 2 for errors.
    """
    with sentences(status=2):
        from python.cli import releasing  # noqa: PLC0415 -- lazily, see the module's docstring

        told = releasing.release(releasing.Options(**options))
        click.echo(told.text)
        if bucket is None or not told.fine:
            sys.exit(not told.fine)
        try:
            from python.cli import publishing  # noqa: PLC0415 -- lazily, see the module's docstring
        except ModuleNotFoundError as error:
            reason = f"{error.name} is missing: pip install 'headwater[registry]'"
            raise HeadwaterError(f"not uploaded: the tools for registries are not installed ({reason})") from None
        published = publishing.publish(options["connector"], bucket)
        click.echo(published.text)
        sys.exit(not published.fine)
