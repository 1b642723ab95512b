"""The streams of a manifest, and where they come from, as far as that can be said without running it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from python.builder.manifests.references import Resolver

__all__ = ["stream_names", "stream_urls"]

_VALUE = re.compile(
    r"""\{\{\s*(?P<of>config|parameters)(?:\.(?P<dotted>\w+)|\[\s*(?P<quote>['"])(?P<key>[^'"]+)(?P=quote)\s*\])\s*\}\}"""
)


def stream_names(manifest: Mapping[str, Any]) -> list[str]:
    """Return the names of the streams that a manifest lists, with its references followed."""
    whole = Resolver(manifest).resolved()
    streams = (whole.members or {}).get("streams")
    names = (each.text("name") for each in (streams.items if streams else None) or ())
    return [name for name in names if name]


def stream_urls(resolved: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return name and URL of each stream of a resolved manifest.

    Plain values of config and parameters stand in the URL; any other expression stays as it is written, since
    evaluating it is for a worker, with its limits.
    """
    return [
        {"name": str(stream.get("name", "")), "url": _filled(*_url(stream), config)}
        for stream in resolved.get("streams") or ()
        if isinstance(stream, Mapping)
    ]


def _url(stream: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the URL as written, and the parameters that reached it."""
    retriever = stream.get("retriever")
    requester = retriever.get("requester") if isinstance(retriever, Mapping) else None
    if not isinstance(requester, Mapping):
        return "", {}
    if requester.get("url"):
        return str(requester["url"]), requester.get("$parameters") or {}
    base, path = str(requester.get("url_base", "")), str(requester.get("path", ""))
    url = f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base
    return url, requester.get("$parameters") or {}


def _filled(url: str, parameters: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        values = config if match["of"] == "config" else parameters
        found = values.get(match["dotted"] or match["key"])
        return match[0] if found is None or isinstance(found, (dict, list)) else str(found)

    return _VALUE.sub(value, url)
