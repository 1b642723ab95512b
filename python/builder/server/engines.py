"""The engines that there are, by name, and which of them a request means."""

from __future__ import annotations

from typing import Protocol

from python.builder.jobs import Engine
from python.builder.manifests import cdk
from python.builder.server.problems import Problem
from python.builder.server.settings import DEFAULT, Settings

__all__ = ["CDK_HEADER", "Engines", "allowed", "chosen", "interpreter"]

CDK_HEADER = "X-Headwater-Cdk"
"""The header that names the CDK of a request; without it the project decides, and then the default."""


class Engines(Protocol):
    """Engines by name; each is started when it is first used."""

    def named(self, name: str) -> Engine:
        """Return the engine `name`, one of those that the settings name."""

    async def close(self) -> None:
        """End every engine."""


def chosen(settings: Settings, header: str | None, project: str | None) -> str:
    """Return the name of the engine that a request means. Raises Problem for a name that there is not."""
    name = header or settings.projects.get(project or "", DEFAULT)
    known = [DEFAULT, *settings.cdks]
    if name not in known:
        raise Problem(400, f"no CDK is called {name[:60]!r}: want one of {', '.join(known)} in {CDK_HEADER}")
    return name


def interpreter(settings: Settings, name: str) -> str | None:
    """Return the interpreter of an engine; None is the one that runs us."""
    return settings.cdk_python if name == DEFAULT else settings.cdks[name]


def allowed(settings: Settings, name: str) -> cdk.Cdk:
    """Return what the CDK of an engine allows, read from its files. Raises HeadwaterError where there is none."""
    return cdk.installed(interpreter(settings, name))
