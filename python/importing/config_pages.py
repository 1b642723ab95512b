"""What a connector's README says of its config: whether it names every member, and a table where it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from python.importing.snapshots import Json

__all__ = ["BEGIN", "END", "unnamed", "with_tables"]

BEGIN = "<!-- from the connector's spec, by `headwater release` -->"
END = "<!-- end of what is from the spec -->"

_CODE = re.compile(r"`([^`]+)`")
_SCHEMAS = {"configSchema": "config", "resourceConfigSchema": "resource"}


class _Member(NamedTuple):
    """A member of a config: `name` is dotted where it is within another one."""

    name: str
    kind: str
    required: bool
    text: str


def unnamed(page: str, spec: Mapping[str, Json]) -> list[str]:
    """Return the members of the configs in `spec` that `page` does not name in code quotes, each once."""
    named = {
        ".".join(parts[:n])
        for text in _CODE.findall(page)
        for parts in [text.split(".")]
        for n in range(1, len(parts) + 1)
    }
    members = dict.fromkeys(member.name for name in _SCHEMAS for member in _members(spec.get(name)))
    return [name for name in members if not {name, name.rpartition(".")[2]} & named]


def with_tables(page: str, spec: Mapping[str, Json]) -> str:
    """Return `page` with a table of each config in `spec`: where they stood, else at its end."""
    tables = "\n\n".join(["## Config", BEGIN, *filter(None, map("\n".join, _tables(spec))), END])
    pattern = re.compile(rf"## Config\n\n{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if pattern.search(page):
        return pattern.sub(lambda _: tables, page, count=1)
    return f"{page.rstrip()}\n\n{tables}\n"


def _tables(spec: Mapping[str, Json]) -> Iterator[list[str]]:
    for name, title in _SCHEMAS.items():
        rows = [f"| `{each.name}` | {each.kind} | {each.text} |" for each in _members(spec.get(name))]
        yield [f"| {title} | type | meaning |", "| --- | --- | --- |", *rows] if rows else []


def _members(schema: Json, prefix: str = "", *, deep: int = 4) -> Iterator[_Member]:
    """Yield the members that `schema` describes, those within after those around them; alternatives come once."""
    if not isinstance(schema, dict) or not deep:
        return
    seen: set[str] = set()
    required = {*schema.get("required", ())}
    for name, member in _properties(schema):
        if name not in seen and isinstance(member, dict):
            seen.add(name)
            yield _Member(f"{prefix}{name}", _kind(member), name in required, _text(member, name in required))
            yield from _members(member, f"{prefix}{name}.", deep=deep - 1)


def _properties(schema: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    properties = schema.get("properties", {})
    ordered = sorted(properties.items(), key=lambda item: _order(item[1]))
    yield from ordered
    for alternatives in ("oneOf", "anyOf", "allOf"):
        for each in schema.get(alternatives, ()):
            if isinstance(each, dict):
                yield from _properties(each)


def _order(member: Json) -> float:
    order = member.get("order") if isinstance(member, dict) else None
    return order if isinstance(order, int | float) else float("inf")


def _kind(member: Mapping[str, Json]) -> str:
    kinds = member.get("type", "object" if {"properties", "oneOf", "anyOf"} & {*member} else "any")
    return " or ".join(each for each in kinds if each != "null") if isinstance(kinds, list) else str(kinds)


def _text(member: Mapping[str, Json], required: bool) -> str:  # noqa: FBT001 -- a cell of the table
    """Return the cell that says what a member is for: what its schema tells people, and what it is when not given."""
    told = str(member.get("description") or member.get("title") or "").strip()
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", told)).replace("|", "\\|").rstrip(".")
    parts = [told] if told else []
    if required:
        parts.append("required")
    if member.get("default") is not None:
        default = msgspec.json.encode(member["default"]).decode().strip('"')
        parts.append(f"`{default}` if not given")
    if member.get("secret") or member.get("airbyte_secret"):
        parts.append("secret")
    return "; ".join(parts)
