"""The classifier: every difference between two versions of a connector, judged by a table of rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import jsonschema_rs
import msgspec

from python.importing.binding_rules import BINDING_RULES, BindingPair, binding_pairs, lacking
from python.importing.nodes import Node, intersection
from python.importing.rule import Difference, Level, Rule
from python.importing.sample_rules import SAMPLE_RULES, STATE_RULES, sample_pair
from python.importing.schema_rules import DOCUMENT_RULES, INPUT_RULES
from python.importing.schemas import node_of
from python.importing.sites import sites
from python.importing.snapshots import Binding, Json, Run, Snapshot
from python.importing.spec_rules import SPEC_RULES, SpecPair
from python.protocol import pointer

__all__ = ["Comparison", "compare", "rules"]

_Pair = TypeVar("_Pair")


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two versions, the gravest first; `unknown` are sentences on what could not be compared."""

    old: Snapshot
    new: Snapshot
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...] = ()

    @property
    def lost(self) -> tuple[str, ...]:
        """A sentence for each part that the old version has and the new one lacks: spec, or discovered bindings."""
        return tuple(_lost(self.old, self.new))

    @property
    def level(self) -> Level | None:
        """The level of the gravest difference; None without any."""
        return max((each.level for each in self.differences), default=None)


def rules() -> dict[str, Rule[Any]]:
    """Return every rule by the name that differences give."""
    areas: dict[str, Sequence[Rule[Any]]] = {
        "spec": SPEC_RULES,
        "config": INPUT_RULES,
        "resource": INPUT_RULES,
        "binding": BINDING_RULES,
        "document": DOCUMENT_RULES,
        "sample": SAMPLE_RULES,
        "state": STATE_RULES,
    }
    return {f"{area}-{rule.name}": rule for area, table in areas.items() for rule in table}


def compare(old: Snapshot, new: Snapshot) -> Comparison:
    """Return every difference between `old` and `new`. Raises SchemaError where one of their schemas is too large."""
    found: dict[tuple[str, ...], Difference] = {}
    for each in _differences(old, new):
        found.setdefault((each.rule, each.part, each.pointer, repr(each.old), repr(each.new)), each)
    ordered = sorted(found.values(), key=lambda each: -each.level)
    return Comparison(old=old, new=new, differences=tuple(ordered), unknown=tuple(_unknown(old, new)))


