"""The reduction strategies of Flow, each a function of one location (Flow protocol, section 11.2).

`STRATEGIES` maps the name of a strategy to its function and to the members that its annotation may have.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from python.protocol import pointer
from python.protocol.errors import HeadwaterError
from python.protocol.pointer import MISSING
from python.runner import schema_union, sets
from python.runner.ordering import composite
from python.runner.schemas import SchemaError

if TYPE_CHECKING:
    from python.runner.reduction import Site

__all__ = ["LAST_WRITE_WINS", "STRATEGIES", "ReductionError", "Strategy", "parse_strategy"]


class ReductionError(HeadwaterError):
    """Two documents cannot be reduced as their schema asks. `at` is the JSON pointer of the location.

    `of` says whose documents they are, as far as it is known where the error is raised.
    """

    def __init__(self, *, at: str, problem: str, of: str = "") -> None:
        super().__init__(f"{of}: {at or '/'}: {problem}" if of else f"{at or '/'}: {problem}")
        self.at = at
        self.problem = problem
        self.of = of


class Strategy(msgspec.Struct, frozen=True):
    """A `reduce` annotation: `key` are pointers (tokens) into the reduced value or its items.

    `delete` removes the location once it is fully reduced.
    """

    name: str
    key: tuple[tuple[str, ...], ...] = ()
    delete: bool = False


LAST_WRITE_WINS = Strategy("lastWriteWins")
"""What applies where a schema says nothing."""


def parse_strategy(annotation: object, at: str) -> Strategy:
    """Return the value of a `reduce` annotation. `at` is its JSON pointer in the schema, for the SchemaError."""
    if not isinstance(annotation, Mapping) or not isinstance(annotation.get("strategy"), str):
        raise SchemaError(at=at, problem=f"wants an object with `strategy`, but got {annotation!r}")
    name = annotation["strategy"]
    if name not in STRATEGIES:
        raise SchemaError(at=at, problem=f"has the strategy {name!r}; it is one of {', '.join(STRATEGIES)}")
    members = STRATEGIES[name].members
    unknown = sorted(set(annotation) - {"strategy"} - set(members))
    if unknown:
        known = ", ".join(f"`{member}`" for member in ("strategy", *members))
        raise SchemaError(at=at, problem=f"has the member `{unknown[0]}`; {name} takes {known}")
    for member in ("delete", "associative"):
        if not isinstance(annotation.get(member, False), bool):
            raise SchemaError(at=f"{at}/{member}", problem=f"is {annotation[member]!r}; it is true or false")
    return Strategy(name, _parse_key(annotation.get("key", []), at), bool(annotation.get("delete", False)))


def _parse_key(key: object, at: str) -> tuple[tuple[str, ...], ...]:
    if not isinstance(key, list) or not all(isinstance(item, str) and item[:1] in ("", "/") for item in key):
        raise SchemaError(at=f"{at}/key", problem=f'is {key!r}; it is an array of JSON pointers, as in ["/id"]')
    return tuple(pointer.parse(item) for item in key)


def _last(site: Site, strategy: Strategy) -> object:
    del strategy
    return site.newer


def _first(site: Site, strategy: Strategy) -> object:
    del strategy
    return site.newer if site.older is MISSING else site.older


def _merge(site: Site, strategy: Strategy) -> object:
    older, newer = site.older, site.newer
    if older is MISSING:
        return _pruned(site)
    if isinstance(older, dict) and isinstance(newer, dict):
        return _merge_objects(site, older, newer)
    if isinstance(older, list) and isinstance(newer, list):
        return _merge_sorted(site, strategy) if strategy.key else _merge_by_index(site, older, newer)
    if older is None and isinstance(newer, (dict, list)):
        return None
    raise _mismatch(site, strategy, "two objects or two arrays")


def _pruned(site: Site) -> object:
    """Return a newer value that nothing precedes, without what its annotations delete; itself where they do not."""
    newer = site.newer
    if not site.full or not isinstance(newer, (dict, list)):
        return newer
    names = list(newer) if isinstance(newer, dict) else range(len(newer))
    kept = {name: site.child(name, MISSING, newer[name]) for name in names}
    if all(value is newer[name] for name, value in kept.items()):
        return newer
    left = {name: value for name, value in kept.items() if value is not MISSING}
    return left if isinstance(newer, dict) else list(left.values())


def _merge_objects(site: Site, older: dict[str, object], newer: dict[str, object]) -> dict[str, object]:
    merged = dict(older)
    for name, value in newer.items():
        reduced = site.child(name, older.get(name, MISSING), value)
        if reduced is MISSING:
            merged.pop(name, None)
        else:
            merged[name] = reduced
    return merged


def _merge_by_index(site: Site, older: list[object], newer: list[object]) -> list[object]:
    before = older + [MISSING] * (len(newer) - len(older))
    merged = [site.child(index, before[index], value) for index, value in enumerate(newer)]
    return [value for value in merged if value is not MISSING] + older[len(newer) :]


def _merge_sorted(site: Site, strategy: Strategy) -> list[object]:
    older, newer = sets.keyed(site.older, strategy.key), sets.keyed(site.newer, strategy.key)
    return sets.listed(sets.union(site, older, newer))


def _append(site: Site, strategy: Strategy) -> object:
    older, newer = site.older, site.newer
    if isinstance(newer, list) and (older is MISSING or older is None):
        return newer if older is MISSING else None
    if not isinstance(newer, list) or not isinstance(older, list):
        raise _mismatch(site, strategy, "two arrays")
    return older + newer


_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1
"""What a sum of integers may be: Flow keeps it in 64 bits, with a sign or without, and calls more an overflow."""

_SUM_DIGITS_MAX = 2_000
"""Digits kept by a sum of decimals: more than a float's whole range has, and few enough that no sum fills memory."""

