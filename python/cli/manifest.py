"""`headwater manifest …`: look into declarative manifests, take foreign ones in; `manifest_export` has the way out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from python.cli.group import headwater, sentences
from python.protocol.errors import HeadwaterError

__all__ = ["manifest"]


@headwater.group("manifest")
def manifest() -> None:
    """Look into declarative manifests (manifest.yaml), take foreign ones in, and make connectors of them."""


@contextmanager
def _tools() -> Iterator[ModuleType]:
    """Give what the commands are made of, and tell errors in one sentence, with exit status 2."""
    with sentences(status=2):
        try:
            from python.cli import manifesting  # noqa: PLC0415 -- lazily, see the module's docstring
        except ModuleNotFoundError as error:
            reason = f"{error.name} is missing: pip install 'headwater[builder]'"
            raise HeadwaterError(f"the tools for manifests are not installed ({reason})") from None
        yield manifesting


_cdk = click.option(
    "--cdk", metavar="PATH", help="Interpreter, environment or package whose airbyte-cdk counts; default: this one's."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of a table.")


@manifest.command("lint")
@click.argument("source", type=click.Path(path_type=Path))
@_cdk
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@_json
def lint(source: Path, cdk: str | None, *, strict: bool, as_json: bool) -> None:
    """Tell what is wrong with a manifest, with line and column. SOURCE is a file, a folder or a zip.

    Exit status: 0 if it is well (warnings allowed, unless --strict), 1 if not, 2 if it cannot be read.
    """
    with _tools() as tools:
        told, is_well = tools.linted(source, cdk, strict=strict, as_json=as_json)
        click.echo(told)
        sys.exit(not is_well)


@manifest.command("check")
@click.argument("source", type=click.Path(path_type=Path))
@_cdk
@_json
def check(source: Path, cdk: str | None, *, as_json: bool) -> None:
    """Tell what a manifest does, feature by feature, and what of it airbyte-cdk does not do without custom code.

    Exit status: 0 if all is built in, 1 if something is not (custom code, nested config), 2 if it cannot be read.
    """
    with _tools() as tools:
        told, is_compatible = tools.checked(source, cdk, as_json=as_json)
        click.echo(told)
        sys.exit(not is_compatible)


@manifest.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Manifest to write.")
@click.option(
    "--flatten-config", is_flag=True, help="Make objects of the config flat inputs, as Airbyte's form has them."
)
@click.option("--values", type=click.Path(path_type=Path), metavar="FILE", help="Test values, to be made flat as well.")
@click.option("--values-to", type=click.Path(path_type=Path), metavar="FILE", help="Where the flat values go.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@_cdk
@_json
def import_(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Take in a manifest as it comes: a file, a folder or a zip, with its spec, schemas and components.py.

    FILE stands for itself afterwards. Exit status: 0 if nothing is left to do, 1 if something is, 2 for errors.
    """
    with _tools() as tools:
        told, is_whole = tools.taken_in(tools.Import(**options), as_json=as_json)
        click.echo(told)
        sys.exit(not is_whole)
