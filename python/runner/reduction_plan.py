"""A schema compiled for reduction: what each of its locations says, itself and about what lies below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import jsonschema_rs
import msgspec

from python.protocol import pointer
from python.runner.schemas import Path, Schema, SchemaError, SchemaIndex, compile_part, compile_schema, modernized
from python.runner.strategies import Strategy, parse_strategy

__all__ = ["Branch", "Node", "compile_nodes"]


class Branch(msgspec.Struct, eq=False):
    """Nodes that hold at the same location: always, or as `condition` decides on the value there."""

    condition: jsonschema_rs.Validator | None
    then: tuple[Node, ...] = ()
    otherwise: tuple[Node, ...] = ()

    def chosen(self, value: object) -> tuple[Node, ...]:
        """Return the nodes that hold for `value`."""
        return self.then if self.condition is None or self.condition.is_valid(value) else self.otherwise


class Node(msgspec.Struct, eq=False):
    """What one subschema says about reduction. Nodes refer to each other, and may do so in circles.

    `matters` says whether there is a strategy here or anywhere that this leads to; `at` is the subschema's pointer.
    """

    at: str
    strategy: Strategy | None = None
    matters: bool = False
    properties: dict[str, Node] = {}
    patterns: list[tuple[jsonschema_rs.Validator, Node]] = []
    additional: Node | None = None
    prefix: list[Node] = []
    items: Node | None = None
    branches: list[Branch] = []

    def below(self, name: str | int) -> Iterator[Node]:
        """Yield the nodes of the subschemas that hold at the property or item `name`, where they matter."""
        return (node for node in self._below(name) if node.matters)

    def _below(self, name: str | int) -> Iterable[Node]:
        if isinstance(name, int):
            found = self.prefix[name] if name < len(self.prefix) else self.items
            return (found,) if found is not None else ()
        named = [self.properties[name]] if name in self.properties else []
        named += [node for pattern, node in self.patterns if pattern.is_valid(name)]
        return named or ((self.additional,) if self.additional is not None else ())

    def linked(self) -> list[Node]:
        """Return every node that this one leads to in one step."""
        single = [node for node in (self.additional, self.items) if node is not None]
        patterns = [node for _, node in self.patterns]
        return [*self.properties.values(), *patterns, *self.prefix, *single, *self.in_place()]

    def in_place(self) -> list[Node]:
        """Return every node that may hold at the same location."""
        return [node for branch in self.branches for node in (*branch.then, *branch.otherwise)]


def compile_nodes(schema: Schema, keys: Iterable[Path] = ()) -> Node:
    """Return the node of `schema`, and through it those of all its parts.

    Raises SchemaError for annotations and references that are malformed, and for a strategy that holds at one of the
    `keys` (tokens of their pointers): a key is what documents are told apart by.
    """
    plain = modernized(schema)
    if not isinstance(plain, dict):
        return Node("")
    compiler = _Compiler(plain)
    root = compiler.node(())
    nodes = list(compiler.nodes.values())
    _mark(nodes)
    _refuse_circles(nodes)
    for key in keys:
        _refuse_reduced_key(root, key)
    if root.matters:
        for node in nodes:
            node.branches = [
                branch for branch in node.branches if any(n.matters for n in branch.then + branch.otherwise)
            ]
        compiler.compile_conditions()
    return root


class _Compiler:
    """Makes one node for each subschema of `root` that is reached, however often it is referred to."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._index = SchemaIndex(root)
        self._conditions: list[tuple[Node, Branch, Path | dict[str, object]]] = []
        self.nodes: dict[Path, Node] = {}

    def node(self, at: Path) -> Node:
        if at in self.nodes:
            return self.nodes[at]
        node = self.nodes[at] = Node(pointer.join(at))
        part = self._index.part(at)
        if isinstance(part, Mapping):
            if "redact" in part:
                problem = "redacts a location, which Flow's own runtime alone does; take it out to run here"
                raise SchemaError(at=f"{node.at}/redact", problem=problem)
            if "reduce" in part:
                node.strategy = parse_strategy(part["reduce"], f"{node.at}/reduce")
            self._compile_below(node, part, at)
            self._compile_in_place(node, part, at)
        return node

    def compile_conditions(self) -> None:
        """Compile the conditions of those branches that matter: no other is ever asked."""
        for node, branch, condition in self._conditions:
            if branch in node.branches:
                is_path = isinstance(condition, tuple)
                branch.condition = compile_part(self._root, condition) if is_path else compile_schema(condition)  # type: ignore[arg-type] # told apart by is_path

    def _compile_below(self, node: Node, part: Mapping[str, object], at: Path) -> None:
        node.properties = {name: self.node((*at, "properties", name)) for name in _names(part, "properties")}
        node.patterns = [
            (compile_schema({"pattern": name}), self.node((*at, "patternProperties", name)))
            for name in _names(part, "patternProperties")
        ]
        node.prefix = [self.node((*at, "prefixItems", str(index))) for index in _indexes(part, "prefixItems")]
        for keyword in ("unevaluatedProperties", "additionalProperties"):
            if keyword in part:
                node.additional = self.node((*at, keyword))
        for keyword in ("unevaluatedItems", "items"):
            if keyword in part:
                node.items = self.node((*at, keyword))

    def _compile_in_place(self, node: Node, part: Mapping[str, object], at: Path) -> None:
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(part.get(keyword), str):
                node.branches.append(Branch(None, (self.node(self._index.follow(at, str(part[keyword]))),)))
        for index in _indexes(part, "allOf"):
            node.branches.append(Branch(None, (self.node((*at, "allOf", str(index))),)))
        for keyword in ("anyOf", "oneOf"):
            for index in _indexes(part, keyword):
                path = (*at, keyword, str(index))
                self._branch(node, path, Branch(None, (self.node(path),)))
        for name in _names(part, "dependentSchemas"):
            condition: dict[str, object] = {"type": "object", "required": [name]}
            self._branch(node, condition, Branch(None, (self.node((*at, "dependentSchemas", name)),)))
        if "if" in part:
            then, otherwise = ((self.node((*at, keyword)),) if keyword in part else () for keyword in ("then", "else"))
            inside = (self.node((*at, "if")),)
            self._branch(node, (*at, "if"), Branch(None, inside + then, otherwise))

    def _branch(self, node: Node, condition: Path | dict[str, object], branch: Branch) -> None:
        self._conditions.append((node, branch, condition))
        node.branches.append(branch)