def _differences(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    if old.spec is not None and new.spec is not None:
        yield from _judged("spec", SPEC_RULES, [((), SpecPair(old.spec, new.spec))], "spec")
        for area, part, member in (
            ("config", "config", "configSchema"),
            ("resource", "resource config", "resourceConfigSchema"),
        ):
            nodes = _object_node(old.spec.get(member, {})), _object_node(new.spec.get(member, {}))
            yield from _schemas((area, part), INPUT_RULES, *nodes)
    specs = (old.spec or {}, new.spec or {})
    for name in old.runs:
        if name in new.runs:
            yield from _run((old.runs[name], new.runs[name]), specs, f" ({name})" if name else "")


_Specs = tuple[Mapping[str, Any], Mapping[str, Any]]


def _run(runs: tuple[Run, Run], specs: _Specs, of: str) -> Iterator[Difference]:
    """Yield what differs between two runs; `of` is put behind the names of their parts."""
    before, after = runs
    if before.bindings is not None and after.bindings is not None:
        pointers = (specs[0].get("resourcePathPointers") or (), specs[1].get("resourcePathPointers") or ())
        for pair in binding_pairs(before.bindings, after.bindings, pointers):
            yield from _binding(pair, specs, of)
    if before.documents is not None and after.documents is not None:
        for name in {**before.documents, **after.documents}:
            sample = sample_pair(before.documents.get(name, ()), after.documents.get(name, ()))
            part = f"captured documents of {name}" if name else "captured documents"
            yield from _judged("sample", SAMPLE_RULES, [((), sample)], f"{part}{of}")
    if before.state is not None and after.state is not None:
        states = sample_pair(*([run.state] if run.state else [] for run in runs))
        yield from _judged("state", STATE_RULES, [((), states)], f"state{of}")


def _binding(pair: BindingPair, specs: _Specs, of: str) -> Iterator[Difference]:
    old, new = pair.old, pair.new
    if old is None or new is None:
        yield from _judged("binding", BINDING_RULES, [((), pair)], f"binding {pair.name}{of}")
        return
    nodes = _object_node(old.get("documentSchema", {})), _object_node(new.get("documentSchema", {}))
    unsure = lacking(new, nodes[1]) - lacking(old, nodes[0])
    problem = _problem(old, specs[0].get("resourceConfigSchema"), specs[1].get("resourceConfigSchema"))
    pair = msgspec.structs.replace(pair, problem=problem, unsure=tuple(sorted(unsure)))
    yield from _judged("binding", BINDING_RULES, [((), pair)], f"binding {pair.name}{of}")
    yield from _schemas(("document", f"documents of {pair.name}{of}"), DOCUMENT_RULES, *nodes)


def _problem(binding: Binding, old: object, new: object) -> str:
    """Return why the schema `new` refuses the resource config that `old` took, or an empty text."""
    config = binding.get("resourceConfig")
    try:
        if new is None or (old is not None and not jsonschema_rs.is_valid(_modern(old), config)):
            return ""
        error = next(jsonschema_rs.iter_errors(_modern(new), config), None)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return ""  # reading it as nodes tells of a schema that is none
    return "" if error is None else error.message


def _modern(schema: Json) -> Json:
    """Return `schema` as Flow reads it: of the newest draft, whatever it calls itself."""
    return {name: part for name, part in schema.items() if name != "$schema"} if isinstance(schema, Mapping) else schema


def _schemas(names: tuple[str, str], table: Sequence[Rule[Any]], old: Node, new: Node) -> Iterator[Difference]:
    area, part = names
    yield from _judged(area, table, ((site.at, site) for site in sites(old, new)), part)


def _object_node(schema: object) -> Node:
    """Return what `schema` says of an object: configs and documents are objects, whether it says so or not."""
    return intersection(Node(types=frozenset({"object"})), node_of(schema))


def _judged(
    area: str, table: Sequence[Rule[_Pair]], pairs: Iterable[tuple[tuple[str, ...], _Pair]], part: str
) -> Iterator[Difference]:
    for at, pair in pairs:
        for rule in table:
            for hit in rule.find(pair):
                yield Difference(
                    rule=f"{area}-{rule.name}",
                    part=part,
                    pointer=pointer.join((*at, *hit.at)),
                    old=hit.old,
                    new=hit.new,
                    level=rule.level,
                    whom=rule.whom,
                    why=rule.why,
                )


def _unknown(old: Snapshot, new: Snapshot) -> Iterator[str]:
    """Yield a sentence for each part of a connector that is known of one version alone."""
    for one, other in ((old, new), (new, old)):
        if one.spec is not None and other.spec is None:
            yield f"{other.name} has no spec to compare with that of {one.name}"
        for name, run in one.runs.items():
            against = other.runs.get(name, Run())
            missing = [each for each in ("bindings", "documents", "state") if _alone(run, against, each)]
            called = f" ({name})" if name else ""
            yield from (f"{other.name} has no {each}{called} to compare with {one.name}" for each in missing)


def _lost(old: Snapshot, new: Snapshot) -> Iterator[str]:
    if old.spec is not None and new.spec is None:
        yield f"{new.name} has no spec, and {old.name} has one"
    known = any(run.bindings is not None for run in old.runs.values())
    if known and all(run.bindings is None for run in new.runs.values()):
        yield f"{new.name} has no discovered bindings, and {old.name} has some"


def _alone(run: Run, against: Run, part: str) -> bool:
    return getattr(run, part) is not None and getattr(against, part) is None
