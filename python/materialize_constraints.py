"""What may become of each field of a collection in an endpoint's resource: the rules of constraints, as pure functions.

They are the same for every endpoint (reference on materializations, sections 4 and 5). What differs between endpoints
is told by a `Resource`: which fields cannot be stored at all, and which columns exist and no longer fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from python.materialize_requests import Asked, Binding
from python.protocol.errors import ConnectorError
from python.protocol.flow import Projection
from python.protocol.materialize import Constraint

__all__ = ["Resource", "constraints_of", "flat_type", "refusal_of_key"]

_FORMATTED = {"integer": ({"integer"}, "string-integer"), "number": ({"integer", "number"}, "string-number")}
_KEY_TYPES = {"boolean", "integer", "string"}
_GONE = "what this task has stored is gone, or is not where the config says; a backfill stores it again"
_WHOLE = "whole documents are needed to reduce new ones into them"


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint says of the resource of one binding.

    `unfit` says why a projection can never be stored there, with "" where it can. `exists` says whether the resource is
    there, `columns` holds the existing ones under their folded names, and `misfit` says why a projection cannot be
    stored into the existing column of its name, neither as it is nor after a migration. `fold` is how the endpoint
    spells names; `occupied` says that the resource holds documents.
    """

    unfit: Callable[[Projection], str] = lambda _projection: ""
    misfit: Callable[[Projection, Any], str] = lambda _projection, _column: ""
    fold: Callable[[str], str] = lambda name: name
    columns: Mapping[str, Any] = {}
    exists: bool = False
    occupied: bool = False
    allow_existing: bool = False


def flat_type(projection: Projection) -> str:
    """Return the one word that says which values a location has.

    It is one of array, binary, boolean, integer, multiple, never, number, object, string, string-integer and
    string-number. The last two hold numbers, some or all of them as text.
    """
    inference = projection.inference
    types = set(inference.types) - {"null"} if inference else set()
    if types == {"integer", "number"}:
        return "number"
    string = inference.string if inference and "string" in types else None
    numeric, name = _FORMATTED.get(string.format if string else "", (set(), ""))
    if name and types - {"string"} <= numeric:
        return name
    if len(types) > 1:
        return "multiple"
    if string and string.content_encoding == "base64":
        return "binary"
    return next(iter(types), "never")


def constraints_of(asked: Asked[Any], resource: Resource) -> dict[str, Constraint]:
    """Return what may become of each projection of the binding's collection.

    Raises ConnectorError where no selection of fields could work: the key may be null, or the resource holds what this
    task did not store. Where the resource is gone, though the task has stored to it, the key wants a backfill.
    """
    _refuse_null_keys(asked)
    if resource.exists and asked.last is None and resource.occupied and not resource.allow_existing:
        raise ConnectorError(
            f"{_named(asked)} exists and holds documents that this task did not store: empty or rename it, choose "
            "another one, or set the feature flag allow_existing_tables_for_new_bindings"
        )
    anew = not resource.exists or (asked.last is not None and asked.last.backfill != asked.backfill)
    judged = {}
    for projection in asked.collection.projections:
        constraint = _constraint(projection, asked, resource, anew=anew)
        folded = resource.fold(projection.field)
        if folded != projection.field:
            constraint = msgspec.structs.replace(constraint, folded_field=folded)
        judged[projection.field] = constraint
    return judged


def refusal_of_key(projection: Projection) -> str:
    """Return why documents cannot be told apart by `projection`; "" where they can."""
    inference = projection.inference
    if inference is None or not set(inference.types) - {"null"} <= _KEY_TYPES or inference.types in ((), ("null",)):
        got = ", ".join(inference.types) if inference else "no type"
        return f"its schema admits {got}, and a key is an integer, text or a boolean"
    if ("null" in inference.types or inference.exists != "MUST") and not inference.default:
        return "it may be null or missing: make it required and not null, or give it a default"
    return ""


def _constraint(projection: Projection, asked: Asked[Any], resource: Resource, *, anew: bool) -> Constraint:
    """Return the first constraint that applies, the strictest first."""
    unfit = resource.unfit(projection) or _unfit(projection)
    if unfit:
        return Constraint(type="FIELD_FORBIDDEN", reason=unfit)
    if _is_key(projection, asked) and not resource.exists and asked.last and asked.last.backfill == asked.backfill:
        return Constraint(type="INCOMPATIBLE", reason=_GONE)
    column = None if anew else resource.columns.get(resource.fold(projection.field))
    last = None if anew else asked.last
    refused = _refused_by_last(projection, asked, last) if last else ""
    misfit = resource.misfit(projection, column) if column is not None else ""
    if refused or misfit:
        return Constraint(type="INCOMPATIBLE", reason=refused or misfit)
    if last and projection.ptr == "" and last.fields.document and not asked.delta_updates:
        return _root_of_existing(projection, last)
    if column is not None:
        return _existing(projection, asked, last)
    return _new(projection, asked)


