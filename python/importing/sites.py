"""Two schemas side by side: every location that either has, with what each says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from python.importing.nodes import ANYTHING, NOTHING, Node

__all__ = ["Site", "apart", "covers", "sites"]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One location in two versions of a schema; None where a version says nothing of it.

    `was_closed` and `is_closed`: the object around the location refuses members that it does not name. `came` and
    `went` are alternatives that only one version has; `had_alternatives` and `has_alternatives`, whether there are any.
    """

    at: tuple[str, ...] = ()
    old: Node | None
    new: Node | None
    was_required: bool = False
    is_required: bool = False
    was_closed: bool = False
    is_closed: bool = False
    came: tuple[Node, ...] = ()
    went: tuple[Node, ...] = ()
    had_alternatives: bool = False
    has_alternatives: bool = False

    @property
    def both(self) -> tuple[Node, Node] | None:
        """What both versions say, where they say what can be compared: not two types that exclude each other."""
        if self.old is None or self.new is None or apart(self.old.types, self.new.types):
            return None
        return self.old, self.new


def covers(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    """Whether every value with a type of `narrow` has a type of `wide`: integers are numbers."""
    return all(name in wide or (name == "integer" and "number" in wide) for name in narrow)


def apart(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether no value but null has a type of each."""
    left, right = left - {"null"}, right - {"null"}
    if not left or not right:
        return False
    return not any(covers(left, frozenset({name})) for name in right) and not any(
        covers(right, frozenset({name})) for name in left
    )


def sites(old: Node, new: Node) -> Iterator[Site]:
    """Yield each location of two schemas, the root first. Below what was added or removed there are none."""
    yield from _below(Site(old=old, new=new))


def _below(site: Site) -> Iterator[Site]:
    old, new = site.old, site.new
    if old is None or new is None or old == new:
        yield site
        return
    if old.branches or new.branches:
        yield from _alternatives(site, old, new)
        return
    yield site
    if site.both is None:
        return
    if "object" in old.types & new.types:
        yield from _members(site.at, old, new)
        if not old.closed and not new.closed:
            yield from _rest((*site.at, "*"), old.additional, new.additional)
    if "array" in old.types & new.types:
        yield from _rest((*site.at, "-"), old.items, new.items)


def _members(at: tuple[str, ...], old: Node, new: Node) -> Iterator[Site]:
    names = dict.fromkeys([*old.properties, *sorted(old.required), *new.properties, *sorted(new.required)])
    for name in names:
        site = Site(
            at=(*at, name),
            old=old.member(name),
            new=new.member(name),
            was_required=name in old.required,
            is_required=name in new.required,
            was_closed=old.closed,
            is_closed=new.closed,
        )
        yield from _below(site)
        yield from _unnamed(site, old, new)


def _unnamed(site: Site, old: Node, new: Node) -> Iterator[Site]:
    """Yield what a member was, or is, that one version names, and of which the other says what any member is."""
    before = _typed(old) if site.old is None else site.old
    after = _typed(new) if site.new is None else site.new
    if before is None or after is None or (site.old is not None and site.new is not None):
        return
    required = {"was_required": True, "is_required": True}  # that it was named, or is no longer, is told already
    yield from _below(msgspec.structs.replace(site, old=before, new=after, **required))


def _typed(node: Node) -> Node | None:
    return None if node.closed else node.additional


def _rest(at: tuple[str, ...], old: Node | None, new: Node | None) -> Iterator[Site]:
    if old is not None or new is not None:
        yield from _below(Site(at=at, old=old or ANYTHING, new=new or ANYTHING))


def _alternatives(site: Site, old: Node, new: Node) -> Iterator[Site]:
    """Yield the place itself, with the alternatives that only one version has, and then each pair of alternatives."""
    pairs, went, came = _matched(old.branches or (old,), new.branches or (new,))
    yield msgspec.structs.replace(
        site,
        old=msgspec.structs.replace(NOTHING, notes=old.notes),
        new=msgspec.structs.replace(NOTHING, notes=new.notes),
        went=tuple(went),
        came=tuple(came),
        had_alternatives=bool(old.branches),
        has_alternatives=bool(new.branches),
    )
    for one, other in pairs:
        yield from _below(Site(at=site.at, old=one, new=other))


def _matched(old: Sequence[Node], new: Sequence[Node]) -> tuple[list[tuple[Node, Node]], list[Node], list[Node]]:
    """Return which alternative became which, and those of each side that match none of the other.

    The same ones match first, then those with the same constant in one of their members, then those of the same types
    without such a constant, in order.
    """
    pairs: list[tuple[Node, Node]] = []
    went, came = list(old), list(new)
    for alike in (_same, _same_constants, _same_kind):
        for one in list(went):
            other = next((each for each in came if alike(one, each)), None)
            if other is not None:
                pairs.append((one, other))
                went.remove(one)
                came.remove(other)
    return pairs, went, came


def _same(one: Node, other: Node) -> bool:
    return one == other


def _same_constants(one: Node, other: Node) -> bool:
    return bool(_constants(one) & _constants(other))


def _same_kind(one: Node, other: Node) -> bool:
    return one.types == other.types and not _constants(one) and not _constants(other)


def _constants(node: Node) -> frozenset[tuple[str, str]]:
    """Return the members that are one constant text, by which alternatives are told apart."""
    members = ((name, member.values) for name, member in node.properties.items())
    return frozenset((name, next(iter(values))) for name, values in members if values is not None and len(values) == 1)