def _names(part: Mapping[str, object], keyword: str) -> list[str]:
    value = part.get(keyword)
    return list(value) if isinstance(value, Mapping) else []


def _indexes(part: Mapping[str, object], keyword: str) -> range:
    value = part.get(keyword)
    return range(len(value)) if isinstance(value, list) else range(0)


def _mark(nodes: Sequence[Node]) -> None:
    """Set `matters`, by passing it back along the links until nothing changes."""
    for node in nodes:
        node.matters = node.strategy is not None
    changed = True
    while changed:
        changed = False
        for node in nodes:
            if not node.matters and any(linked.matters for linked in node.linked()):
                node.matters = changed = True


def _refuse_circles(nodes: Sequence[Node]) -> None:
    """A subschema that refers to itself at the same location never ends."""
    for node in nodes:
        reached: list[Node] = node.in_place()
        for found in reached:
            if found is node:
                raise SchemaError(at=node.at, problem="refers to itself at the same location")
            reached += [link for link in found.in_place() if not any(link is seen for seen in reached)]


def _refuse_reduced_key(root: Node, key: Path) -> None:
    nodes = [root]
    for token in key:
        names: tuple[str | int, ...] = (token, int(token)) if token.isdecimal() else (token,)
        nodes = [found for node in _overlaid(nodes) for name in names for found in node.below(name)]
    for node in _overlaid(nodes):
        if node.strategy is not None:
            raise SchemaError(
                at=f"{node.at}/reduce",
                problem=f"reduces {pointer.join(key)}, which is a key of the collection; a key cannot be reduced",
            )


def _overlaid(nodes: Sequence[Node]) -> list[Node]:
    found = list(nodes)
    for node in found:
        found += [other for other in node.in_place() if not any(other is seen for seen in found)]
    return found
