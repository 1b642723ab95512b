"""Reducing documents as the `reduce` annotations of their schema ask (Flow protocol, section 11.2).

A schema is compiled once into a graph of nodes. Which annotations hold at a location is decided by the newer document,
wherever JSON Schema would apply them: properties, items, `allOf`, the branches it satisfies, `then` or `else`,
references. Of several at one location the innermost, and there the last, counts: so a `then` may add a deletion to the
strategy beside its `if`. Without an annotation the newer value replaces the older one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from python.protocol import pointer
from python.protocol.pointer import MISSING
from python.runner.reduction_plan import Node, compile_nodes
from python.runner.schemas import Schema
from python.runner.strategies import LAST_WRITE_WINS, STRATEGIES, ReductionError, Strategy

__all__ = ["DELETED", "Plan", "ReductionError", "Site", "plan_of"]

DELETED = MISSING
"""What `Plan.reduce` returns for a document that its annotations delete."""


class Plan:
    """How the documents of one schema reduce."""

    def __init__(self, root: Node, *, prunes: bool) -> None:
        self._root = [root]
        self.prunes = prunes
        """Whether a full reduction may change a document that nothing precedes: by a deletion, or by a set."""

    def reduce(self, older: object, newer: object, *, full: bool) -> object:
        """Return `newer` reduced into `older`, which may be MISSING. Neither is changed.

        `full` says that nothing precedes `older`: then deletions and the masks of sets take effect, and the result may
        be DELETED. A partial reduction keeps them, as a document to be reduced later. Returns `newer` itself where
        that is the result. Values are as `document.decode` gives them. Raises ReductionError naming the location.
        """
        if older is MISSING and not (full and self.prunes):
            return newer
        return Site(self._root, older, newer, full=full).reduced()


def plan_of(schema: Schema, key: Sequence[str] = ()) -> Plan | None:
    """Return how documents of `schema` reduce, or None where the newer document always replaces the older one.

    Raises SchemaError for an annotation that Flow does not know, and for one at a location of the collection's `key`.
    """
    root = compile_nodes(schema, [pointer.parse(part) for part in key])
    if not root.matters:
        return None
    strategies = [node.strategy for node in _everything(root) if node.strategy is not None]
    return Plan(root, prunes=any(strategy.delete or strategy.name == "set" for strategy in strategies))


class Site:
    """One location that is being reduced: its older and newer value (MISSING: none), and what the schema says of it."""

    __slots__ = ("_applied", "_at", "full", "newer", "older")

    def __init__(
        self, nodes: Sequence[Node], older: object, newer: object, *, full: bool, at: tuple[str | int, ...] = ()
    ) -> None:
        self.older = older
        self.newer = newer
        self.full = full
        self._at = at
        self._applied = list(_applied(nodes, newer))

    @property
    def pointer(self) -> str:
        """Where this is, as a JSON pointer into the newer document."""
        return pointer.join(self._at)

    def reduced(self) -> object:
        """Return the reduced value, or DELETED."""
        strategy = self._strategy()
        if self.full and strategy.delete:
            return DELETED
        return STRATEGIES[strategy.name].reduce(self, strategy)

    def child(self, name: str | int, older: object, newer: object) -> object:
        """Return what the schema makes of the values at `name` below this location."""
        nodes = [found for node in self._applied for found in node.below(name)]
        return Site(nodes, older, newer, full=self.full, at=(*self._at, name)).reduced() if nodes else newer

    def below(self, name: str) -> Site:
        """Return the location at `name`, as its newer value is annotated, for a strategy that looks through it."""
        newer = pointer.resolve(self.newer, (name,))
        nodes = [found for node in self._applied for found in node.below(name)]
        return Site(nodes, MISSING, newer, full=self.full, at=(*self._at, name))

    def _strategy(self) -> Strategy:
        return next((node.strategy for node in reversed(self._applied) if node.strategy is not None), LAST_WRITE_WINS)


def _applied(nodes: Sequence[Node], value: object) -> Iterator[Node]:
    """Yield the nodes that hold for `value`, from the outermost to the innermost."""
    for node in nodes:
        yield node
        for branch in node.branches:
            yield from _applied(branch.chosen(value), value)


def _everything(root: Node) -> Iterator[Node]:
    seen: dict[int, Node] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            waiting += node.linked()
    return iter(seen.values())
