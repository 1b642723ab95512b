"""The description of all routes, as docs/builder-openapi.json holds it."""

from __future__ import annotations

import json

from python.builder.engine import Pool
from python.builder.server.app import openapi
from python.builder.server.settings import Settings

__all__ = ["description"]


def description() -> str:
    """Return OpenAPI as JSON text, the same for each server."""
    return json.dumps(openapi(Settings(), Pool({})), indent=1, sort_keys=True) + "\n"
