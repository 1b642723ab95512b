"""Sets as documents write them: an object of `add`, and one of `intersect` and `remove` (Flow protocol, section 11.2).

Each term is an object, whose property names are the members, or an array in the order of a key. A partial reduction
keeps what masks the documents before it; a full one has nothing before it, and drops that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from python.protocol.pointer import MISSING
from python.runner.ordering import composite

if TYPE_CHECKING:
    from python.runner.reduction import Site

__all__ = ["keyed", "listed", "mixed", "problem", "reduce_set", "union"]

_TERMS = ("add", "intersect", "remove")
_Members = dict[object, tuple[int | str, object]]
"""Members by what identifies them: each with its index or name in its document, and its value."""


def problem(value: object) -> str:
    """Return why `value` is no set, or nothing."""
    if not isinstance(value, dict):
        return "`set` reduces objects with `add`, `intersect` or `remove`"
    unknown = sorted(set(value) - set(_TERMS))
    if unknown:
        return f"a set has the member `{unknown[0]}`; it may have `add`, `intersect` and `remove`"
    if "intersect" in value and "remove" in value:
        return "a set has both `intersect` and `remove`; it may have one of them"
    wrong = [name for name, term in value.items() if not isinstance(term, (dict, list))]
    return f"a set's `{wrong[0]}` is neither an object nor an array" if wrong else ""


def mixed(older: object, newer: object) -> str:
    """Return why two sets do not fit each other, or nothing."""
    terms = [term for value in (older, newer) if isinstance(value, dict) for term in value.values()]
    return "a set's terms are objects and arrays; they are all of one kind" if len({type(t) for t in terms}) > 1 else ""


def reduce_set(site: Site, key: tuple[tuple[str, ...], ...]) -> object:
    """Return the set at `site`, whose older and newer values are sets of one kind or MISSING."""
    if site.older is MISSING and not site.full:
        return site.newer
    older, newer = ({n: keyed(t, key) for n, t in _object(value).items()} for value in (site.older, site.newer))
    terms = {"add": _added(site, older, newer), **({} if site.full else _masks(older, newer))}
    as_arrays = any(isinstance(term, list) for value in (site.older, site.newer) for term in _object(value).values())
    return {
        name: listed(members) if as_arrays else dict(members.values())
        for name, members in terms.items()
        if members is not None
    }


def _added(site: Site, older: Mapping[str, _Members], newer: Mapping[str, _Members]) -> _Members | None:
    if "add" not in older and "add" not in newer:
        return None
    kept = older.get("add", {})
    if "intersect" in newer:
        kept = _shared(kept, newer["intersect"])
    return union(site.below("add"), _without(kept, newer.get("remove", {})), newer.get("add", {}))


def _masks(older: Mapping[str, _Members], newer: Mapping[str, _Members]) -> dict[str, _Members]:
    """What both sets together keep of, or take from, what may come before them."""
    if "intersect" in older:
        kept = _without(older["intersect"], newer.get("remove", {}))
        return {"intersect": _shared(kept, newer["intersect"]) if "intersect" in newer else kept}
    if "intersect" in newer:
        return {"intersect": _without(newer["intersect"], older.get("remove", {}))}
    if "remove" in older or "remove" in newer:
        return {"remove": _in_order({**older.get("remove", {}), **newer.get("remove", {})})}
    return {}


def union(site: Site, older: _Members, newer: _Members) -> _Members:
    """Return the members of both in order; those of both are reduced as the schema asks for the newer one."""
    merged: _Members = dict(older)
    for identity, (name, value) in newer.items():
        reduced = site.child(name, older[identity][1] if identity in older else MISSING, value)
        if reduced is MISSING:
            merged.pop(identity, None)
        else:
            merged[identity] = (name, reduced)
    return _in_order(merged)


def keyed(term: object, key: tuple[tuple[str, ...], ...]) -> _Members:
    """Return the members of a term: by property name, or by `key` (none: the whole item) of an array's items."""
    if isinstance(term, dict):
        return {name: (name, value) for name, value in term.items()}
    items = term if isinstance(term, list) else []
    return {_frozen(composite(item, key or ((),))): (index, item) for index, item in enumerate(items)}


def listed(members: _Members) -> list[object]:
    """Return the values of `members` in their order."""
    return [value for _, value in members.values()]


def _shared(members: _Members, other: _Members) -> _Members:
    return {identity: member for identity, member in members.items() if identity in other}


def _without(members: _Members, other: _Members) -> _Members:
    return {identity: member for identity, member in members.items() if identity not in other}


def _in_order(members: _Members) -> _Members:
    return dict(sorted(members.items(), key=lambda member: member[0]))  # type: ignore[arg-type,return-value] # identities of one kind compare


def _frozen(order: object) -> object:
    return tuple(_frozen(part) for part in order) if isinstance(order, (list, tuple)) else order


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
