"""Whether the server can work, and with what."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import resources
from typing import Any

from starlette.responses import Response

from python.builder.jobs import Json
from python.builder.server.answers import answer
from python.builder.server.asking import Call
from python.builder.server.problems import Problem
from python.builder.server.service import Service, unexpected
from python.builder.server.settings import DEFAULT

__all__ = ["absent", "capabilities", "cdks", "health", "ok", "template"]

_SECONDS_MAX = 30.0  # an interpreter that imports a CDK on a busy machine takes a few


async def health(call: Call[None]) -> Response:
    """Answer whether the default CDK can be used: its version is the one that its interpreter really has."""
    settings = call.service.settings
    told = await _about(call.service, DEFAULT)
    version, reason = told.get("cdk_version"), told.get("problem")
    if version is not None and settings.cdk_version not in (None, version):
        reason = f"CDK_VERSION is {settings.cdk_version}, and the interpreter has {version}"
    return answer(
        {
            "available": version is not None and reason is None,
            "cdk_version": version,
            "capabilities": _capabilities(call.service),
            "warm": bool(told.get("warm")),
            "why_not_warm": told.get("why_not_warm"),
            "reason": reason,
            "cdks": [DEFAULT, *settings.cdks],
        }
    )


async def cdks(call: Call[None]) -> Response:
    """Answer with what each engine says of itself."""
    names = [DEFAULT, *call.service.settings.cdks]
    told = await asyncio.gather(*(_about(call.service, name) for name in names))
    return answer({"cdks": dict(zip(names, told, strict=True))})


async def _about(service: Service, name: str) -> Mapping[str, Json]:
    try:
        async with asyncio.timeout(_SECONDS_MAX):
            return await service.engines.named(name).about()
    except TimeoutError:
        return {"problem": f"the interpreter did not answer within {_SECONDS_MAX:g} seconds"}
    except Exception as error:  # noqa: BLE001 -- health says that something is wrong; it does not fail itself
        return {"problem": unexpected(error).message}


def _capabilities(service: Service) -> dict[str, Any]:
    return {"custom_code_execution": service.settings.allow_custom_code}


async def capabilities(call: Call[None]) -> Response:
    """Answer what this server may do."""
    return answer(_capabilities(call.service))


async def ok(call: Call[None]) -> Response:
    """Answer that the server answers."""
    del call
    return answer({"status": "ok"})


async def template(call: Call[None]) -> Response:
    """Answer with a manifest to begin with, as YAML text in a JSON string."""
    del call
    return answer(resources.files("python.builder.server").joinpath("template.yaml").read_text(encoding="utf-8"))


async def absent(call: Call[None]) -> Response:
    """Refuse what Airbyte's server does for Airbyte's own services."""
    what = "contribute" if "/contribute/" in call.request.url.path else "assist"
    raise Problem(501, _INSTEAD[what], exception="NotPartOfThisServer")


_INSTEAD = {
    "contribute": (
        "contributions to Airbyte's repository are not part of this server: "
        "POST /v1/builder/export gives the folder that such a contribution has"
    ),
    "assist": (
        "the assistant is not part of this server: "
        "POST /v1/builder/lint says what is wrong with a manifest, and what was probably meant"
    ),
}
