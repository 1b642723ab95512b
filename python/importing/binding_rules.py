"""The rules of bindings, and which binding of one version is which of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from python.importing.nodes import Node, canonical
from python.importing.rule import Hit, Level, Rule, Whom
from python.importing.snapshots import Binding
from python.protocol import pointer

__all__ = ["BINDING_RULES", "BindingPair", "binding_pairs", "lacking", "name_of", "path_of"]


class BindingPair(msgspec.Struct, frozen=True, kw_only=True):
    """One binding in two versions; None where a version has it not.

    `path_names` are the members of the resource config that make the path. `problem` says why the new version's
    resource schema refuses the old resource config; empty where it does not. `unsure` are the locations of the new
    key that documents may lack, and that those of the old version could not.
    """

    old: Binding | None
    new: Binding | None
    old_path: tuple[str, ...] = ()
    new_path: tuple[str, ...] = ()
    path_names: frozenset[str] = frozenset()
    problem: str = ""
    unsure: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call the binding: as the old version does, if it has it."""
        return name_of(self.old if self.old is not None else self.new or {})


def name_of(binding: Binding) -> str:
    """Return the recommended name of `binding`, or its resource config where it has none."""
    return str(binding.get("recommendedName") or canonical(binding.get("resourceConfig")))


def path_of(binding: Binding, pointers: Sequence[str]) -> tuple[str, ...]:
    """Return the resource path of `binding`: what is at `pointers` in its resource config, or else what it says."""
    found = [pointer.resolve(binding.get("resourceConfig"), pointer.parse(each)) for each in pointers]
    path = tuple(str(value) for value in found if value not in (pointer.MISSING, None, ""))
    return path or tuple(str(part) for part in binding.get("resourcePath") or ()) or (name_of(binding),)


def binding_pairs(
    old: Sequence[Binding], new: Sequence[Binding], pointers: tuple[Sequence[str], Sequence[str]]
) -> Iterator[BindingPair]:
    """Yield each binding of either version, in the old one's order: the same by path, or else by name.

    `pointers` are those of the two versions to what makes a resource path.
    """
    names = frozenset(pointer.parse(each)[0] for side in pointers for each in side if each.startswith("/"))
    befores, afters = _by_path(old, pointers[0]), _by_path(new, pointers[1])
    free = {name_of(binding): path for path, binding in afters.items() if path not in befores}
    for path, before in befores.items():
        becomes = path if path in afters else free.pop(name_of(before), None)
        after = None if becomes is None else afters.pop(becomes)
        yield BindingPair(old=before, new=after, old_path=path, new_path=becomes or (), path_names=names)
    for path, after in afters.items():
        yield BindingPair(old=None, new=after, new_path=path, path_names=names)


def lacking(binding: Binding, schema: Node) -> set[str]:
    """Return the locations of the key of `binding` that documents of `schema` may lack."""
    return {
        each for each in binding.get("key") or () if each.startswith("/") and not _exists(schema, pointer.parse(each))
    }


def _exists(node: Node, tokens: Sequence[str]) -> bool:
    for token in tokens:
        if token not in node.required:
            return False
        node = node.member(token) or node
    return True


def _by_path(bindings: Sequence[Binding], pointers: Sequence[str]) -> dict[tuple[str, ...], Binding]:
    """Return `bindings` by path; where several have one path, which they must not, the later by path and name."""
    found: dict[tuple[str, ...], Binding] = {}
    for binding in bindings:
        path = path_of(binding, pointers)
        while path in found:
            path = (*path, name_of(binding))
        found[path] = binding
    return found


def _added(pair: BindingPair) -> Iterator[Hit]:
    if pair.old is None:
        yield Hit(new="/".join(pair.new_path))


def _removed(pair: BindingPair) -> Iterator[Hit]:
    if pair.new is None:
        yield Hit(old="/".join(pair.old_path))


def _path_changed(pair: BindingPair) -> Iterator[Hit]:
    for _ in _both(pair):
        if pair.old_path != pair.new_path:
            yield Hit(("resourcePath",), list(pair.old_path), list(pair.new_path))


def _name_changed(pair: BindingPair) -> Iterator[Hit]:
    yield from _member(pair, "recommendedName")


def _member(pair: BindingPair, name: str) -> Iterator[Hit]:
    for old, new in _both(pair):
        if old.get(name) != new.get(name):
            yield Hit((name,), old.get(name, pointer.MISSING), new.get(name, pointer.MISSING))


def _key_changed(pair: BindingPair) -> Iterator[Hit]:
    for old, new in _keys(pair):
        if not (set(old) <= set(new) or set(new) <= set(old)):
            yield Hit(("key",), old, new)


def _key_extended(pair: BindingPair) -> Iterator[Hit]:
    for old, new in _keys(pair):
        if set(old) < set(new):
            yield Hit(("key",), old, new)


def _key_shortened(pair: BindingPair) -> Iterator[Hit]:
    for old, new in _keys(pair):
        if set(new) < set(old):
            yield Hit(("key",), old, new)


def _key_reordered(pair: BindingPair) -> Iterator[Hit]:
    for old, new in _keys(pair):
        if set(old) == set(new) and old != new:
            yield Hit(("key",), old, new)


def _keys(pair: BindingPair) -> Iterator[tuple[list[str], list[str]]]:
    for old, new in _both(pair):
        yield list(old.get("key") or ()), list(new.get("key") or ())


