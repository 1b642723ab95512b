"""The rules of samples: of the documents and the state that a connector gave with the same config.

A sample need not show everything. So what only one version shows is a hint, and what an old one showed and a new one
does not is taken for lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from python.importing.rule import Hit, Level, Rule, Whom
from python.importing.snapshot_redaction import is_redacted

__all__ = ["SAMPLE_RULES", "STATE_RULES", "SamplePair", "sample_pair"]

_Path = tuple[str, ...]
_NULL = frozenset({"null"})
_UNTOLD = "redacted"  # the type of a value that a snapshot does not tell


class SamplePair(msgspec.Struct, frozen=True):
    """The types seen at each location of two samples; no location at all where there is no sample."""

    old: Mapping[_Path, frozenset[str]]
    new: Mapping[_Path, frozenset[str]]


def sample_pair(old: Iterable[object], new: Iterable[object]) -> SamplePair:
    """Return the pair of what the values `old` and `new` show. An item of an array is at `-`."""
    return SamplePair(_seen(old), _seen(new))


def _seen(values: Iterable[object]) -> dict[_Path, frozenset[str]]:
    found: dict[_Path, frozenset[str]] = {}
    waiting: list[tuple[_Path, object]] = [((), value) for value in values]
    while waiting:
        at, value = waiting.pop()
        found[at] = found.get(at, frozenset()) | {_kind(value)}
        if isinstance(value, Mapping):
            waiting.extend(((*at, name), member) for name, member in value.items())
        elif isinstance(value, list | tuple):
            waiting.extend(((*at, "-"), item) for item in value)
    return found


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, str):
        return _UNTOLD if is_redacted(value) else "string"
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, list | tuple) else "number"


def _vanished(pair: SamplePair) -> Iterator[Hit]:
    if pair.old and not pair.new:
        yield Hit(old="some", new="none")


def _appeared(pair: SamplePair) -> Iterator[Hit]:
    if pair.new and not pair.old:
        yield Hit(old="none", new="some")


def _field_vanished(pair: SamplePair) -> Iterator[Hit]:
    if pair.new:
        yield from (Hit(at, old=_words(pair.old[at])) for at in _alone(pair.old, pair.new) if not _of_binding(at))


def _field_appeared(pair: SamplePair) -> Iterator[Hit]:
    if pair.old:
        yield from (Hit(at, new=_words(pair.new[at])) for at in _alone(pair.new, pair.old) if not _of_binding(at))


def _key_vanished(pair: SamplePair) -> Iterator[Hit]:
    if pair.new:
        yield from (Hit(at, old=_words(pair.old[at])) for at in _alone(pair.old, pair.new) if _of_binding(at))


def _key_appeared(pair: SamplePair) -> Iterator[Hit]:
    if pair.old:
        yield from (Hit(at, new=_words(pair.new[at])) for at in _alone(pair.new, pair.old) if _of_binding(at))


def _of_binding(at: _Path) -> bool:
    """Whether `at` is the state of one binding, as the base classes and shims keep it."""
    return len(at) == 2 and at[0] == "bindingStateV1"  # noqa: PLR2004 -- the map's name, and the key in it


def _alone(many: Mapping[_Path, object], few: Mapping[_Path, object]) -> list[_Path]:
    """Return the locations that only `many` has, without those below another of them, or in what was never filled."""
    return [at for at in sorted(many) if at not in few and at[:-1] in few and at[-1:] != ("-",)]


def _type_changed(pair: SamplePair) -> Iterator[Hit]:
    for at, old, new in _types(pair):
        if old and new and not old & new:
            yield Hit(at, _words(old), _words(new))


def _type_appeared(pair: SamplePair) -> Iterator[Hit]:
    for at, old, new in _types(pair):
        if old & new and new - old:
            yield Hit(at, _words(old), _words(new))


def _type_vanished(pair: SamplePair) -> Iterator[Hit]:
    for at, old, new in _types(pair):
        if old & new and old - new:
            yield Hit(at, _words(old), _words(new))


def _null_appeared(pair: SamplePair) -> Iterator[Hit]:
    for at in _shared(pair):
        if pair.new[at] - pair.old[at] >= _NULL:
            yield Hit(at, _words(pair.old[at]), _words(pair.new[at]))


def _null_vanished(pair: SamplePair) -> Iterator[Hit]:
    for at in _shared(pair):
        if pair.old[at] - pair.new[at] >= _NULL:
            yield Hit(at, _words(pair.old[at]), _words(pair.new[at]))


def _types(pair: SamplePair) -> Iterator[tuple[_Path, frozenset[str], frozenset[str]]]:
    for at in _shared(pair):
        yield at, pair.old[at] - _NULL, pair.new[at] - _NULL


def _shared(pair: SamplePair) -> list[_Path]:
    """Return the locations that both samples have, but for those of which one does not tell a value."""
    return [at for at in sorted(pair.old) if at in pair.new and _UNTOLD not in pair.old[at] | pair.new[at]]


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))


_PATCH, _MINOR, _MAJOR = Level
_READ = (Whom.READERS, Whom.MATERIALIZATIONS)
_STATE = (Whom.RUNNING, Whom.STATE)

SAMPLE_RULES: tuple[Rule[SamplePair], ...] = (
    Rule("vanished", _MAJOR, _READ, "nothing is captured where something was", _vanished),
    Rule("appeared", _MINOR, _READ, "something is captured where nothing was", _appeared),
    Rule("field-vanished", _MAJOR, _READ, "what reads it finds nothing", _field_vanished),
    Rule("field-appeared", _MINOR, _READ, "documents have something new", _field_appeared),
    Rule("type-changed", _MAJOR, _READ, "neither old schemas nor old columns fit", _type_changed),
    Rule("type-appeared", _MAJOR, _READ, "old schemas and columns may not hold the new type", _type_appeared),
    Rule("type-vanished", _PATCH, _READ, "fewer types are seen", _type_vanished),
    Rule("null-appeared", _MINOR, _READ, "what reads it may find null", _null_appeared),
    Rule("null-vanished", _PATCH, _READ, "what was null is not any longer", _null_vanished),
)
"""Of documents that were captured; a difference's rule has `sample-` before the name here."""

STATE_RULES: tuple[Rule[SamplePair], ...] = (
    Rule("vanished", _MAJOR, _STATE, "what is stored is not used, so all is captured anew", _vanished),
    Rule("appeared", _MINOR, (Whom.NEW,), "tasks go on from where they were", _appeared),
    Rule("key-vanished", _MAJOR, _STATE, "the binding finds nothing under its key and starts over", _key_vanished),
    Rule("key-appeared", _MINOR, (Whom.NEW,), "one more binding goes on from where it was", _key_appeared),
    Rule("member-vanished", _MAJOR, _STATE, "what is stored there may not be used", _field_vanished),
    Rule("member-appeared", _MINOR, _STATE, "what is stored lacks it", _field_appeared),
    Rule("type-changed", _MAJOR, _STATE, "what is stored there may not be understood", _type_changed),
    Rule("type-appeared", _MINOR, _STATE, "one more type is stored there", _type_appeared),
    Rule("type-vanished", _PATCH, _STATE, "fewer types are stored there", _type_vanished),
)
"""Of the connector's state; a difference's rule has `state-` before the name here."""
