"""The reduction strategies of Flow, each a function of an older and a newer value (protocol reference, section 11.2).

`REDUCERS` maps the name of a strategy to its function. `child` reduces what lies below, at a name or an index.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from python.protocol import pointer
from python.protocol.errors import HeadwaterError
from python.protocol.pointer import MISSING

__all__ = ["REDUCERS", "ReductionError", "Strategy", "sort_key"]

Child = Callable[[str | int, object, object], object]
"""Reduces the value at a name or an index: the older value, the newer value, each possibly MISSING."""


class ReductionError(HeadwaterError):
    """Two values cannot be reduced as their schema asks, or the schema asks for what does not exist."""


class Strategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `reduce` annotation: `key` are JSON pointers into array items, `delete` removes the reduced location."""

    strategy: str
    key: tuple[str, ...] = ()
    delete: bool = False


def sort_key(value: object) -> tuple[int, Any]:
    """Return what orders JSON scalars as Flow's packed keys do: null, strings, numbers, booleans; then the rest."""
    if value is None or value is MISSING:
        return (0, 0)
    if isinstance(value, bool):
        return (3, value)
    if isinstance(value, (int, float, decimal.Decimal)):
        return (2, value)
    return (1, value) if isinstance(value, str) else (4, str(value))


def _last(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    del strategy, older, child
    return newer


def _first(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    del strategy, child
    return newer if older is MISSING else older


def _merge(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    if older is None:
        return None
    fields = {} if older is MISSING else older
    if isinstance(newer, dict) and isinstance(fields, dict):
        return _merge_objects(fields, newer, child)
    before = [] if older is MISSING else older
    if isinstance(newer, list) and isinstance(before, list):
        return _merge_sorted(strategy, before, newer, child) if strategy.key else _merge_items(before, newer, child)
    raise _mismatch(strategy, older, newer, "two objects or two arrays")


def _merge_objects(older: Mapping[str, object], newer: Mapping[str, object], child: Child) -> dict[str, object]:
    merged = dict(older)
    for name, value in newer.items():
        reduced = child(name, older.get(name, MISSING), value)
        if reduced is MISSING:
            merged.pop(name, None)
        else:
            merged[name] = reduced
    return merged


def _merge_items(older: list[object], newer: list[object], child: Child) -> list[object]:
    both = max(len(older), len(newer))
    pairs = ((_at(older, index), _at(newer, index)) for index in range(both))
    return [old if new is MISSING else child(index, old, new) for index, (old, new) in enumerate(pairs)]


def _merge_sorted(strategy: Strategy, older: list[object], newer: list[object], child: Child) -> list[object]:
    keys = [pointer.parse(key) for key in strategy.key]

    def order(item: object) -> list[tuple[int, Any]]:
        return [sort_key(pointer.resolve(item, key)) for key in keys]

    merged: list[object] = []
    left, right = list(older), list(newer)
    while left and right:
        before, after = order(left[0]), order(right[0])
        if before == after:
            old, new = left.pop(0), right.pop(0)
            merged.append(child(len(merged), old, new) if isinstance(new, (dict, list)) else new)
        else:
            merged.append((left if before < after else right).pop(0))
    return merged + left + right


def _append(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    del child
    if older is None:
        return None
    before = [] if older is MISSING else older
    if not isinstance(newer, list) or not isinstance(before, list):
        raise _mismatch(strategy, older, newer, "two arrays")
    return before + newer


def _sum(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    del child
    if older is MISSING:
        return newer
    numbers = (int, float, decimal.Decimal)
    if isinstance(older, bool) or isinstance(newer, bool):
        raise _mismatch(strategy, older, newer, "two numbers")
    if not isinstance(older, numbers) or not isinstance(newer, numbers):
        raise _mismatch(strategy, older, newer, "two numbers")
    if isinstance(older, int) and isinstance(newer, int):
        return older + newer
    with decimal.localcontext(prec=100):
        return decimal.Decimal(str(older)) + decimal.Decimal(str(newer))


def _extreme(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    if older is MISSING:
        return newer
    keys = [pointer.parse(key) for key in strategy.key] or [()]
    before, after = ([sort_key(pointer.resolve(value, key)) for key in keys] for value in (older, newer))
    if before == after:
        return _merge(strategy, older, newer, child) if strategy.key and isinstance(newer, dict) else newer
    newer_wins = after < before if strategy.strategy == "minimize" else after > before
    return newer if newer_wins else older


def _set(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    before = {} if older is MISSING else older
    if not isinstance(before, dict) or not isinstance(newer, dict):
        raise _mismatch(strategy, older, newer, "two objects with add, intersect or remove")
    unknown = set(newer) - {"add", "intersect", "remove"}
    if unknown or {"intersect", "remove"} <= set(newer):
        raise ReductionError(f"a set has {sorted(newer)}; it may have add, and one of intersect and remove")
    kept = before.get("add", MISSING)
    for verb in ("intersect", "remove"):
        if verb in newer:
            kept = _select(strategy, kept, newer[verb], keep=verb == "intersect")
    if "add" in newer:
        added = newer["add"]
        kept = (
            added
            if kept is MISSING
            else _merge(Strategy(strategy="merge", key=strategy.key or ("",)), kept, added, child)
        )
    return {} if kept is MISSING else {"add": kept}


def _select(strategy: Strategy, kept: object, other: object, *, keep: bool) -> object:
    if isinstance(kept, dict) and isinstance(other, dict):
        return {name: value for name, value in kept.items() if (name in other) == keep}
    if isinstance(kept, list) and isinstance(other, list):
        keys = [pointer.parse(key) for key in strategy.key] or [()]
        wanted = [[pointer.resolve(item, key) for key in keys] for item in other]
        return [item for item in kept if ([pointer.resolve(item, key) for key in keys] in wanted) == keep]
    return kept


def _json_schema(strategy: Strategy, older: object, newer: object, child: Child) -> object:
    del strategy, child
    return newer if older is MISSING else _union(older, newer)


def _union(one: object, other: object) -> object:
    """Return a schema that accepts whatever either of two schemas accepts, as narrow as is simple."""
    if one is True or other is True or not isinstance(one, dict) or not isinstance(other, dict):
        return other if one is False else one if other is False else True
    types = {name: None for schema in (one, other) for name in _types(schema)}
    union: dict[str, object] = {"type": list(types) if len(types) > 1 else next(iter(types))} if types else {}
    shared = {
        name: _union(one[name], other[name])
        for name in ("items", "additionalProperties")
        if name in one and name in other
    }
    union.update(shared)
    mine, theirs = one.get("properties", {}), other.get("properties", {})
    if mine or theirs:
        union["properties"] = {
            name: _union(mine[name], theirs[name])
            if name in mine and name in theirs
            else mine.get(name, theirs.get(name))
            for name in [*mine, *(name for name in theirs if name not in mine)]
        }
    required = [name for name in one.get("required", ()) if name in other.get("required", ())]
    union.update({"required": required} if required else {})
    bounds = {name: pick(one[name], other[name]) for name, pick in _BOUNDS.items() if name in one and name in other}
    same = {name: value for name, value in one.items() if name not in union and other.get(name, MISSING) == value}
    return {**union, **bounds, **same}


_BOUNDS: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "minLength", "minItems", "minProperties"), min),
    **dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties"), max),
}


def _types(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _at(items: list[object], index: int) -> object:
    return items[index] if index < len(items) else MISSING


def _mismatch(strategy: Strategy, older: object, newer: object, want: str) -> ReductionError:
    kinds = " and ".join(type(value).__name__ for value in (older, newer) if value is not MISSING)
    return ReductionError(f"`{strategy.strategy}` reduces {want}, but got {kinds}")


REDUCERS: Mapping[str, Callable[[Strategy, object, object, Child], object]] = {
    "lastWriteWins": _last,
    "firstWriteWins": _first,
    "merge": _merge,
    "append": _append,
    "sum": _sum,
    "minimize": _extreme,
    "maximize": _extreme,
    "set": _set,
    "jsonSchemaMerge": _json_schema,
}