def _key_unsure(pair: BindingPair) -> Iterator[Hit]:
    yield from (Hit(("key",), new=each) for each in pair.unsure)


def _fallback_began(pair: BindingPair) -> Iterator[Hit]:
    yield from _flag(pair, "isFallbackKey", now=True)


def _fallback_ended(pair: BindingPair) -> Iterator[Hit]:
    yield from _flag(pair, "isFallbackKey", now=False)


def _disabled(pair: BindingPair) -> Iterator[Hit]:
    yield from _flag(pair, "disable", now=True)


def _enabled(pair: BindingPair) -> Iterator[Hit]:
    yield from _flag(pair, "disable", now=False)


def _flag(pair: BindingPair, name: str, *, now: bool) -> Iterator[Hit]:
    for old, new in _both(pair):
        if bool(new.get(name)) == now and bool(old.get(name)) != now:
            yield Hit((name,), not now, now)


def _cursor_changed(pair: BindingPair) -> Iterator[Hit]:
    yield from (hit for hit in _resource(pair) if _is_cursor(pair, hit))


def _increments_ended(pair: BindingPair) -> Iterator[Hit]:
    for hit in _resource(pair):
        if hit.at[-1] == "syncMode" and hit.old == "incremental":
            yield hit


def _increments_began(pair: BindingPair) -> Iterator[Hit]:
    for hit in _resource(pair):
        if hit.at[-1] == "syncMode" and hit.new == "incremental":
            yield hit


def _resource_changed(pair: BindingPair) -> Iterator[Hit]:
    for hit in _resource(pair):
        increments = hit.at[-1] == "syncMode" and "incremental" in (hit.old, hit.new)
        if not increments and not _is_cursor(pair, hit):
            yield hit


def _is_cursor(pair: BindingPair, hit: Hit) -> bool:
    """Whether `hit` is the cursor of a binding that has one: airbyte-to-flow wrote one for full refreshes, too."""
    sides = [_object(side.get("resourceConfig")).get("syncMode") for side in (pair.old, pair.new) if side]
    return hit.at[-1] == "cursorField" and sides != ["full_refresh", "full_refresh"]


def _resource(pair: BindingPair) -> Iterator[Hit]:
    """Yield each member of the resource config that differs and is no part of the path."""
    for old, new in _both(pair):
        was, now = _object(old.get("resourceConfig")), _object(new.get("resourceConfig"))
        for name in sorted({*was, *now} - pair.path_names):
            if was.get(name) != now.get(name):
                at = ("resourceConfig", name)
                yield Hit(at, was.get(name, pointer.MISSING), now.get(name, pointer.MISSING))


def _resource_refused(pair: BindingPair) -> Iterator[Hit]:
    if pair.problem:
        yield Hit(("resourceConfig",), _object((pair.old or {}).get("resourceConfig")), pair.problem)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _both(pair: BindingPair) -> Iterator[tuple[Binding, Binding]]:
    if pair.old is not None and pair.new is not None:
        yield pair.old, pair.new


_PATCH, _MINOR, _MAJOR = Level
_NEW = (Whom.NEW,)
_KEYED = (Whom.RUNNING, Whom.READERS, Whom.MATERIALIZATIONS)
_STATE = (Whom.RUNNING, Whom.STATE)
_KEY_WHY = "a collection's key cannot change: it must be made anew, and all that is made of it"

BINDING_RULES: tuple[Rule[BindingPair], ...] = (
    Rule("added", _MINOR, _NEW, "there is more to capture", _added),
    Rule("removed", _MAJOR, _KEYED, "tasks that capture it fail, and its collection gets nothing more", _removed),
    Rule(
        "path-changed", _MAJOR, _STATE, "its state is kept by the path, so it is captured from the start", _path_changed
    ),
    Rule("name-changed", _MINOR, _NEW, "new tasks write to a collection of another name", _name_changed),
    Rule("key-changed", _MAJOR, _KEYED, _KEY_WHY, _key_changed),
    Rule("key-extended", _MAJOR, _KEYED, _KEY_WHY, _key_extended),
    Rule("key-shortened", _MAJOR, _KEYED, _KEY_WHY, _key_shortened),
    Rule("key-reordered", _MAJOR, _KEYED, _KEY_WHY, _key_reordered),
    Rule("key-unsure", _MAJOR, _KEYED, "Flow refuses a key that documents may lack", _key_unsure),
    Rule("fallback-key-began", _MINOR, _NEW, "the key is the connector's own and not the source's", _fallback_began),
    Rule("fallback-key-ended", _MINOR, _NEW, "the key is the source's and not the connector's own", _fallback_ended),
    Rule("disabled", _MINOR, _NEW, "new tasks capture it only where it is enabled", _disabled),
    Rule("enabled", _MINOR, _NEW, "new tasks capture it", _enabled),
    Rule("cursor-changed", _MAJOR, _STATE, "what is stored is of the old cursor", _cursor_changed),
    Rule(
        "increments-ended", _MAJOR, _STATE, "each run captures all, and what is stored is of no use", _increments_ended
    ),
    Rule("increments-began", _MINOR, _NEW, "new tasks capture only what is new", _increments_began),
    Rule("resource-changed", _MINOR, _NEW, "new tasks have another resource config", _resource_changed),
    Rule("resource-refused", _MAJOR, (Whom.RUNNING,), "its old resource config is refused", _resource_refused),
)
"""Of each binding; a difference's rule has `binding-` before the name here."""
