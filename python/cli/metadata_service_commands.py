"""What `metadata_service` takes: its commands, their arguments and options. `metadata_serving` does the work."""

from __future__ import annotations

import importlib
import pathlib
import sys
from types import ModuleType
from typing import Any, NoReturn

import click

__all__ = ["metadata_service"]

_EXITS = """
\b
Exit status:
  0  done
  1  the metadata is wrong, or a file or version is missing; nothing was changed
  2  a wrong call
  3  the version is there with other files, or somebody else is writing it
  4  something breaks, and breakingChanges does not tell
  5  nothing to do: it was so already
  6  the bucket cannot be reached
  130  it was interrupted; nothing that is half done can be seen, and doing it again ends it
"""

_OTHER_NAMES = {
    "promote-release-candidate": "promote",
    "rollback-release-candidate": "rollback",
    "yank-version": "yank",
    "unyank-version": "unyank",
}
"""What Airbyte's library calls them."""


class _Group(click.Group):
    """Commands by any of their names, with underscores or dashes."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.replace("_", "-")
        return super().get_command(ctx, _OTHER_NAMES.get(name, name))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sentence = "metadata_service: interrupted; nothing half done can be seen, and doing it again ends it"
            click.echo(sentence, err=True)
            ctx.exit(130)


@click.group(
    cls=_Group,
    epilog=_EXITS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="headwater")
def metadata_service() -> None:
    """Keep connectors' metadata in a bucket, from which registries are made.

    BUCKET is a folder, gs://bucket/prefix, s3://bucket/prefix, or the name of a bucket of Google's where
    GCS_CREDENTIALS is set; METADATA_BUCKET if not given. Commands may be written with underscores.
    """


def _serving() -> ModuleType:
    """Return what does the work, lazily: `--help` answers at once."""
    return importlib.import_module("python.cli.metadata_serving")


_BUCKET = click.argument("bucket", envvar="METADATA_BUCKET")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_LENIENT = click.option("--lenient", is_flag=True, help="Only warn of members that nobody knows, and leave them out.")
_IMAGES = click.option("--check-images", is_flag=True, help="Ask registries whether the images are there.")
_REASON = click.option("--reason", required=True, help="Why; it is kept with the version.")
_ACCOUNT = click.option(
    "-sa",
    "--service-account-file",
    "account",
    type=click.Path(path_type=pathlib.Path),
    help="A file with what GCS_CREDENTIALS would hold.",
)


@metadata_service.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=pathlib.Path))
@click.option("--docs", type=click.Path(path_type=pathlib.Path), help="Its page, or the folder of Airbyte's pages.")
@_LENIENT
@_IMAGES
@_JSON
def validate(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Tell all that is wrong with metadata files, each with its line and what to do.

    A folder means its metadata.yaml. The rules are those of upload, but for what the bucket knows.
    """
    sys.exit(_serving().validate(**options))


@metadata_service.command()
@click.argument("file", metavar="METADATA", type=click.Path(path_type=pathlib.Path))
@click.argument("places", metavar="[DOCS] BUCKET", nargs=-1)
@click.option(
    "--prerelease", metavar="TAG", help="Upload it as this version, for trying it out: 1.4.1-preview.g820ce48."
)
@click.option("--disable-dockerhub-checks", is_flag=True, hidden=True, help="As it is without --check-images.")
@_LENIENT
@_IMAGES
@_ACCOUNT
@_JSON
def upload(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Upload a version: METADATA (a file, or the folder it is in) and what is beside it.

    Beside it may be README.md, icon.svg, manifest.yaml, components.py, spec.json, catalog.json, and snapshots that the
    connector's tests keep. DOCS is its page, if elsewhere, or the folder of Airbyte's pages. A version never changes:
    the same files again do nothing, others are refused.
    """
    sys.exit(_serving().upload(**options))


@metadata_service.command()
@click.argument("repository")
@click.argument("version")
@_BUCKET
@_ACCOUNT
def promote(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Make the release candidate VERSION of REPOSITORY a release: 1.4.0-rc.2 is there as 1.4.0, too."""
    sys.exit(_serving().promote(**options))


@metadata_service.command()
@click.argument("repository")
@click.argument("version")
@_BUCKET
@click.option("--reason", default="rolled back", show_default=True, help="Why; it is kept with the version.")
@_ACCOUNT
def rollback(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Take back the release candidate VERSION of REPOSITORY. For a release, see yank."""
    sys.exit(_serving().rollback(**options))


@metadata_service.command()
@click.argument("repository")
@click.argument("version")
@_BUCKET
@_REASON
@_ACCOUNT
def yank(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Take VERSION of REPOSITORY out of every registry; the newest that is left is the latest."""
    sys.exit(_serving().yank(**options))


@metadata_service.command()
@click.argument("repository")
@click.argument("version")
@_BUCKET
@_ACCOUNT
def unyank(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Have VERSION of REPOSITORY again, as if it had never been yanked."""
    sys.exit(_serving().unyank(**options))


@metadata_service.command()
@click.argument("old")
@click.argument("new")
@_BUCKET
@_ACCOUNT
@_JSON
def diff(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Tell what differs between OLD and NEW: each a REPOSITORY:VERSION of the bucket, or a metadata file."""
    sys.exit(_serving().diff(**options))


@metadata_service.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=pathlib.Path))
def upgrade(**options: Any) -> NoReturn:  # noqa: ANN401 -- click's
    """Write `registries`, as it was until 2023, as `registryOverrides`; the rest of the file stays."""
    sys.exit(_serving().upgrade(**options))
