"""Interpolations of a manifest as jinja2 parses them: what they name, and where they reach into."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jinja2
import msgspec
from jinja2 import nodes

from python.builder.manifests.documents import At

__all__ = [
    "BUILTIN_FILTERS",
    "BUILTIN_GLOBALS",
    "BUILTIN_TESTS",
    "Chain",
    "Expression",
    "Step",
    "is_interpolated",
    "parsed",
    "texts",
]

BUILTIN_FILTERS = frozenset(jinja2.filters.FILTERS)
BUILTIN_TESTS = frozenset(jinja2.tests.TESTS)
BUILTIN_GLOBALS = (frozenset(jinja2.defaults.DEFAULT_NAMESPACE) | {"loop"}) - {"range"}  # which the CDK takes away

_MARKS = ("{{", "{%", "{#")
_CACHED_MAX = 8192  # expressions: a server lints the same manifest after each change of a character
_TEXT_CHARACTERS_MAX = 20_000  # of one interpolation; jinja2's parser is recursive
_LENIENT = frozenset({"default", "d"})
_PARTS_NOT_INTERPOLATED = frozenset({"spec", "metadata", "description", "schemas"})  # top-level members


class Step(NamedTuple):
    """One step from a variable into its value: `form` is attr for `.a`, item for `['a']`, get for `.get('a')`."""

    form: str
    key: str


class Chain(NamedTuple):
    """How an expression reaches into a variable; `is_lenient` where it says what to do if nothing is there."""

    root: str
    steps: tuple[Step, ...]
    is_lenient: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the steps."""
        return tuple(step.key for step in self.steps)


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """What a text with interpolations says. `problem` is why it is none, `line` where in it, counted from 1.

    `bare` are the variables that are used as a whole, or by a step that is computed.
    """

    problem: str = ""
    line: int = 1
    variables: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()
    chains: tuple[Chain, ...] = ()
    bare: frozenset[str] = frozenset()


def is_interpolated(text: str) -> bool:
    """Whether a text has anything for jinja2 in it."""
    return any(mark in text for mark in _MARKS)


def texts(manifest: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    """Yield each text that the CDK may interpolate, with its place: all but the specification and JSON schemas."""
    waiting: list[tuple[At, Any]] = [
        ((name,), value) for name, value in manifest.items() if name not in _PARTS_NOT_INTERPOLATED
    ]
    seen: set[int] = set()  # what an alias repeats is the same text at the same place
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, str):
            yield at, value
        elif isinstance(value, dict | list) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(((*at, name), member) for name, member in _members(value))


def _members(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((str(index), item) for index, item in enumerate(value))
    elif not _is_json_schema(value):
        is_loader = value.get("type") == "InlineSchemaLoader"
        yield from ((name, member) for name, member in value.items() if not (is_loader and name == "schema"))


def _is_json_schema(value: Mapping[str, Any]) -> bool:
    kind = value.get("type")
    return "$schema" in value or isinstance(kind, list) or (kind == "object" and "properties" in value)


def _remembered(function: Callable[[str], Expression]) -> Callable[[str], Expression]:
    return functools.lru_cache(_CACHED_MAX)(function)


@_remembered
def parsed(text: str) -> Expression:
    """Return what `text` says."""
    if len(text) > _TEXT_CHARACTERS_MAX:
        return Expression(problem=f"it has {len(text):,} characters, want at most {_TEXT_CHARACTERS_MAX:,}")
    try:
        tree = jinja2.Environment(autoescape=False).parse(text)  # noqa: S701 -- nothing is rendered here
    except jinja2.TemplateSyntaxError as error:
        return Expression(problem=str(error.message), line=error.lineno)
    except RecursionError:
        return Expression(problem="it is nested too deeply")
    reader = _Reader()
    reader.read(tree)
    return reader.told()


class _Reader:
    def __init__(self) -> None:
        self._loaded: set[str] = set()
        self._stored: set[str] = set()
        self._called: set[str] = set()
        self._bare: set[str] = set()
        self._filters: set[str] = set()
        self._tests: set[str] = set()
        self._chains: list[Chain] = []

    def told(self) -> Expression:
        """Return what was read."""
        return Expression(
            variables=frozenset(self._loaded - self._stored),
            called=frozenset(self._called - self._stored),
            filters=frozenset(self._filters),
            tests=frozenset(self._tests),
            chains=tuple(self._chains),
            bare=frozenset(self._bare - self._stored),
        )

    def read(self, node: nodes.Node, *, is_lenient: bool = False) -> None:
        """Read a node and all below it."""
        chain = _chain(node)
        if chain is not None and chain.steps:
            self._loaded.add(chain.root)
            self._chains.append(chain._replace(is_lenient=is_lenient or chain.steps[-1].form == "get"))
            for argument in _further_arguments(node):
                self.read(argument)
            return
        if isinstance(node, nodes.Name):
            self._name(node)
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            self._called.add(node.node.name)
            self._below(node, without=node.node)
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):  # a method: no member of the value
            self.read(node.node.node, is_lenient=is_lenient)
            self._below(node, without=node.node)
        else:
            self._others(node, is_lenient=is_lenient)

    def _name(self, node: nodes.Name) -> None:
        if node.ctx == "load":
            self._loaded.add(node.name)
            self._bare.add(node.name)
        else:
            self._stored.add(node.name)

    def _others(self, node: nodes.Node, *, is_lenient: bool) -> None:
        first: nodes.Node | None = None
        if isinstance(node, nodes.Filter):
            self._filters.add(node.name)
            first = node.node if node.name in _LENIENT else None
        elif isinstance(node, nodes.Test):
            self._tests.add(node.name)
            first = node.node
        elif isinstance(node, nodes.Or):
            first = node.left
        elif isinstance(node, nodes.CondExpr | nodes.If):
            first = node.test
        if first is not None:
            self.read(first, is_lenient=True)
        self._below(
            node, without=first, is_lenient=is_lenient and isinstance(node, nodes.And | nodes.Not | nodes.Compare)
        )

    def _below(self, node: nodes.Node, *, without: nodes.Node | None, is_lenient: bool = False) -> None:
        for child in node.iter_child_nodes():
            if child is not without:
                self.read(child, is_lenient=is_lenient)


def _chain(node: nodes.Node) -> Chain | None:
    """Return the way from a variable to `node`, or None where it is no such way, or a computed one."""
    steps: list[Step] = []
    while not isinstance(node, nodes.Name):
        step = _step(node)
        if step is None:
            return None
        steps.append(step)
        assert isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Call)  # noqa: S101 -- `_step` knows these alone
        node = node.node.node if isinstance(node, nodes.Call) else node.node  # type: ignore[attr-defined] # same
    return Chain(node.name, tuple(reversed(steps)))


def _step(node: nodes.Node) -> Step | None:
    if isinstance(node, nodes.Getattr):
        return Step("attr", node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return Step("item", str(node.arg.value))
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr == "get":
        first = node.args[0] if node.args else None
        return Step("get", str(first.value)) if isinstance(first, nodes.Const) else None
    return None


def _further_arguments(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield what the calls of `get` in a chain are given beside the name."""
    while isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Call):
        if isinstance(node, nodes.Call):
            yield from node.args[1:]
            yield from node.kwargs
        node = node.node
