"""What can differ in the values and notes of one location of two schemas: a function for each.

None knows how grave that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from python.importing.nodes import LOWER, Bound, Node, Notes
from python.importing.rule import Hit
from python.importing.sites import Site

__all__ = [
    "NoteChanged",
    "bound_loosened",
    "bound_tightened",
    "default_added",
    "default_changed",
    "default_removed",
    "format_began",
    "format_changed",
    "format_dropped",
    "inferred",
    "inferred_no_longer",
    "pattern_dropped",
    "pattern_tightened",
    "secret_began",
    "secret_ended",
    "value_added",
    "value_removed",
    "values_began",
    "values_dropped",
]


def values_began(site: Site) -> Iterator[Hit]:
    """The values are listed now, and were not."""
    for old, new in _both(site):
        if old.values is None and new.values is not None:
            yield Hit(new=_listed(new.values))


def values_dropped(site: Site) -> Iterator[Hit]:
    """The values are no longer listed."""
    for old, new in _both(site):
        if old.values is not None and new.values is None:
            yield Hit(old=_listed(old.values))


def value_added(site: Site) -> Iterator[Hit]:
    """One more value is listed."""
    for old, new in _both(site):
        if old.values is not None and new.values is not None:
            yield from (Hit(new=value) for value in sorted(new.values - old.values))


def value_removed(site: Site) -> Iterator[Hit]:
    """A value is listed no longer."""
    for old, new in _both(site):
        if old.values is not None and new.values is not None:
            yield from (Hit(old=value) for value in sorted(old.values - new.values))


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))


def format_began(site: Site) -> Iterator[Hit]:
    """Text has a format now."""
    for old, new in _both(site):
        if "string" in old.types and old.format is None and new.format is not None:
            yield Hit(new=new.format)


def format_changed(site: Site) -> Iterator[Hit]:
    """Text has another format."""
    for old, new in _both(site):
        if old.format is not None and new.format is not None and old.format != new.format:
            yield Hit(old=old.format, new=new.format)


def format_dropped(site: Site) -> Iterator[Hit]:
    """Text may be any, and had a format."""
    for old, new in _both(site):
        if "string" in new.types and old.format is not None and new.format is None:
            yield Hit(old=old.format)


def pattern_tightened(site: Site) -> Iterator[Hit]:
    """Text must match a pattern that it need not match before."""
    for old, new in _both(site):
        if "string" in old.types and new.patterns - old.patterns:
            yield Hit(old=" and ".join(sorted(old.patterns)) or "any", new=" and ".join(sorted(new.patterns)))


def pattern_dropped(site: Site) -> Iterator[Hit]:
    """Text need not match a pattern any longer, and no new one."""
    for old, new in _both(site):
        if "string" in new.types and old.patterns > new.patterns:
            yield Hit(old=" and ".join(sorted(old.patterns)), new=" and ".join(sorted(new.patterns)) or "any")


def bound_tightened(site: Site) -> Iterator[Hit]:
    """A limit leaves fewer values."""
    for old, new in _both(site):
        yield from _bounds(old.bounds, new.bounds, tighter=True)


def bound_loosened(site: Site) -> Iterator[Hit]:
    """A limit leaves more values."""
    for old, new in _both(site):
        yield from _bounds(old.bounds, new.bounds, tighter=False)


def _bounds(old: Mapping[str, Bound], new: Mapping[str, Bound], *, tighter: bool) -> Iterator[Hit]:
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if was != now and _is_tighter(name, was, now) == tighter:
            yield Hit(old=_bound(name, was), new=_bound(name, now))


def _is_tighter(name: str, old: Bound | None, new: Bound | None) -> bool:
    if old is None or new is None:
        return old is None
    if name == "multipleOf":
        return old.value % new.value != 0
    if name in LOWER:
        return new > old
    return (new.value, not new.exclusive) < (old.value, not old.exclusive)


def _bound(name: str, bound: Bound | None) -> str:
    if bound is None:
        return f"no {name}"
    return f"{name} {'beyond ' if bound.exclusive else ''}{bound.value:g}"


def secret_began(site: Site) -> Iterator[Hit]:
    """A value is a secret now."""
    for old, new in _both(site):
        if new.notes.secret and not old.notes.secret:
            yield Hit(old="plain", new="secret")


def secret_ended(site: Site) -> Iterator[Hit]:
    """A value is no secret any longer."""
    for old, new in _both(site):
        if old.notes.secret and not new.notes.secret:
            yield Hit(old="secret", new="plain")


def default_added(site: Site) -> Iterator[Hit]:
    """There is a default now."""
    for old, new in _both(site):
        if old.notes.default is None and new.notes.default is not None:
            yield Hit(new=new.notes.default)


def default_changed(site: Site) -> Iterator[Hit]:
    """There is another default."""
    for old, new in _both(site):
        if None not in (old.notes.default, new.notes.default) and old.notes.default != new.notes.default:
            yield Hit(old=old.notes.default, new=new.notes.default)


def default_removed(site: Site) -> Iterator[Hit]:
    """There is no default any longer."""
    for old, new in _both(site):
        if old.notes.default is not None and new.notes.default is None:
            yield Hit(old=old.notes.default)


def inferred(site: Site) -> Iterator[Hit]:
    """The schema is to be completed from the documents now."""
    for old, new in _both(site):
        if new.notes.inferred and not old.notes.inferred:
            yield Hit(old="not inferred", new="inferred")


def inferred_no_longer(site: Site) -> Iterator[Hit]:
    """The schema is not to be completed from the documents any longer."""
    for old, new in _both(site):
        if old.notes.inferred and not new.notes.inferred:
            yield Hit(old="inferred", new="not inferred")


class NoteChanged(msgspec.Struct, frozen=True):
    """Finds where the note `name` differs, came or went, at a location that both versions have."""

    name: str

    def __call__(self, site: Site) -> Iterator[Hit]:
        """Yield the difference, if there is one."""
        for old, new in _both(site):
            was, now = _note(old.notes, self.name), _note(new.notes, self.name)
            if was != now:
                yield Hit(old=was, new=now)


def _note(notes: Notes, name: str) -> str:
    value = getattr(notes, name)
    return "none" if value is None else str(value)


def _both(site: Site) -> Iterator[tuple[Node, Node]]:
    if site.both is not None:
        yield site.both
