"""What a connection specification lets a config have, for interpolations that reach into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["CHOICES", "ConfigKeys", "Miss", "parts", "properties", "required"]

CHOICES = ("allOf", "anyOf", "oneOf")
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
        return tuple(dict.fromkeys(name for part in parts(self._root) for name in properties(part)))

    def miss(self, keys: Sequence[str]) -> Miss | None:
        """Return where the way `keys` into the config leads nowhere, or None."""
        schemas: list[Mapping[str, Any]] = [self._root]
        for index, key in enumerate(keys):
            found = [part for schema in schemas for part in parts(schema)]
            kinds = [kind for part in found for kind in _kinds(part)]
            if index and kinds and not {"object", "array"} & set(kinds):
                return Miss(index, kind=next((kind for kind in kinds if kind != "null"), "null"))
            known = {name: properties(part)[name] for part in found for name in properties(part)}
            if key in known:
                schemas = [properties(part)[key] for part in found if key in properties(part)]
                continue
            is_open = any(part.get(name) for part in found for name in _OPEN) or "array" in kinds
            if is_open or not known or tuple(keys[: index + 1]) in self._added:
                return None
            return Miss(index, known=tuple(sorted(map(str, known))))
        return None


def properties(schema: object) -> Mapping[str, Any]:
    """Return the members that a JSON schema names; none where it is no schema."""
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def parts(schema: object) -> list[Mapping[str, Any]]:
    """Return a schema and all the alternatives that it is made of: a name is known where one of them has it."""
    if not isinstance(schema, Mapping):
        return []
    choices = [schema.get(name) for name in CHOICES]
    chosen = [each for choice in choices if isinstance(choice, list) for each in choice]
    return [schema, *(part for each in chosen for part in parts(each))]


def required(schema: object) -> Sequence[object]:
    """Return the names of the members that must be given."""
    found = schema.get("required") if isinstance(schema, Mapping) else None
    return found if isinstance(found, list) else ()


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", ())
    return (
        [kind]
        if isinstance(kind, str)
        else [each for each in kind if isinstance(each, str)]
        if isinstance(kind, list)
        else []
    )
