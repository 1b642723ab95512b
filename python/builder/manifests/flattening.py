"""Nested config made flat: the specification, every place that reaches into it, and test values, all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.builder.manifests.config_keys import parts, properties, required
from python.builder.manifests.documents import At
from python.builder.manifests.expressions import is_interpolated, parsed, texts
from python.builder.manifests.nesting import paths

__all__ = ["Leaf", "Plan", "flat_properties", "flat_values", "plan"]


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One input below an object of the config: the `keys` that lead to it, its schema, and whether it must be given."""

    keys: tuple[str, ...]
    schema: Mapping[str, Any]
    required: bool

    @property
    def flat(self) -> str:
        """Its name in a flat config."""
        return "_".join(self.keys)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is made flat. `leaves` by the top-level property they are below; `kept` says why others stay nested."""

    leaves: Mapping[str, tuple[Leaf, ...]]
    kept: Mapping[str, tuple[At, str]]

    def of(self, keys: tuple[str, ...]) -> tuple[int, str] | None:
        """Return how many of `keys` one name takes the place of, and that name; None where they stay as they are."""
        if len(keys) < 2 or keys[0] not in self.leaves:  # noqa: PLR2004 -- one name is flat
            return None
        known = {leaf.keys for leaf in self.leaves[keys[0]]}
        count = next((count for count in range(len(keys), 1, -1) if keys[:count] in known), len(keys))
        return count, "_".join(keys[:count])


def plan(manifest: Mapping[str, Any], specification: Mapping[str, Any]) -> Plan:
    """Return how the config of `specification` is made flat, without what `manifest` needs as a whole object."""
    inputs = properties(specification)
    must = required(specification)
    nested = {name: tuple(_leaves(value, (name,), name in must)) for name, value in inputs.items()}
    leaves = {name: found for name, found in nested.items() if any(len(leaf.keys) > 1 for leaf in found)}
    kept = {name: why for name, why in _kept(manifest, leaves) if name in leaves}
    for name, found in leaves.items():
        taken = next((leaf.flat for leaf in found if leaf.flat in inputs), None)
        if taken is not None:
            kept.setdefault(name, (("spec",), f"the config has another input that is called {taken}"))
    return Plan(leaves={name: found for name, found in leaves.items() if name not in kept}, kept=kept)


def _leaves(schema: Any, keys: tuple[str, ...], must: bool) -> Iterator[Leaf]:  # noqa: ANN401, FBT001 -- JSON Schema
    """Yield the inputs at and below `keys`: of alternatives, each name once."""
    objects = [part for part in parts(schema) if properties(part)]
    if not objects:
        yield Leaf(keys=keys, schema=schema, required=must)
        return
    alternatives = [part for part in objects if part is not schema]
    for name in dict.fromkeys(name for part in objects for name in properties(part)):
        always = name in required(schema) or (
            bool(alternatives) and all(name in required(part) for part in alternatives)
        )
        merged = _merged([properties(part)[name] for part in objects if name in properties(part)], schema)
        yield from _leaves(merged, (*keys, str(name)), must and always)


def _merged(schemas: list[Any], around: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON Schema
    """Return one schema for an input of several alternatives: a choice of words where it tells them apart."""
    words = [schema["const"] for schema in schemas if isinstance(schema, Mapping) and "const" in schema]
    if len(words) < len(schemas) or not words:
        return schemas[0]
    kept = {name: around[name] for name in ("title", "description", "order") if name in around}
    return {"type": "string", **kept, "enum": words, "default": words[0]}


def _kept(manifest: Mapping[str, Any], leaves: Mapping[str, tuple[Leaf, ...]]) -> Iterator[tuple[str, tuple[At, str]]]:
    known = {leaf.keys for found in leaves.values() for leaf in found}
    inner = {keys[:count] for keys in known for count in range(1, len(keys))}
    for at, text in texts(manifest):
        expression = parsed(text) if is_interpolated(text) else None
        if expression is None:
            continue
        if "config" in expression.bare:
            yield from ((name, (at, "the whole config is used here")) for name in leaves)
        for chain in expression.chains:
            if chain.root == "config" and chain.keys in inner:
                yield chain.keys[0], (at, f"{'.'.join(('config', *chain.keys))} is used as a whole here")
    for at, names in paths(manifest):
        if tuple(names) in inner:
            yield names[0], (at, f"{'.'.join(('config', *names))} is used as a whole here")


def flat_properties(specification: Mapping[str, Any], made: Plan) -> tuple[dict[str, Any], list[str]]:
    """Return the properties of the flat config, in order, and the names of those that must be given."""
    inputs: dict[str, Any] = {}
    must: list[str] = []
    for name, schema in properties(specification).items():
        leaves = made.leaves.get(name)
        if leaves is None:
            inputs[name] = schema
            must.extend([name] if name in required(specification) else [])
            continue
        inputs.update({leaf.flat: leaf.schema for leaf in leaves})
        must.extend(leaf.flat for leaf in leaves if leaf.required)
    return inputs, must


def flat_values(config: Mapping[str, Any], made: Plan) -> dict[str, Any]:
    """Return the values of a config under their flat names. What the specification does not know goes along."""
    values: dict[str, Any] = {}
    for name, value in config.items():
        if name not in made.leaves or not isinstance(value, Mapping):
            values[name] = value
        else:
            values.update(_flat(value, (name,), {leaf.keys for leaf in made.leaves[name]}))
    return values


def _flat(value: Mapping[str, Any], keys: tuple[str, ...], known: set[tuple[str, ...]]) -> Iterator[tuple[str, Any]]:
    for name, member in value.items():
        here = (*keys, name)
        if here not in known and isinstance(member, Mapping):
            yield from _flat(member, here, known)
        else:
            yield "_".join(here), member
