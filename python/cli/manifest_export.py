"""The command `headwater manifest export`. What it does stands in `python.cli.exporting`, imported inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from python.cli.group import sentences
from python.cli.manifest import manifest
from python.protocol.errors import HeadwaterError

__all__ = ["export"]

_FORMS = ("headwater", "airbyte-manifest-only", "airbyte-python")


@manifest.command("export")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="The connector: source-x.")
@click.option("--form", type=click.Choice(_FORMS), default=_FORMS[0], help="Our layout, or one of Airbyte's two.")
@click.option(
    "--recording", type=click.Path(path_type=Path), metavar="FOLDER", help="A recorded test read: its tests use it."
)
@click.option(
    "--values", type=click.Path(path_type=Path), metavar="FILE", help="Test values: those that are no secrets are kept."
)
@click.option("--icon", type=click.Path(path_type=Path), metavar="FILE", help="An SVG; otherwise one is drawn.")
@click.option("--with", "requirements", multiple=True, metavar="REQUIREMENT", help="What components.py needs, too.")
@click.option("--allow-custom-code", is_flag=True, help="Start the connector, components.py included, if it has code.")
@click.option("--no-lock", "lock", flag_value=False, default=True, help="Write no uv.lock, and no line for CI.")
@click.option("--force", is_flag=True, help="In spite of the linter's errors, and of edits that git does not have.")
@click.option(
    "--cdk", metavar="PATH", help="Interpreter, environment or package whose airbyte-cdk counts; default: this one's."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of sentences.")
def export(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Make a connector's folder of a manifest. SOURCE is a file, a folder or a zip, with what lies beside it.

    The connector is started for its bindings, without a network; one with components.py or other custom components only
    with --allow-custom-code, since that runs them.

    An existing folder becomes its next version: what has no place in it any more is removed, what people wrote stays.
    Either all is done or nothing. Exit status: 0 if it is done, 2 for errors.
    """
    with sentences(status=2):
        try:
            from python.cli import exporting  # noqa: PLC0415 -- lazily, see the package's docstring
        except ModuleNotFoundError as error:
            reason = f"{error.name} is missing: pip install 'headwater[builder]'"
            raise HeadwaterError(f"the tools for manifests are not installed ({reason})") from None
        click.echo(exporting.exported(exporting.Options(**options), as_json=as_json))
