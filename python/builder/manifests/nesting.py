"""Where a manifest reaches into objects of its config: what Airbyte's form cannot show, and `flattening` rewrites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.builder.manifests.documents import At
from python.builder.manifests.expressions import is_interpolated, parsed, texts

__all__ = ["Nested", "is_config_path", "nested", "paths"]

_PATH_FIELDS = frozenset(
    {"authenticator_selection_path", "configs_pointer", "path_in_connector_config", "predicate_key"}
)


class Nested(msgspec.Struct, frozen=True, kw_only=True):
    """One place that names `keys`, two or more, from the config inwards. `form` is expression or path."""

    at: At
    keys: tuple[str, ...]
    form: str

    @property
    def flat(self) -> str:
        """The name that takes the place of the keys."""
        return "_".join(self.keys)


def is_config_path(name: str) -> bool:
    """Whether the member `name` of a component lists the names on the way to a value of the config."""
    return name.endswith("_config_path") or name in _PATH_FIELDS


def paths(value: Any, at: At = ()) -> Iterator[tuple[At, list[str]]]:  # noqa: ANN401 -- JSON
    """Yield each list of names that leads into the config, with its place."""
    waiting: list[tuple[At, Any]] = [(at, value)]
    seen: set[int] = set()
    while waiting:
        here, each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if here and is_config_path(here[-1]) and isinstance(each, list) and all(isinstance(item, str) for item in each):
            yield here, each
            continue
        members = each.items() if isinstance(each, dict) else enumerate(each)
        waiting.extend(((*here, str(name)), member) for name, member in members if isinstance(member, dict | list))


def nested(manifest: Mapping[str, Any]) -> Iterator[Nested]:
    """Yield each place where an interpolation, or a path, reaches two names deep or deeper into the config."""
    for at, text in texts(manifest):
        chains = parsed(text).chains if is_interpolated(text) else ()
        for chain in dict.fromkeys(chain.keys for chain in chains if chain.root == "config"):
            if len(chain) > 1:
                yield Nested(at=at, keys=chain, form="expression")
    for at, names in paths(manifest):
        if len(names) > 1:
            yield Nested(at=at, keys=tuple(names), form="path")
