"""The hosts that a manifest asks: what of an address is text stays, what comes from the config is named `${input}`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import jinja2
from jinja2 import nodes

from python.builder.manifests.references import Node

__all__ = ["ANY", "hosts"]

ANY = "*"
"""What stands where nobody can know: in a host, for a part of it; alone, for every host."""

_ALTERNATIVES_MAX = 64  # of one address; beyond that nobody reads them, and any host it is
_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.*-]*://")
_PORT = re.compile(r":(\d+|\*|\$\{[^}]*\})$")
_END = re.compile(r"[/?#\\\s]")
_SAME = frozenset({"string", "trim", "lower", "urlencode", "safe"})  # filters and methods that leave a host what it is
_METHODS = frozenset({"strip", "rstrip", "lstrip", "lower", "removesuffix", "removeprefix"})
_PARAMETERS = frozenset({"parameters", "options"})
_ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "OAuthAuthenticator": ("token_refresh_endpoint",),
    "LegacySessionTokenAuthenticator": ("api_url",),
}
"""Members that hold addresses, by type; requesters have `_OF_REQUESTERS`."""

_OF_REQUESTERS = ("url", "url_base")

_Texts: TypeAlias = frozenset[str]
_Known: TypeAlias = Mapping[str, _Texts]


def hosts(components: Iterable[tuple[str, Node]]) -> tuple[str, ...]:
    """Return the hosts that `components` ask, each once, sorted; `*` among them where one can be any."""
    listed = list(components)
    known = _parameters(node for _, node in listed)
    found = {host for text in _addresses(listed) for each in _alternatives(text, known) if (host := _host(each))}
    return tuple(sorted(found))


def _addresses(components: Iterable[tuple[str, Node]]) -> Iterator[str]:
    for kind, node in components:
        names = _OF_REQUESTERS if kind.endswith("Requester") else _ADDRESSES.get(kind, ())
        yield from (text for name in names if (text := node.text(name)))
        mapped = (node.members or {}).get("field_path") if kind == "ComponentMappingDefinition" else None
        if mapped is not None and mapped.items and mapped.items[-1].value in _OF_REQUESTERS:
            yield node.text("value") or ""


def _parameters(found: Iterable[Node]) -> dict[str, _Texts]:
    """Return what `parameters` may have, by name: every value that is given anywhere."""
    known: dict[str, set[str]] = {}
    for node in found:
        given = (node.members or {}).get("$parameters")
        for name, member in ((given.members or {}) if given is not None else {}).items():
            if isinstance(member.value, str):
                known.setdefault(name, set()).add(member.value)
    return {name: frozenset(values) for name, values in known.items()}


def _alternatives(text: str, known: _Known) -> _Texts:
    """Return what an address may be, with the config's part as `${input}`."""
    try:
        tree = jinja2.Environment(autoescape=False).parse(text)  # noqa: S701 -- nothing is rendered here
    except (jinja2.TemplateSyntaxError, RecursionError):
        return frozenset({ANY})
    return _joined([_statement(each, known) for each in tree.body])


def _statement(node: nodes.Node, known: _Known) -> _Texts:
    if isinstance(node, nodes.Output):
        return _joined([_value(each, known) for each in node.nodes])
    if isinstance(node, nodes.If):
        branches = [node.body, *(each.body for each in node.elif_), node.else_]
        return frozenset().union(*(_joined([_statement(each, known) for each in body]) for body in branches))
    return frozenset({ANY})


def _value(node: nodes.Node, known: _Known) -> _Texts:
    """Return what an expression may be."""
    return _READERS.get(type(node), _member)(node, known)


def _choice(node: Any, known: _Known) -> _Texts:  # noqa: ANN401 -- a node of one of two types
    parts = (node.left, node.right) if isinstance(node, nodes.Or) else (node.expr1, node.expr2)
    return frozenset().union(*(_value(each, known) for each in parts if each is not None))


def _filtered(node: Any, known: _Known) -> _Texts:  # noqa: ANN401 -- a filter
    if node.name in _SAME:
        return _value(node.node, known)
    if node.name in ("default", "d") and node.args:
        return _value(node.node, known) | _value(node.args[0], known)
    return frozenset({ANY})


def _member(node: nodes.Node, known: _Known) -> _Texts:
    """Return what a way into the config or into parameters leads to."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS:
        return _value(node.node.node, known)
    root, names, default = _way(node)
    more = _value(default, known) if default is not None else frozenset()
    if root == "config" and names:
        return frozenset({f"${{{'.'.join(names)}}}"}) | more
    if root in _PARAMETERS and len(names) == 1 and names[0] in known:
        return frozenset(ANY if "{{" in each else each for each in known[names[0]]) | more
    return frozenset({ANY})


def _way(node: nodes.Node) -> tuple[str, tuple[str, ...], nodes.Node | None]:
    """Return the variable that `node` begins at, the names of its steps, and what `.get` gives where nothing is."""
    names: list[str] = []
    default: nodes.Node | None = None
    while not isinstance(node, nodes.Name):
        step: Any = None
        if isinstance(node, nodes.Getattr):
            step, node = node.attr, node.node
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            step, node = node.arg.value, node.node
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr == "get":
            first = node.args[0] if node.args else None
            step = first.value if isinstance(first, nodes.Const) else None
            default, node = (node.args[1] if len(node.args) > 1 else default), node.node.node
        if step is None:
            return "", (), None
        names.append(str(step))
    return node.name, tuple(reversed(names)), default


def _joined(parts: Iterable[_Texts]) -> _Texts:
    found = frozenset({""})
    for part in parts:
        found = frozenset("".join(pair) for pair in itertools.product(found, part))
        if len(found) > _ALTERNATIVES_MAX:
            return frozenset({ANY})
    return found


def _host(address: str) -> str:
    """Return the host of an address; "" where it has none.

    >>> _host("https://${shop}.example.com:8443/v1"), _host("${url}/v1"), _host("/v1/users")
    ('${shop}.example.com', '${url}', '')
    """
    host = _END.split(_SCHEME.sub("", address.strip()), maxsplit=1)[0].rpartition("@")[2]
    return re.sub(r"\*+", ANY, _PORT.sub("", host))


_READERS: Mapping[type[nodes.Node], Callable[[Any, _Known], _Texts]] = {
    nodes.TemplateData: lambda node, _: frozenset({node.data}),
    nodes.Const: lambda node, _: frozenset({str(node.value)}),
    nodes.Concat: lambda node, known: _joined([_value(each, known) for each in node.nodes]),
    nodes.Add: lambda node, known: _joined([_value(node.left, known), _value(node.right, known)]),
    nodes.Or: _choice,
    nodes.CondExpr: _choice,
    nodes.Filter: _filtered,
}
