"""Commands that run connectors: flowctl's names and meanings where flowctl has them.

What they do stands in `python.runner`, imported inside of each.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from python.cli.group import headwater, sentences

__all__: list[str] = []

_source = click.option("--source", required=True, help="Flow spec to load: a *.flow.yaml file.")
_capture = click.option("--capture", "name", help="Capture to use, where the spec has several.")


def _file(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Return `value`, which names a file: what DuckDB keeps in memory, or elsewhere, would be gone in the end."""
    if not value or value.startswith((":memory:", "md:", "motherduck:")):
        raise click.BadParameter(f"{value!r} is no file that keeps what is captured")
    return value


@headwater.command()
@_source
@click.option("--name", help="Capture, derivation or materialization to run; by default every one of the spec.")
@click.option(
    "--store",
    "store_path",
    default="headwater.duckdb",
    show_default=True,
    callback=_file,
    help="DuckDB file to capture to.",
)
@click.option("--continuous", is_flag=True, help="Go on until stopped; captures, and what fails, start again.")
@click.option("--shards", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes a task.")
@click.option("--log-json", is_flag=True, help="Write logs as JSON lines, as Flow's runtime does.")
def run(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Run a whole spec: capture into an embedded store, derive and materialize; each task commits in one step."""
    with sentences():
        from python.runner import run as runner  # noqa: PLC0415 -- lazily, see the module's docstring

        sys.exit(runner.run(runner.Options(**options)))


@headwater.command()
@_source
@click.option("--name", help="Capture, derivation or materialization to preview, where the spec has several tasks.")
@click.option("--sessions", default="-1", show_default=True, help="Transactions a session: 1,2,3; -1 or 0: no limit.")
@click.option("--timeout", help="Stop gracefully after this long, as 10s or 1m 30s.")
@click.option("--delay", default="0s", show_default=True, help="Shortest duration of a transaction, as 500ms or 2s.")
@click.option("--fixture", help="File of documents to read, by transaction; - for stdin. Not for captures.")
@click.option("--initial-state", default="{}", show_default=True, help="Connector state of the first session, as JSON.")
@click.option("--output-state", is_flag=True, help="Also print each change of the state, and the final state.")
@click.option("--output-apply", is_flag=True, help="Also print what `apply` did.")
@click.option("--log-json", is_flag=True, help="Write logs as JSON lines, as Flow's runtime does.")
@click.option("--shards", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes of the task.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
def preview(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Run a task and print the documents it commits, as `flowctl preview` does. Nothing is kept."""
    with sentences():
        from python.runner import preview as previewer  # noqa: PLC0415 -- lazily, see the module's docstring

        previewer.preview(previewer.Options(**options))


@headwater.command()
@_source
@click.option("--name", help="Test to run; by default every one of the spec.")
@click.option("--log-json", is_flag=True, help="Write logs as JSON lines, as Flow's runtime does.")
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
def test(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Run the tests of a spec: documents are ingested, derived, and held against those that are expected."""
    with sentences():
        from python.runner import testing  # noqa: PLC0415 -- lazily, see the module's docstring

        sys.exit(testing.run_tests(testing.Options(**options)))


@headwater.command()
@_source
@click.option("--name", help="Derived collection whose module to write; by default every one of the spec.")
@click.option("--output", help="File to write; by default documents.py in the connector's own package.")
def generate(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Write pydantic models of what a derivation reads and publishes."""
    with sentences():
        from python.runner import generating  # noqa: PLC0415 -- lazily, see the module's docstring

        for path in generating.generate(generating.Options(**options)):
            click.echo(f"wrote {path}")


@headwater.group()
def raw() -> None:
    """Ask a connector single questions, as `flowctl raw` does."""


@raw.command("spec")
@_source
@_capture
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
def raw_spec(source: str, name: str | None, network: str) -> None:
    """Print the connector's answer to `spec`, as one line of JSON."""
    with sentences():
        from python.runner import raw as asking  # noqa: PLC0415 -- lazily, see the module's docstring

        click.echo(asking.spec(source, name, network))


@raw.command("discover")
@_source
@_capture
@click.option("--network", default="bridge", show_default=True, help="Network of image connectors.")
@click.option("--emit-raw", is_flag=True, help="Print each discovered binding, and write nothing.")
@click.option("-o", "--output", type=click.Choice(["json"]), default="json", help="Format of what is printed.")
def raw_discover(**options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Ask the connector for its bindings, and write them into the spec; with --emit-raw, print them."""
    with sentences():
        from python.runner import raw as asking  # noqa: PLC0415 -- lazily, see the module's docstring

        options.pop("output")
        for line in asking.discover(**options):
            click.echo(line)


@headwater.command()
@click.argument("query")
@click.option(
    "--store", "store_path", default="headwater.duckdb", show_default=True, callback=_file, help="DuckDB file to read."
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each row.")
def sql(query: str, store_path: str, *, as_json: bool) -> None:
    """Run a query over captured collections: select count(*) from "acmeCo/users"."""
    with sentences():
        from python.runner import query as querying  # noqa: PLC0415 -- lazily, see the module's docstring

        querying.query(store_path, query, as_json=as_json)


@headwater.command()
@click.option(
    "--store", "store_path", default="headwater.duckdb", show_default=True, callback=_file, help="DuckDB file to read."
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each task.")
def status(store_path: str, *, as_json: bool) -> None:
    """Show what each task has read, written and committed, how far behind it is, and its last error."""
    with sentences():
        from python.runner import status as telling  # noqa: PLC0415 -- lazily, see the module's docstring

        telling.status(store_path, sys.stdout, as_json=as_json)
