"""The streams of a manifest, and where they come from, as far as that can be said without running it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from python.builder.manifests.references import Resolver

__all__ = ["stream_names", "stream_urls"]

_CONFIG = re.compile(
    r"""\{\{\s*config(?:\.(?P<dotted>\w+)|\[\s*(?P<quote>['"])(?P<key>[^'"]+)(?P=quote)\s*\])\s*\}\}"""
)


def stream_names(manifest: Mapping[str, Any]) -> list[str]:
    """Return the names of the streams that a manifest lists, with its references followed."""
    whole = Resolver(manifest).resolved()
    streams = (whole.members or {}).get("streams")
    names = (each.text("name") for each in (streams.items if streams else None) or ())
    return [name for name in names if name]


def stream_urls(resolved: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return name and URL of each stream of a resolved manifest.

    Plain values of the config stand in the URL; any other expression stays as it is written, since evaluating it is
    for a worker, with its limits.
    """
    return [
        {"name": str(stream.get("name", "")), "url": _filled(_url(stream), config)}
        for stream in resolved.get("streams") or ()
        if isinstance(stream, Mapping)
    ]


def _url(stream: Mapping[str, Any]) -> str:
    retriever = stream.get("retriever")
    requester = retriever.get("requester") if isinstance(retriever, Mapping) else None
    if not isinstance(requester, Mapping):
        return ""
    if requester.get("url"):
        return str(requester["url"])
    base, path = str(requester.get("url_base", "")), str(requester.get("path", ""))
    return f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base


def _filled(url: str, config: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found = config.get(match["dotted"] or match["key"])
        return match[0] if found is None or isinstance(found, (dict, list)) else str(found)

    return _CONFIG.sub(value, url)
