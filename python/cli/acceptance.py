"""`headwater acceptance`: the promises of Flow's protocol, held against a connector."""

from __future__ import annotations

import sys
from typing import Any

import click

from python.cli.group import headwater, sentences

__all__: list[str] = []


@headwater.command()
@click.argument("connector")
@click.option("--source", help="Flow spec with the config to ask with; by default test.flow.yaml of the folder.")
@click.option("--name", help="Task of that spec, where it has several.")
@click.option("--rule", "rules", multiple=True, type=int, help="Check this rule alone; may be given several times.")
@click.option("-k", "pattern", default="", help="Check cases alone whose name or promise has this regular expression.")
@click.option("--target", metavar="FILE:FUNCTION", help="Also run the suite of endpoints: the function makes a Target.")
@click.option("--strict", is_flag=True, help="Exit with status 1 also for what is only advisable.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds that a conversation may take.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
@click.option("--json", "json_path", metavar="FILE", help="Write the report as JSON.")
@click.option("--junit", "junit_path", metavar="FILE", help="Write the report as JUnit's XML.")
def acceptance(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Hold the promises of Flow's protocol against CONNECTOR: a folder with a test.flow.yaml, or an image with a tag.

    It runs under the name acmeCo/headwater_acceptance. A capture reads its source several times, and acknowledges: what
    its config names to keep the source's place, such as a queue or a slot, should be of this test alone. A
    materialization is written to: tables whose names begin with headwater_acceptance.

    Exit status: 0 if the promises are kept, 1 if one is not, 2 for errors.
    """
    with sentences(status=2):
        from python.cli import accepting  # noqa: PLC0415 -- lazily, see `python.cli`

        sys.exit(not accepting.accept(accepting.Options(**options), click.echo))
