"""References of a manifest, followed as airbyte-cdk follows them, with the place where each part is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from python.builder.manifests.documents import DEPTH_MAX, VALUES_MAX, At
from python.builder.manifests.findings import LOOKED_FOR_MAX, Finding, Severity, did_you_mean, finding

__all__ = ["Node", "Resolver", "find", "lookup", "unused"]

_DEPTH_MAX = DEPTH_MAX + 50  # references nest deeper than what is written, and Python's stack must hold it
_HINTS_MAX = 20  # references for which one is looked for that was perhaps meant, among all that there are
_HOLDING = ("definitions", "schemas")  # members of a manifest that are there to be referred to
_UNRESOLVED = frozenset({"config_overrides"})  # holds values of the config, which the CDK leaves alone
_STEP = re.compile(r"([^/]*)/?(.*)")


class Node:
    """A value with its references followed. `at` is where it is written, `names` where the name of each member is.

    It is lost where a reference leads nowhere: nothing is known of it. `size` counts the values in it, as the CDK has
    them in memory: once for each reference.
    """

    __slots__ = ("at", "is_lost", "items", "members", "names", "size", "value")

    def __init__(self, at: At, value: Any) -> None:  # noqa: ANN401 -- JSON
        self.at = at
        self.value = value
        self.members: dict[str, Node] | None = None
        self.items: list[Node] | None = None
        self.names: dict[str, At] = {}
        self.is_lost = False
        self.size = 1

    def text(self, name: str) -> str | None:
        """Return the member `name` where it is text."""
        member = (self.members or {}).get(name)
        return member.value if member is not None and isinstance(member.value, str) else None

    def plain(self) -> Any:  # noqa: ANN401 -- JSON
        """Return the value without references, in plain types."""
        if self.members is not None:
            return {name: member.plain() for name, member in self.members.items()}
        return [item.plain() for item in self.items] if self.items is not None else self.value


class Resolver:
    """Follows the references of one manifest. `found` is what is wrong with them; what leads nowhere is lost."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.found: list[tuple[Finding, str]] = []
        self.edges: list[tuple[At, At]] = []
        self._manifest = manifest
        self._done: dict[int, Node] = {}  # by the identity of what is written: aliases and references share nodes
        self._within: list[int] = []
        self._followed: list[At] = []  # where the references lead that are being followed

    def resolved(self) -> Node:
        """Return the whole manifest."""
        return self._node(self._manifest, (), 0)

    def _node(self, value: Any, at: At, depth: int) -> Node:  # noqa: ANN401 -- JSON
        if isinstance(value, str):
            return self._referred(value, at, depth) if value.startswith("#/") else Node(at, value)
        if not isinstance(value, dict | list):
            return Node(at, value)
        if id(value) in self._done:
            return self._done[id(value)]
        if depth > _DEPTH_MAX:
            return self._too_deep(at)
        self._within.append(id(value))
        node = self._mapping(value, at, depth) if isinstance(value, dict) else self._list(value, at, depth)
        self._within.pop()
        self._weigh(node)
        self._done[id(value)] = node
        return node

    def _weigh(self, node: Node) -> None:
        within = [*(node.members or {}).values(), *(node.items or ())]
        node.size += sum(each.size for each in within)
        if node.size > VALUES_MAX and all(each.size <= VALUES_MAX for each in within):
            message = (
                f"has more than {VALUES_MAX:,} values with its references followed: airbyte-cdk writes them all out"
            )
            self.found.append((finding("size", node.at, message), ""))

    def _too_deep(self, at: At) -> Node:
        message = f"with its references followed, it goes deeper than {_DEPTH_MAX} levels: the chain is too long"
        self.found.append((finding("depth", at, message), ""))
        return _lost(at)

    def _list(self, value: list[Any], at: At, depth: int) -> Node:
        node = Node(at, None)
        node.items = [self._node(item, (*at, str(index)), depth + 1) for index, item in enumerate(value)]
        return node

    def _mapping(self, value: dict[str, Any], at: At, depth: int) -> Node:
        node = Node(at, None)
        node.members = {}
        reference = value.get("$ref")
        if reference is not None:
            base = self._node(reference, (*at, "$ref"), depth + 1)
            if base.members is None:
                return base
            node.members.update(base.members)
            node.names.update(base.names)
        for name, member in value.items():
            if name == "$ref":
                continue
            here = (*at, str(name))
            child = Node(here, member) if name in _UNRESOLVED else self._node(member, here, depth + 1)
            node.members[str(name)] = child
            node.names[str(name)] = here
        return node

    def _referred(self, reference: str, at: At, depth: int) -> Node:
        target = lookup(self._manifest, reference)
        if target is None:
            if len(self.found) <= LOOKED_FOR_MAX:
                missing = _missing(self._manifest, reference, at, hint=len(self.found) < _HINTS_MAX)
                self.found.append((missing, reference))
            return _lost(at)
        self.edges.append((at, target))
        value = find(self._manifest, target)
        if id(value) in self._within or target in self._followed:
            message = f"{reference} refers to itself, by way of what it holds"
            self.found.append((finding("circular-reference", at, message, got=reference), reference))
            return _lost(at)
        if depth > _DEPTH_MAX:
            return self._too_deep(at)
        self._followed.append(target)
        node = self._node(value, target, depth + 1)
        self._followed.pop()
        return node


