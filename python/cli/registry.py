"""`headwater registry …`: from connectors' versions in a bucket to the registries that platforms read."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from python.cli.group import headwater, sentences
from python.cli.noticing import noticed, noticing
from python.protocol.errors import HeadwaterError

__all__ = ["bucket_argument", "registry", "tools_of"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


@headwater.group("registry")
def registry() -> None:
    """Make connector registries of the versions in a bucket, publish them, and tell of them.

    BUCKET is a folder, gs://bucket/prefix or s3://bucket/prefix; METADATA_BUCKET if not given.
    """


@contextmanager
def tools_of(module: str = "registering") -> Iterator[ModuleType]:
    """Give the module of `python.cli` that does the work, and tell errors in one sentence, with exit status 2.

    It is imported lazily: `headwater --help` must not import the world.
    """
    with sentences(status=2):
        try:
            found = importlib.import_module(f"python.cli.{module}")
        except ModuleNotFoundError as error:
            reason = f"{error.name} is missing: pip install 'headwater[registry]'"
            raise HeadwaterError(f"the tools for registries are not installed ({reason})") from None
        yield found


def bucket_argument(command: _Command) -> _Command:
    """Give a command its BUCKET: the address of what it is about."""
    return click.argument("bucket", envvar="METADATA_BUCKET")(command)


_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead.")


@registry.command("generate")
@bucket_argument
@click.option("--dry-run", is_flag=True, help="Tell what would be published, and write nothing.")
@click.option(
    "--base-url", envvar="METADATA_CDN_BASE_URL", help="Where readers find the bucket; entries then name icons."
)
@click.option("--allow-shrink", is_flag=True, help="Let connectors go whose files are gone, and any number at once.")
@click.option("--allow-breaking", is_flag=True, help="Take specs that break users without telling them.")
@click.option("--sign-key", type=click.Path(path_type=Path), help="A private key (PEM, Ed25519) to sign with.")
@click.option(
    "--keep", type=click.IntRange(1), default=20, show_default=True, help="Snapshots to keep; others go after a day."
)
@click.option("--notify", is_flag=True, help="Tell the webhook in SLACK_WEBHOOK_URL, too, what goes wrong now.")
@_json
def generate(bucket: str, *, dry_run: bool, keep: int, as_json: bool, **how: object) -> None:
    """Publish what the bucket's versions say, all registries at once. What has not changed is not written.

    A connector that is wrong keeps the entry that it had, and is told. Exit status: 0 if all is well, 1 if some are
    quarantined (the others are published), 2 if nothing could be published.
    """
    is_told = bool(how["notify"])
    with tools_of() as tools, noticing("headwater registry generate", is_wanted=is_told):
        done = tools.generated(bucket, how, dry_run=dry_run, keep=keep, as_json=as_json)
        click.echo(done.text)
        if is_told and done.is_worse:
            noticed(f"headwater registry generate {bucket}:\n{done.text}")
        sys.exit(not done.is_well)


@registry.command("snapshots")
@bucket_argument
def snapshots(bucket: str) -> None:
    """List the snapshots, the newest last; `*` marks the current one. Those never published cannot be gone back to."""
    with tools_of() as tools:
        click.echo(tools.listed(bucket))


@registry.command("diff")
@bucket_argument
@click.argument("old", required=False)
@click.argument("new", required=False)
@_json
def diff(bucket: str, old: str | None, new: str | None, *, as_json: bool) -> None:
    """Tell what the snapshot NEW (default: the current one) has otherwise than OLD (default: its parent).

    Exit status: 0 if they are the same, 1 if not, 2 if one cannot be read.
    """
    with tools_of() as tools:
        told, is_same = tools.differing(bucket, old, new, as_json=as_json)
        click.echo(told)
        sys.exit(not is_same)


@registry.command("rollback")
@bucket_argument
@click.option("--to", metavar="SNAPSHOT", help="The snapshot to go back to; default: the parent of the current one.")
@click.option("--reason", required=True, help="Why; it is told until somebody resumes.")
def rollback(bucket: str, to: str | None, reason: str) -> None:
    """Publish an earlier snapshot, and hold there: nothing new is published until `headwater registry resume`.

    One that was prepared and never published is refused: `headwater registry publish` asks the gates.
    """
    with tools_of() as tools:
        click.echo(tools.rolled_back(bucket, to, reason))


@registry.command("resume")
@bucket_argument
def resume(bucket: str) -> None:
    """End a rollback: the next `headwater registry generate` publishes what the bucket says."""
    with tools_of() as tools:
        click.echo(tools.resumed(bucket))


@registry.command("verify")
@bucket_argument
@click.option("--snapshot", help="Another snapshot than the current one.")
@click.option("--public-key", type=click.Path(path_type=Path), help="It has to be signed by this key (PEM, Ed25519).")
def verify(bucket: str, snapshot: str | None, public_key: Path | None) -> None:
    """Hold every published file against its SHA-256, the fixed paths too. Exit status: 0 if all are right, 1 if not."""
    with tools_of() as tools:
        told, is_well = tools.verified(bucket, snapshot, public_key)
        click.echo(told)
        sys.exit(not is_well)


@registry.command("explain")
@bucket_argument
@click.argument("repository")
@click.option("--entry", type=click.Choice(["oss", "cloud"]), help="Print the entry of that registry, and no more.")
def explain(bucket: str, repository: str, entry: str | None) -> None:
    """Tell of a connector (airbyte/source-x) which version registries have, what they override, and what is wrong."""
    with tools_of() as tools:
        click.echo(tools.explained(bucket, repository, entry))


@registry.command("report")
@bucket_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "page"]),
    default="markdown",
    show_default=True,
    help="What to make.",
)
@click.option("--output", metavar="PATH", help="A file; for a page a folder or bucket. Default: print it.")
@click.option("--keep", is_flag=True, help="Write all of them into the bucket, below generated_reports/, instead.")
def report(bucket: str, form: str, output: str | None, *, keep: bool) -> None:
    """Tell of what is published: as Markdown, JSON, or web pages that work from a file:// address."""
    if keep and output is not None:
        raise click.UsageError("--keep writes into the bucket, and --output elsewhere: give one of them")
    with tools_of() as tools:
        click.echo(tools.kept(bucket) if keep else tools.reported(bucket, form, output), nl=False)
