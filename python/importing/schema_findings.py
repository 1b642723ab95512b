"""What can differ in the members and types of one location of two schemas: a function for each.

None knows how grave that is.
"""

from __future__ import annotations

from collections.abc import Iterator

from python.importing.nodes import TYPES, Node
from python.importing.rule import Hit
from python.importing.sites import Site, apart, covers

__all__ = [
    "added",
    "added_required",
    "added_to_closed",
    "alternative_added",
    "alternative_removed",
    "became_optional",
    "became_required",
    "closed",
    "condition_changed",
    "deletions_began",
    "deletions_ended",
    "described",
    "null_allowed",
    "null_refused",
    "opened",
    "removed",
    "removed_from_closed",
    "type_changed",
    "type_narrowed",
    "type_widened",
]

_NULL = frozenset({"null"})


def described(node: Node) -> str:
    """Return in a few words what `node` admits."""
    if node.branches:
        return f"{len(node.branches)} alternatives"
    words = "anything" if node.types == TYPES else " or ".join(sorted(node.types)) or "nothing"
    return f"{words} ({node.format})" if node.format else words


def added(site: Site) -> Iterator[Hit]:
    """A member is new, and may be left out."""
    if site.old is None and site.new is not None and not site.is_required and not site.was_closed:
        yield Hit(new=described(site.new))


def added_required(site: Site) -> Iterator[Hit]:
    """A member is new, and required."""
    if site.old is None and site.new is not None and site.is_required:
        yield Hit(new=described(site.new))


def added_to_closed(site: Site) -> Iterator[Hit]:
    """A member is new and may be left out, where the old version refused members that it did not name."""
    if site.old is None and site.new is not None and not site.is_required and site.was_closed:
        yield Hit(new=described(site.new))


def removed(site: Site) -> Iterator[Hit]:
    """A member is gone, and whatever has its name is let pass."""
    if site.old is not None and site.new is None and not site.is_closed:
        yield Hit(old=described(site.old))


def removed_from_closed(site: Site) -> Iterator[Hit]:
    """A member is gone, and what has its name is refused."""
    if site.old is not None and site.new is None and site.is_closed:
        yield Hit(old=described(site.old))


def became_required(site: Site) -> Iterator[Hit]:
    """A member that might be left out must not."""
    if site.old is not None and site.new is not None and site.is_required and not site.was_required:
        yield Hit(old="optional", new="required")


def became_optional(site: Site) -> Iterator[Hit]:
    """A member that must not be left out may be."""
    if site.old is not None and site.new is not None and site.was_required and not site.is_required:
        yield Hit(old="required", new="optional")


def type_changed(site: Site) -> Iterator[Hit]:
    """Values of the one version have types that the other refuses, both ways."""
    if site.old is not None and site.new is not None:
        old, new = site.old.types - _NULL, site.new.types - _NULL
        if apart(old, new) or not (covers(old, new) or covers(new, old)):
            yield Hit(old=described(site.old), new=described(site.new))


def type_widened(site: Site) -> Iterator[Hit]:
    """There are more types than there were, null aside."""
    for old, new in _both(site):
        if _more(new.types, old.types):
            yield Hit(old=described(old), new=described(new))


def type_narrowed(site: Site) -> Iterator[Hit]:
    """There are fewer types than there were, null aside."""
    for old, new in _both(site):
        if _more(old.types, new.types):
            yield Hit(old=described(old), new=described(new))


def _more(many: frozenset[str], few: frozenset[str]) -> bool:
    return covers(many - _NULL, few - _NULL) and not covers(few - _NULL, many - _NULL)


def null_allowed(site: Site) -> Iterator[Hit]:
    """Null is a value now."""
    for old, new in _both(site):
        if "null" in new.types - old.types:
            yield Hit(old=described(old), new=described(new))


def null_refused(site: Site) -> Iterator[Hit]:
    """Null was a value."""
    for old, new in _both(site):
        if "null" in old.types - new.types:
            yield Hit(old=described(old), new=described(new))


def closed(site: Site) -> Iterator[Hit]:
    """Members without a name are refused now."""
    for old, new in _both(site):
        if "object" in old.types & new.types and new.closed and not old.closed:
            yield Hit(old="other members pass", new="other members are refused")


def opened(site: Site) -> Iterator[Hit]:
    """Members without a name pass now."""
    for old, new in _both(site):
        if "object" in old.types & new.types and old.closed and not new.closed:
            yield Hit(old="other members are refused", new="other members pass")


def alternative_added(site: Site) -> Iterator[Hit]:
    """There is one more alternative."""
    yield from (Hit(new=_alternative(node)) for node in site.came)


def alternative_removed(site: Site) -> Iterator[Hit]:
    """An alternative is gone."""
    yield from (Hit(old=_alternative(node)) for node in site.went)


def _alternative(node: Node) -> str:
    fixed = {name: member.values for name, member in node.properties.items() if member.values is not None}
    told = [f"{name} {next(iter(values))}" for name, values in fixed.items() if len(values) == 1]
    return told[0] if told else described(node)


def condition_changed(site: Site) -> Iterator[Hit]:
    """A condition which is compared as a whole differs: `if`, `not`, `patternProperties` and such."""
    for old, new in _both(site):
        told = set() if _deletes(old) == _deletes(new) else {"if", "then", "else"}
        names = [name for name in sorted({*old.conditions, *new.conditions} - told) if _differs(old, new, name)]
        if names:
            yield Hit(old=_named(old, names), new=_named(new, names))
        elif old.recursive != new.recursive:
            yield Hit(old=f"{old.recursive} up", new=f"{new.recursive} up")


def deletions_began(site: Site) -> Iterator[Hit]:
    """Some documents delete what has their key."""
    for old, new in _both(site):
        if _deletes(new) and not _deletes(old):
            yield Hit(new="deletions")


def deletions_ended(site: Site) -> Iterator[Hit]:
    """No document deletes what has its key any longer."""
    for old, new in _both(site):
        if _deletes(old) and not _deletes(new):
            yield Hit(old="deletions")


def _deletes(node: Node) -> bool:
    parts = [part.notes.reduce for part in node.conditions.values() if isinstance(part, Node)]
    return any(reduction is not None and '"delete":true' in reduction for reduction in [node.notes.reduce, *parts])


def _differs(old: Node, new: Node, name: str) -> bool:
    return old.conditions.get(name) != new.conditions.get(name)


def _named(node: Node, names: list[str]) -> str:
    return ", ".join(name for name in names if name in node.conditions) or "none"


def _both(site: Site) -> Iterator[tuple[Node, Node]]:
    if site.both is not None:
        yield site.both