def _lost(at: At) -> Node:
    node = Node(at, None)
    node.is_lost = True
    return node


def lookup(manifest: Mapping[str, Any], reference: str) -> At | None:
    """Return where `#/…` leads, or None. A name that itself has a `/` is found first, as the CDK finds it."""
    value: Any = manifest
    at: list[str] = []
    rest = reference.removeprefix("#/")
    while rest:
        if isinstance(value, dict) and rest in value:
            return (*at, rest)
        step = _STEP.match(rest)
        head, rest = step.groups() if step else (rest, "")
        following = _member(value, head)
        if following is None:
            return None
        value = following[0]
        at.append(head)
    return tuple(at)


def find(value: Any, at: At) -> Any:  # noqa: ANN401 -- JSON
    """Return what is written at `at`, which must be there."""
    for name in at:
        found = _member(value, name)
        assert found is not None, at  # noqa: S101 -- `lookup` was there before
        value = found[0]
    return value


def _member(value: Any, name: str) -> tuple[Any] | None:  # noqa: ANN401 -- JSON
    if isinstance(value, dict):
        return (value[name],) if name in value else None
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return (value[int(name)],)
    return None


def _missing(manifest: Mapping[str, Any], reference: str, at: At, *, hint: bool) -> Finding:
    parts = reference.removeprefix("#/").split("/")
    around: Any = manifest
    known: list[str] = []
    for index, part in enumerate(parts):
        found = _member(around, part)
        if found is None:
            before = "/".join(["#", *parts[:index]])
            known = [f"{before}/{name}" for name in around] if hint and isinstance(around, dict) else []
            break
        around = found[0]
    message = f"{reference} leads nowhere{did_you_mean(reference, known)}"
    return finding("missing-definition", at, message, got=reference, want=tuple(sorted(known)))


def unused(manifest: Mapping[str, Any], edges: list[tuple[At, At]]) -> Iterator[Finding]:
    """Yield a warning for each definition, and each shared schema, that nothing in use refers to."""
    below: dict[At, list[At]] = {}  # where the references lead that are written at a place, or below it
    for at, target in edges:
        for length in range(1, len(at) + 1):
            below.setdefault(at[:length], []).append(target)
    used: set[At] = set()
    waiting = [target for at, target in edges if at[0] not in _HOLDING]
    while waiting:
        target = waiting.pop()
        if target not in used:
            used.add(target)
            waiting.extend(below.get(target, ()))
    touched = {target[:length] for target in used for length in range(len(target) + 1)}
    for holding in _HOLDING:
        held = manifest.get(holding)
        if isinstance(held, dict):
            yield from _unused((holding,), held, used, touched)


def _unused(at: At, held: Mapping[str, Any], used: set[At], touched: set[At]) -> Iterator[Finding]:
    for name, value in held.items():
        here = (*at, str(name))
        if here in used:
            continue
        if here not in touched:
            message = f"{'/'.join(here)} is used nowhere"
            yield finding("unused-definition", here, message, severity=Severity.WARNING, got=name)
        elif isinstance(value, dict) and not isinstance(value.get("type"), str):  # a group of definitions
            yield from _unused(here, value, used, touched)
