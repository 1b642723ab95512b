"""What a connection specification lets a config have, for interpolations that reach into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["ConfigKeys", "Miss"]

_CHOICES = ("allOf", "anyOf", "oneOf")
_OPEN = ("additionalProperties", "patternProperties", "$ref")


class Miss(NamedTuple):
    """Where a way into the config ends: `step` is the one that leads nowhere, `known` are the names there.

    `kind` is the type of what has no members, where that is the reason.
    """

    step: int
    known: tuple[str, ...] = ()
    kind: str = ""


class ConfigKeys:
    """The names in a config by `specification`, its JSON schema; `added` are ways to values that others put there."""

    def __init__(self, specification: Mapping[str, Any], added: Iterable[Sequence[str]] = ()) -> None:
        self._root = specification
        self._added = {tuple(path[:length]) for path in added for length in range(1, len(path) + 1)}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the config's own members."""
        return tuple(dict.fromkeys(name for part in _parts(self._root) for name in part.get("properties", {})))

    def miss(self, keys: Sequence[str]) -> Miss | None:
        """Return where the way `keys` into the config leads nowhere, or None."""
        schemas: list[Mapping[str, Any]] = [self._root]
        for index, key in enumerate(keys):
            parts = [part for schema in schemas for part in _parts(schema)]
            kinds = [kind for part in parts for kind in _kinds(part)]
            if index and kinds and not {"object", "array"} & set(kinds):
                return Miss(index, kind=next((kind for kind in kinds if kind != "null"), "null"))
            known = {name: part["properties"][name] for part in parts for name in part.get("properties") or {}}
            if key in known:
                schemas = [part["properties"][key] for part in parts if key in (part.get("properties") or {})]
                continue
            is_open = any(part.get(name) for part in parts for name in _OPEN) or "array" in kinds
            if is_open or not known or tuple(keys[: index + 1]) in self._added:
                return None
            return Miss(index, known=tuple(sorted(known)))
        return None


def _parts(schema: object) -> list[Mapping[str, Any]]:
    """Return a schema and all that it is made of: a name is known where one of them has it."""
    if not isinstance(schema, Mapping):
        return []
    chosen = [each for choice in _CHOICES for each in schema.get(choice) or ()]
    return [schema, *(part for each in chosen for part in _parts(each))]


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", ())
    return [kind] if isinstance(kind, str) else list(kind)