def _refused_by_last(projection: Projection, asked: Asked[Any], last: Binding[Any]) -> str:
    """Return why what was stored up to now cannot be gone on with, as far as `projection` is concerned."""
    if last.delta_updates and not asked.delta_updates:
        return "documents were only added up to now; keeping one a key needs a backfill"
    if not last.fields.keys:
        return ""
    was, is_ = projection.field in last.fields.keys, _is_key(projection, asked)
    if was and not is_:
        return "it was part of the key up to now; a new key needs a backfill"
    if is_ and not was and not _keyed_already(projection, asked, last):
        return "it was no part of the key up to now; a new key needs a backfill"
    return ""


def _keyed_already(projection: Projection, asked: Asked[Any], last: Binding[Any]) -> bool:
    """Whether another projection of the same place is in the key."""
    if asked.group_by:
        return False
    pointers = {found.field: found.ptr for found in asked.collection.projections}
    return projection.ptr in [pointers.get(field) for field in last.fields.keys]


def _root_of_existing(projection: Projection, last: Binding[Any]) -> Constraint:
    if projection.field == last.fields.document:
        return Constraint(type="FIELD_REQUIRED", reason="it holds the whole documents of the existing resource")
    return Constraint(
        type="FIELD_FORBIDDEN", reason=f"whole documents are in {last.fields.document}, and cannot be twice"
    )


def _existing(projection: Projection, asked: Asked[Any], last: Binding[Any] | None) -> Constraint:
    if _is_key(projection, asked):
        if last is None or projection.field in last.fields.keys or not last.fields.keys:
            return Constraint(type="FIELD_REQUIRED", reason="it is part of the key of the existing resource")
        return Constraint(type="FIELD_OPTIONAL", reason="another field holds this part of the key")
    if projection.ptr == "" and not asked.delta_updates:
        return Constraint(type="LOCATION_REQUIRED", reason=_WHOLE)
    return Constraint(type="LOCATION_RECOMMENDED", reason="the existing resource has it")


def _new(projection: Projection, asked: Asked[Any]) -> Constraint:
    whole, told_of = projection.ptr == "", projection.ptr.startswith("/_meta/") and projection.ptr != "/_meta/op"
    in_key = _is_key(projection, asked)
    cases = (
        (in_key and bool(asked.group_by), "FIELD_REQUIRED", "it is part of the key that was chosen with groupBy"),
        (in_key, "LOCATION_REQUIRED", "it is part of the key"),
        (whole and not asked.delta_updates, "LOCATION_REQUIRED", _WHOLE),
        (whole, "FIELD_OPTIONAL", "documents are only added, and nothing needs them whole"),
        (projection.ptr in asked.collection.key, "LOCATION_RECOMMENDED", "it is part of the collection's key"),
        (told_of, "FIELD_OPTIONAL", "it tells of the document, not of what it is about"),
        (flat_type(projection) == "object", "FIELD_OPTIONAL", "the members of an object have fields of their own"),
        (True, "LOCATION_RECOMMENDED", "it can be stored as it is"),
    )
    return next(Constraint(type=name, reason=reason) for applies, name, reason in cases if applies)


def _unfit(projection: Projection) -> str:
    if flat_type(projection) != "never":
        return ""
    types = projection.inference.types if projection.inference else ()
    return "its schema admits null alone" if types else "its schema does not say what it holds"


def _is_key(projection: Projection, asked: Asked[Any]) -> bool:
    if asked.group_by:
        return projection.field in asked.group_by
    return projection.ptr in asked.collection.key


def _refuse_null_keys(asked: Asked[Any]) -> None:
    found: Sequence[Projection] = [each for each in asked.collection.projections if _is_key(each, asked)]
    for field in asked.group_by:
        if field not in [each.field for each in found]:
            raise ConnectorError(f"{_named(asked)}: groupBy names {field!r}, which is no field of {_source(asked)}")
    for projection in found:
        refusal = refusal_of_key(projection)
        if refusal:
            key = f"the key field {projection.field!r} at {projection.ptr}"
            raise ConnectorError(f"{_named(asked)}: {_source(asked)} has {key}: {refusal}")


def _named(asked: Asked[Any]) -> str:
    return f"binding {asked.index}, {'.'.join(asked.resource_path)}"


def _source(asked: Asked[Any]) -> str:
    return f"the collection {asked.collection.name}"