_exact = decimal.Context(
    prec=_SUM_DIGITS_MAX,
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
    traps=[decimal.Inexact, decimal.InvalidOperation],
)


def _sum(site: Site, strategy: Strategy) -> object:
    older, newer = 0 if site.older is MISSING else site.older, site.newer
    if type(older) is int and type(newer) is int:
        return _whole_sum(site, older + newer)
    numbers = [_decimal(value) for value in (older, newer)]
    if None in numbers:
        raise _mismatch(site, strategy, "two numbers")
    try:
        return newer if site.older is MISSING else _exact.add(*numbers)  # type: ignore[arg-type] # None was refused
    except decimal.DecimalException:
        raise ReductionError(at=site.pointer, problem=f"a sum has more than {_SUM_DIGITS_MAX} digits") from None


def _whole_sum(site: Site, total: int) -> int:
    if _INTEGER_MIN <= total <= _INTEGER_MAX:
        return total
    problem = f"a sum of integers overflows: {total} is beyond the {_INTEGER_MIN} to {_INTEGER_MAX} of 64 bits"
    raise ReductionError(at=site.pointer, problem=problem)


def _decimal(value: object) -> decimal.Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
        return None
    return decimal.Decimal(repr(value)) if isinstance(value, float) else decimal.Decimal(value)


def _extreme(site: Site, strategy: Strategy) -> object:
    if site.older is MISSING:
        return site.newer
    older, newer = (composite(value, strategy.key or ((),)) for value in (site.older, site.newer))
    if older == newer:
        return _merge(site, Strategy("merge")) if strategy.key else site.newer
    newer_is_less = newer < older
    return site.newer if newer_is_less == (strategy.name == "minimize") else site.older


def _set(site: Site, strategy: Strategy) -> object:
    problem = sets.problem(site.newer) or (sets.problem(site.older) if site.older is not MISSING else "")
    problem = problem or sets.mixed(site.older, site.newer)
    if problem:
        raise ReductionError(at=site.pointer, problem=problem)
    return sets.reduce_set(site, strategy.key)


def _json_schema_merge(site: Site, strategy: Strategy) -> object:
    if site.older is MISSING:
        return site.newer
    if not isinstance(site.older, dict) or not isinstance(site.newer, dict):
        raise _mismatch(site, strategy, "two JSON schemas, which are objects")
    return schema_union.union(site.older, site.newer)


def _mismatch(site: Site, strategy: Strategy, want: str) -> ReductionError:
    kinds = " and ".join(_kind(value) for value in (site.older, site.newer) if value is not MISSING)
    return ReductionError(at=site.pointer, problem=f"`{strategy.name}` reduces {want}, but got {kinds}")


def _kind(value: object) -> str:
    return next(kind for types, kind in _KINDS if isinstance(value, types))


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "a boolean"),
    ((int, float, decimal.Decimal), "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)


class _Known(msgspec.Struct, frozen=True):
    """How a strategy reduces a location, and which members may stand beside its name."""

    reduce: Callable[[Site, Strategy], object]
    members: tuple[str, ...] = ()


STRATEGIES: Mapping[str, _Known] = {
    "lastWriteWins": _Known(_last, ("delete", "associative")),
    "firstWriteWins": _Known(_first),
    "merge": _Known(_merge, ("key", "delete")),
    "append": _Known(_append),
    "sum": _Known(_sum),
    "minimize": _Known(_extreme, ("key",)),
    "maximize": _Known(_extreme, ("key",)),
    "set": _Known(_set, ("key",)),
    "jsonSchemaMerge": _Known(_json_schema_merge),
}
