"""`headwater registry …`, the steps of `generate` one by one, and what else the orchestrator does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from python.cli.registry import bucket_argument, registry, tools_of

__all__ = ["check", "prepare", "publish", "stale"]

_GRACE_HOURS_MAX = 24 * 365  # whoever waits longer does not want to be told


_STEPPING = "registry_stepping"

_snapshot = click.option("--snapshot", required=True, metavar="ID", help="What `prepare` has printed.")


def _allowed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that gates ask for."""
    shrink = click.option("--allow-shrink", is_flag=True, help="Let connectors go, any number at once.")
    breaking = click.option("--allow-breaking", is_flag=True, help="Take specs that break users without telling them.")
    return shrink(breaking(command))


@registry.command("prepare")
@bucket_argument
@click.option("--base-url", envvar="METADATA_CDN_BASE_URL", help="Where readers find the bucket, for icons.")
@_allowed
@click.option("--sign-key", type=click.Path(path_type=Path), help="A private key (PEM, Ed25519) to sign with.")
def prepare(bucket: str, sign_key: Path | None, **how: Any) -> None:  # noqa: ANN401 -- options
    """Write what `generate` would publish as a snapshot that nobody reads yet, and print its name last.

    Exit status: as of `generate`.
    """
    with tools_of(_STEPPING) as tools:
        told, is_well = tools.prepared(bucket, how, sign_key)
        click.echo(told)
        sys.exit(not is_well)


@registry.command("check")
@bucket_argument
@_snapshot
@_allowed
def check(bucket: str, snapshot: str, **how: Any) -> None:  # noqa: ANN401 -- options
    """Hold a prepared snapshot against every gate. Exit status: 0 if it may be published, 1 if not."""
    with tools_of(_STEPPING) as tools:
        told, is_well = tools.checked(bucket, snapshot, how)
        click.echo(told)
        sys.exit(not is_well)


@registry.command("publish")
@bucket_argument
@_snapshot
@_allowed
@click.option(
    "--keep", type=click.IntRange(1), default=20, show_default=True, help="Snapshots to keep; others go after a day."
)
def publish(bucket: str, snapshot: str, keep: int, **how: Any) -> None:  # noqa: ANN401 -- options
    """Publish a prepared snapshot, if it passes every gate and nothing else was published since.

    Exit status: 0 if it is published, 2 if not.
    """
    with tools_of(_STEPPING) as tools:
        click.echo(tools.published(bucket, snapshot, keep, how))


@registry.command("stale")
@bucket_argument
@click.option("--checkout", default=".", show_default=True, type=click.Path(path_type=Path), help="A folder, anywhere.")
@click.option(
    "--grace-hours",
    type=click.IntRange(0, _GRACE_HOURS_MAX),
    default=6,
    show_default=True,
    help="How long a release may take after its commit.",
)
@click.option("--notify", is_flag=True, help="Tell the webhook in SLACK_WEBHOOK_URL, too.")
def stale(bucket: str, **how: Any) -> None:  # noqa: ANN401 -- options
    """Tell which metadata files of a checkout are newer than what the bucket has: merged, and never released.

    Exit status: 0 if none is, 1 if some are, 2 if that cannot be known.
    """
    with tools_of(_STEPPING) as tools:
        told, is_well = tools.staleness(bucket, how)
        click.echo(told)
        sys.exit(not is_well)
