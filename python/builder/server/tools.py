"""Routes that look at a manifest and run nothing: the commands of `headwater manifest`, over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from python.builder.server.answers import answer
from python.builder.server.asking import Call
from python.builder.server.looking import looked
from python.builder.server.models import Import, Lint, Tool

__all__ = ["compatibility_of", "import_", "lint"]


async def lint(call: Call[Lint]) -> Response:
    """Answer with the findings of `headwater manifest lint --json`."""
    return answer(await looked(call, "lint"))


async def compatibility_of(call: Call[Tool]) -> Response:
    """Answer with the report of `headwater manifest check --json`."""
    return answer(await looked(call, "check"))


async def import_(call: Call[Import]) -> Response:
    """Answer with a manifest that stands for itself, and what was done, as `headwater manifest import` does."""
    return answer(await looked(call, "import"))
