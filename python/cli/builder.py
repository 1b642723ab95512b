"""`headwater builder`: the Connector Builder server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from python.cli.group import headwater, sentences
from python.protocol.errors import HeadwaterError

__all__ = ["builder"]


@headwater.command("builder")
@click.option("--host", metavar="ADDRESS", help="Where to listen; beyond 127.0.0.1 a token is demanded.")
@click.option("--port", type=int, help="Default 8080; 0 takes any that is free.")
@click.option("--cdk", "cdks", multiple=True, metavar="NAME=PATH", help="Another interpreter with airbyte-cdk.")
@click.option("--project", "projects", multiple=True, metavar="ID=NAME", help="Which CDK a project_id means.")
@click.option("--allow-custom-code", is_flag=True, default=None, help="Run components.py and other custom components.")
@click.option(
    "--recordings", type=click.Path(path_type=Path), metavar="FOLDER", help="Where `record` and `replay` are."
)
@click.option("--allow-network", multiple=True, metavar="CIDR", help="A network that manifests may reach.")
@click.option("--deny-network", multiple=True, metavar="CIDR", help="A network that manifests may not reach.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Another name that the server is called by.")
@click.option("--allow-origin", "origins", multiple=True, metavar="ORIGIN", help="A web page that may use the server.")
@click.option("--deadline", type=click.FloatRange(min=0, min_open=True), help="Seconds of a job that says none: 60.")
@click.option("--plain", is_flag=True, default=None, help="Start a process for each request; keep no CDK warm.")
@click.option("--openapi", is_flag=True, help="Print the description of all routes, and end.")
def builder(*, openapi: bool, **options: Any) -> None:  # noqa: ANN401 -- click's own signature
    """Serve Airbyte's Connector Builder API: test declarative manifests, resolve, check and export them.

    CDK_PYTHON, CDK_ENTRYPOINT, CDK_VERSION and PATH_TO_CONNECTORS mean what they mean to Airbyte's server. The token
    that clients send comes from HEADWATER_BUILDER_TOKEN, or is signed with AB_JWT_SIGNATURE_SECRET.
    """
    with sentences(status=2):
        try:
            from python.builder.server import describing, starting  # noqa: PLC0415 -- FastAPI takes half a second
        except ModuleNotFoundError as error:
            reason = f"{error.name} is missing: pip install 'headwater[builder]'"
            raise HeadwaterError(f"the builder is not installed ({reason})") from None
        if openapi:
            click.echo(describing.description(), nl=False)
            return
        starting.run(starting.told_by(os.environ, _members(options)), click.echo)


def _members(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said on the command line, as members of Settings."""
    named = {name: _pairs(options[name], name) for name in ("cdks", "projects")}
    recordings = options["recordings"]
    told = {
        **{name: options[name] for name in ("host", "port", "allow_custom_code", "plain", "hosts", "origins")},
        **named,
        "recordings": str(recordings) if recordings else None,
        "allowed_networks": options["allow_network"],
        "denied_networks": options["deny_network"],
        "deadline_seconds": options["deadline"],
    }
    return {name: value for name, value in told.items() if value not in (None, (), {})}


def _pairs(texts: tuple[str, ...], name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value) or key in found:
            wrong = "comes twice" if key in found else "is no NAME=VALUE"
            raise HeadwaterError(f"--{name[:-1]} {text} {wrong}")
        found[key] = value
    return found
