"""From settings to a server that runs: engines of the interpreters, and the checks that need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from python.builder.engine import Interpreter, Options, Pool
from python.builder.manifests import cdk
from python.builder.server.app import application
from python.builder.server.serving import serve
from python.builder.server.settings import DEFAULT, Settings, checked, from_environment, is_loopback
from python.protocol.errors import HeadwaterError

__all__ = ["engines", "run", "told_by"]


def told_by(environment: Mapping[str, str], members: Mapping[str, Any]) -> Settings:
    """Return the settings of the environment, with `members` in their place. Raises HeadwaterError."""
    return msgspec.structs.replace(from_environment(environment), **members)


def run(settings: Settings, told: Callable[[str], object]) -> None:
    """Serve until told to end. Raises HeadwaterError where the settings, the CDKs or the port do not allow it."""
    checked(settings)
    for name, python in settings.cdks.items():
        _version(f"--cdk {name}", python)
    _check_version(settings)
    if settings.recordings is not None:
        _make(Path(settings.recordings))
    serve(settings, application(settings, engines(settings)), told)


def engines(settings: Settings) -> Pool:
    """Return an engine for each CDK, none of them started."""
    default = Interpreter(
        python=settings.cdk_python or "",
        entrypoint=settings.cdk_entrypoint,
        cdk_version=settings.cdk_version,
        connectors=settings.connectors,
    )
    others = {
        name: Interpreter(python=python, connectors=settings.connectors) for name, python in settings.cdks.items()
    }
    options = Options(
        allow_custom_code=settings.allow_custom_code,
        network={
            "allow": list(settings.allowed_networks),
            "deny": list(settings.denied_networks),
            "private": is_loopback(settings.host),
        },
        plain=settings.plain,
    )
    return Pool({DEFAULT: default, **others}, options)


def _check_version(settings: Settings) -> None:
    """Raise HeadwaterError where the default interpreter has no CDK, or another than CDK_VERSION says."""
    found = _version("CDK_PYTHON", settings.cdk_python)
    if settings.cdk_version not in (None, found):
        python = settings.cdk_python or "this interpreter"
        raise HeadwaterError(
            f"CDK_VERSION is {settings.cdk_version}, and {python} has {found}: install the one it says"
        )


def _make(folder: Path) -> None:
    """Have a folder for recordings, which hold what an API answered: for nobody else to read."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HeadwaterError(f"--recordings {folder} cannot be made: {(error.strerror or '').lower()}") from None


def _version(what: str, python: str | None) -> str:
    try:
        return cdk.installed(python).version
    except HeadwaterError as error:
        raise HeadwaterError(f"{what}: {error}") from None
