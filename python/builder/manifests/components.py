"""Components of a manifest held against the CDK's own component schema: only the kind that is written is asked.

The schema uses few keywords to say how components nest; these are followed here, so that each finding has its place and
its component. What they say of single values is left to a JSON Schema library.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from python.builder.manifests.cdk import Cdk
from python.builder.manifests.documents import At
from python.builder.manifests.findings import (
    LOOKED_FOR_MAX,
    Finding,
    Severity,
    did_you_mean,
    finding,
    nearest,
    shown,
)
from python.builder.manifests.leaves import described, fits, leaf_problem, type_of
from python.builder.manifests.references import Node
from python.shim_common.manifest_dialects import REMOVED_COMPONENTS

__all__ = ["Checker"]

_VISITS_MAX = 100_000  # values looked at, those again that something is wrong with: seconds of work
_HINTS_MAX = 200  # unknown names for which one is looked for that was perhaps meant, at half a millisecond each
_PARAMETERS = "$parameters"
_NONE: Mapping[str, Node] = {}
_Found: TypeAlias = dict[int, tuple[Finding, str]]  # by identity: what is found again is the same


class _Branch(NamedTuple):
    name: str
    schema: Mapping[str, Any]
    types: frozenset[str]  # the component types it is for; empty where it is none


class Checker:
    """Checks one manifest. `is_cut` tells whether it was too much.

    `components` are all that were seen, with their types, again where other parameters reach them.
    """

    def __init__(self, cdk: Cdk) -> None:
        self.components: list[tuple[str, Node]] = []
        self.is_cut = False
        self._cdk = cdk
        self._visits = 0
        self._hints = 0
        self._found: _Found = {}
        self._done: dict[tuple[object, ...], _Found] = {}  # what was seen: no need to look again
        self._branches: dict[int, list[_Branch]] = {}

    @property
    def found(self) -> list[tuple[Finding, str]]:
        """What is wrong, with a word to point at."""
        return list(self._found.values())

    def check(self, manifest: Node) -> None:
        """Check the whole manifest."""
        root = _Branch("DeclarativeSource", self._cdk.schema, frozenset({"DeclarativeSource"}))
        self._object(manifest, root, "DeclarativeSource", _NONE)
        if "anyOf" in root.schema and not any(
            name in (manifest.members or {}) for each in root.schema["anyOf"] for name in each.get("required", ())
        ):
            self._tell(manifest.at, "required", "a manifest needs `streams` or `dynamic_streams`")

    def _value(self, node: Node, schema: Mapping[str, Any], field: str, parameters: Mapping[str, Node]) -> None:
        """Check the value of `field`, which is written `Component.name`."""
        if self._is_too_much() or node.is_lost:
            return
        seen = (id(node), id(schema), field, *((name, id(value)) for name, value in parameters.items()))
        if seen not in self._done:
            outer, self._found = self._found, {}
            self._look(node, schema, field, parameters)
            outer, self._found = self._found, outer
            if node.members or node.items:
                self._done[seen] = outer
            self._take(outer)
        else:
            self._take(self._done[seen])

    def _look(self, node: Node, schema: Mapping[str, Any], field: str, parameters: Mapping[str, Node]) -> None:
        chosen = self._chosen(node, self._flat(schema), field)
        if isinstance(chosen, Finding):
            self._add(chosen, _word(node))
        elif len(chosen) == 1:
            self._branch(node, chosen[0], field, parameters)
        else:
            self._best(node, chosen, field, parameters)

    def _is_too_much(self) -> bool:
        self._visits += 1
        self.is_cut |= self._visits > _VISITS_MAX
        return self.is_cut

    def _best(self, node: Node, branches: Sequence[_Branch], field: str, parameters: Mapping[str, Node]) -> None:
        """Keep what the branch says that complains least."""
        before, least = self._found, None
        for branch in branches:
            self._found = {}
            self._branch(node, branch, field, parameters)
            if least is None or _weight(self._found) < _weight(least):
                least = self._found
            if not _weight(least):
                break
        self._found = before
        self._take(least or {})

    def _flat(self, schema: Mapping[str, Any]) -> list[_Branch]:
        """Return the alternatives of a schema, references followed."""
        known = self._branches.get(id(schema))
        if known is None:
            known = self._branches[id(schema)] = list(self._alternatives(schema, ""))
        return known

    def _alternatives(self, schema: Mapping[str, Any], name: str) -> list[_Branch]:
        if "$ref" in schema:
            target = str(schema["$ref"]).rpartition("/")[2]
            return self._alternatives(self._cdk.definitions[target], target)
        choice = schema.get("anyOf") or schema.get("oneOf")
        if choice and "properties" not in schema:
            return [each for branch in choice for each in self._alternatives(branch, name)]
        types = schema.get("properties", {}).get("type", {}).get("enum", ())
        return [_Branch(name, schema, frozenset(types))]

    def _kind(self, node: Node, field: str) -> str | None:
        """Return the component type of an object: as written, or as the CDK fills it in."""
        members = node.members or {}
        if "type" in members:
            return node.text("type")
        return (self._cdk.custom_types if "class_name" in members else self._cdk.types).get(field)

    def _chosen(self, node: Node, branches: list[_Branch], field: str) -> list[_Branch] | Finding:
        """Return the alternatives that the value may be meant for, or what is wrong where there is none."""
        if node.members is None:
            plain = node.plain() if node.items is None else []
            fitting = [branch for branch in branches if fits(plain, branch.schema)]
            return fitting or self._of_wrong_type(node, branches, field)
        kind = self._kind(node, field)
        meant = [branch for branch in branches if kind in branch.types or (kind is None and _may_lack_type(branch))]
        free = [branch for branch in branches if not branch.types and fits({}, branch.schema)]
        return [*meant, *free] or self._of_wrong_kind(node, branches, field)

    def _of_wrong_type(self, node: Node, branches: list[_Branch], field: str) -> Finding:
        component, _, name = field.rpartition(".")
        want = tuple(dict.fromkeys(branch.name if branch.types else described(branch.schema) for branch in branches))
        got = [] if node.items is not None else node.value
        message = f"`{name}` of {component} got {type_of(got)}{_value_of(node)}, want {' or '.join(want)}"
        if type_of(got) in ("a date", "a time"):
            message += "; put quotes around it"
        return finding("type", node.at, message, component=component, got=got, want=want)

    def _of_wrong_kind(self, node: Node, branches: list[_Branch], field: str) -> Finding:
        component, _, name = field.rpartition(".")
        want = tuple(sorted(frozenset().union(*(branch.types for branch in branches))))
        if not want:
            return self._of_wrong_type(Node(node.at, {}), branches, field)
        kind = self._kind(node, field)
        if kind is None:
            message = f"`{name}` of {component} is an object without `type`; want one of {', '.join(want)}"
            return finding("component-without-type", node.at, message, component=component, want=want)
        at = node.names.get("type", node.at)
        near = self._near(kind, want)
        if kind in self._cdk.definitions:
            message = f"`{name}` of {component} takes no {kind}; want {' or '.join(want)}"
        else:
            hint = f"; {REMOVED_COMPONENTS[kind]}" if kind in REMOVED_COMPONENTS else self._hint(near, want)
            message = f"airbyte-cdk {self._cdk.version} has no component {kind}{hint}"
        return finding("unknown-component", at, message, component=component, got=kind, want=want, nearest=near)

    def _branch(self, node: Node, branch: _Branch, field: str, parameters: Mapping[str, Node]) -> None:
        schema = branch.schema
        problem = leaf_problem(node, schema)
        if problem is not None:
            component, _, name = field.rpartition(".")
            message = f"`{name}` of {component} {problem.sentence}"
            self._tell(node.at, problem.rule, message, component=component, got=problem.got, want=problem.want)
        elif node.members is not None:
            kind = self._kind(node, field) if branch.types else None
            self._object(node, branch, kind, parameters)
        elif node.items is not None and "items" in schema:
            wanted = schema["items"]
            for item, each in zip(
                node.items, wanted if isinstance(wanted, list) else itertools.repeat(wanted), strict=False
            ):
                self._value(item, each, field, parameters)

    def _object(self, node: Node, branch: _Branch, kind: str | None, parameters: Mapping[str, Node]) -> None:
        members = node.members or {}
        if kind:
            self.components.append((kind, node))
        own = members.get(_PARAMETERS)
        known: Mapping[str, Any] = branch.schema.get("properties", {})
        passed = {**parameters, **(own.members or {})} if kind and own is not None else parameters
        filled = {name: passed[name] for name in passed if name in known and not _is_set(members.get(name))}
        whole = {**members, **filled} if kind else members
        if kind and branch.schema.get("deprecated"):
            self._deprecated(node.names.get("type", node.at), f"{kind} is deprecated", branch.schema, kind)
        for name in branch.schema.get("required", ()):
            if name not in whole and (name != "type" or not kind):
                near = self._near(name, members.keys() - known.keys())
                hint = f"; is it meant by `{near}`?" if near else ""
                message = f"{kind or branch.name or 'this'} needs `{name}`{hint}"
                self._tell(node.at, "required", message, component=kind, want=(name,), nearest=near)
        for name, member in whole.items():
            if name in known:
                self._known(name, member, (node, branch, kind), passed)
            elif name != _PARAMETERS:
                self._unknown(name, member, (node, branch, kind), passed)

    def _known(
        self, name: str, member: Node, where: tuple[Node, _Branch, str | None], parameters: Mapping[str, Node]
    ) -> None:
        node, branch, kind = where
        schema = branch.schema["properties"][name]
        if name == "type" and member.value in branch.types:
            return
        if schema.get("deprecated"):
            at = node.names.get(name, member.at)
            self._deprecated(at, f"`{name}` of {kind} is deprecated", schema, kind)
        passed = (
            {key: value for key, value in parameters.items() if key != name} if kind else _below(member, parameters)
        )
        self._value(member, schema, f"{kind or branch.name or 'this'}.{name}", passed)

    def _unknown(
        self, name: str, member: Node, where: tuple[Node, _Branch, str | None], parameters: Mapping[str, Node]
    ) -> None:
        node, branch, kind = where
        rest = branch.schema.get("additionalProperties")
        if self._is_too_much():
            return
        if isinstance(rest, Mapping):
            self._value(member, rest, f"{kind or branch.name or 'this'}.{name}", _below(member, parameters))
        elif rest is False or (kind and not kind.startswith("Custom")):
            taken = {_PARAMETERS, "type"} | (node.members or {}).keys() & branch.schema.get("properties", {}).keys()
            known = sorted(set(branch.schema.get("properties", {})) - taken)
            near = self._near(name, known)
            if rest is True and near is None:  # it takes any field, so this may be the author's own
                return
            severity = Severity.ERROR if rest is False else Severity.WARNING
            ignored = "" if rest is False else ", and airbyte-cdk ignores it"
            message = f"{kind or branch.name or 'this'} has no field `{name}`{ignored}{self._hint(near, known)}"
            details = {"component": kind, "got": name, "want": tuple(known), "nearest": near}
            self._tell(node.names.get(name, member.at), "unknown-field", message, severity=severity, **details)

    def _deprecated(self, at: At, what: str, schema: Mapping[str, Any], kind: str | None) -> None:
        successor = schema.get("deprecation_message", "")
        message = f"{what}: {str(successor).rstrip('.')}" if successor else what
        self._tell(at, "deprecated", message, severity=Severity.WARNING, component=kind)

    def _tell(self, at: At, rule: str, message: str, **members: Any) -> None:  # noqa: ANN401 -- of Finding
        self._add(finding(rule, at, message, **members), "")

    def _add(self, found: Finding, word: str) -> None:
        told = (found, word)
        self._take({id(told): told})

    def _take(self, found: _Found) -> None:
        if len(self._found) <= LOOKED_FOR_MAX:
            self._found.update(found)

    def _near(self, got: str, known: Collection[str]) -> str | None:
        self._hints += 1
        return nearest(got, known) if self._hints <= _HINTS_MAX else None

    def _hint(self, near: str | None, known: Collection[str]) -> str:
        return did_you_mean(near or "", known) if self._hints <= _HINTS_MAX else ""


def _may_lack_type(branch: _Branch) -> bool:
    return bool(branch.types) and "type" not in branch.schema.get("required", ())


def _below(member: Node, parameters: Mapping[str, Node]) -> Mapping[str, Node]:
    """Return the parameters that pass an object which is no component: they reach components right below it."""
    return parameters if member.members and "type" in member.members else _NONE


def _is_set(node: Node | None) -> bool:
    """Whether a field has a value that a parameter does not replace."""
    return node is not None and bool(node.members or node.items or node.value)


def _weight(found: _Found) -> int:
    return sum(each.severity is Severity.ERROR for each, _ in found.values())


def _word(node: Node) -> str:
    return (node.text("type") or "") if node.members is not None else ""


def _value_of(node: Node) -> str:
    return f" {shown(node.value)}" if node.items is None and isinstance(node.value, str | int | float) else ""
