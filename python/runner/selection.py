"""Which fields of a collection are stored, as the connector's constraints and the user's choice have it.

Flow protocol, sections 5.2 and 9.5. The names of the constraints are the connector's answers; what each asks for is
the steps of `_Selecting.done`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from python.protocol import document, pointer
from python.protocol.flow import CollectionSpec, FieldSelection
from python.protocol.materialize import Constraint, ValidatedBinding
from python.protocol.projection import Projection
from python.runner.catalog_readers import Fields

__all__ = ["Selection", "select"]

_FORBIDDEN = Constraint(type="FIELD_FORBIDDEN", reason="the connector says nothing of it")
_INCOMPATIBLE = frozenset({"INCOMPATIBLE", "UNSATISFIABLE"})
_REFUSED = frozenset({"FIELD_FORBIDDEN", "INVALID"})


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The selected fields, and why they cannot be stored, as sentences.

    `problems` are for the user to mend; what is `incompatible` would be right for a resource that is filled anew.
    """

    fields: FieldSelection
    problems: tuple[str, ...] = ()
    incompatible: tuple[str, ...] = ()


def select(
    collection: CollectionSpec, validated: ValidatedBinding, wanted: Fields, last: FieldSelection | None = None
) -> Selection:
    """Return the fields of `collection` to store. `last` are those stored so far: they are preferred among equals."""
    return _Selecting(collection, validated, wanted, last or FieldSelection()).done()


class _Selecting:
    """One selection: what was chosen, and what stood in the way."""

    def __init__(
        self, collection: CollectionSpec, validated: ValidatedBinding, wanted: Fields, last: FieldSelection
    ) -> None:
        self._collection = collection
        self._projections = {projection.field: projection for projection in collection.projections}
        self._validated = validated
        self._wanted = wanted
        self._last = {*last.keys, *last.values, last.document}
        self._chosen: dict[str, Projection] = {}
        self._problems: list[str] = []
        self._incompatible: list[str] = []

    def done(self) -> Selection:
        """Return the selection: what must be there first, so that a recommendation never takes its place."""
        for field in self._wanted.require:
            self._take(field, "`fields.require` names")
        for field in self._of_type("FIELD_REQUIRED"):
            self._take(field, "the connector requires")
        keys = self._keys()
        for field in self._of_type("LOCATION_REQUIRED"):
            if self._wanted.group_by or self._projections[field].ptr not in self._collection.key:  # told above
                self._take_place(self._projections[field].ptr, "the connector requires")
        for field in filter(self._last.__contains__, self._of_type(*_INCOMPATIBLE)):
            self._take(field, "the resource has")
        for field in self._of_type("LOCATION_RECOMMENDED"):
            self._recommend(self._projections[field])
        return Selection(
            fields=self._selected(keys), problems=tuple(self._problems), incompatible=tuple(sorted(self._incompatible))
        )

    def _selected(self, keys: Sequence[str]) -> FieldSelection:
        whole = [field for field, projection in self._chosen.items() if not projection.ptr]
        values = sorted((field for field in self._chosen if field not in {*keys, *whole[:1]}), key=str.encode)
        configs = {name: config for name, config in self._wanted.require.items() if config}
        return FieldSelection(
            keys=tuple(keys),
            values=tuple(values),
            document=whole[0] if whole else "",
            field_config={name: msgspec.Raw(document.encode(config)) for name, config in configs.items()},
        )

    def _keys(self) -> list[str]:
        """Choose the fields of the key: those to group by, or one for each location of the collection's key."""
        if self._wanted.group_by:
            for field in self._wanted.group_by:
                self._take(field, "`fields.groupBy` names")
            return list(self._wanted.group_by)
        taken = [self._take_place(ptr, "it is keyed by") for ptr in self._collection.key]
        return [field for field in taken if field is not None]

    def _take_place(self, ptr: str, why: str) -> str | None:
        """Choose a field of the location `ptr`, unless one is chosen. Returns it, or None where there is none."""
        candidates = sorted((found for found in self._projections.values() if found.ptr == ptr), key=self._preference)
        for found in candidates:
            if found.field in self._chosen:
                return found.field
        for accepts in _ACCEPTED:
            for found in candidates:
                if accepts(self._constraint(found.field)) and found.field not in self._wanted.exclude:
                    self._take(found.field, why)
                    return found.field
        told = "; ".join(f"{found.field!r}: {self._why_not(found.field)}" for found in candidates)
        self._problems.append(f"{why} {ptr or 'the whole document'}, and none of its fields can be stored ({told})")
        return None

    def _take(self, field: str, why: str) -> None:
        constraint = self._constraint(field)
        if field in self._chosen:
            return
        if field not in self._projections:
            self._problems.append(f"{why} the field {field!r}, which the collection does not have: add a projection")
        elif constraint.type in _REFUSED or field in self._wanted.exclude:
            self._problems.append(f"{why} the field {field!r}, which cannot be stored: {self._why_not(field)}")
        elif self._folded_like(field) is not None:
            self._problems.append(
                f"{why} the field {field!r}, which the endpoint does not tell from {self._folded_like(field)!r}: "
                "exclude one of them"
            )
        else:
            if constraint.type in _INCOMPATIBLE:
                self._incompatible.append(
                    f"{why} the field {field!r}, which does not fit any more: {constraint.reason}"
                )
            self._chosen[field] = self._projections[field]

    def _recommend(self, projection: Projection) -> None:
        """Choose a field that may be left out, where it was not, nor anything that stands in its way."""
        depth = len(pointer.parse(projection.ptr))
        too_deep = self._wanted.depth_max is not None and depth > self._wanted.depth_max
        if too_deep or projection.field in self._wanted.exclude or self._folded_like(projection.field) is not None:
            return
        if not any(_same_place(chosen, projection) for chosen in self._chosen.values()):
            self._chosen[projection.field] = projection

    def _of_type(self, *types: str) -> list[str]:
        """Return the fields with such a constraint; those that are required may be none of the collection's."""
        found = {name for name, constraint in self._validated.constraints.items() if constraint.type in types}
        known = [self._projections[name] for name in found & set(self._projections)]
        strange = sorted(found - set(self._projections)) if "FIELD_REQUIRED" in types else []
        return [projection.field for projection in sorted(known, key=self._preference)] + strange

    def _constraint(self, field: str) -> Constraint:
        return self._validated.constraints.get(field, _FORBIDDEN)

    def _why_not(self, field: str) -> str:
        return "`fields.exclude` names it" if field in self._wanted.exclude else self._constraint(field).reason

    def _folded_like(self, field: str) -> str | None:
        """Return the chosen field, if any, that has the same name in the endpoint."""
        own = self._folded(field)
        return next((other for other in self._chosen if other != field and self._folded(other) == own), None)

    def _folded(self, field: str) -> str:
        name = self._constraint(field).folded_field or field
        # Not casefold: to databases, ß and ss are two names, and of two names that fold alike one is not stored. A
        # connector whose endpoint folds in another way says `foldedField`.
        return name.lower() if self._validated.case_insensitive_fields else name

    def _preference(self, projection: Projection) -> tuple[bool, bool, bool, bytes]:
        """Sorts the best field of a location first: the one stored so far, the user's own, the location's own name."""
        return (
            projection.field not in self._last,
            not projection.explicit,
            projection.field != projection.ptr[1:],
            projection.field.encode(),
        )


_ACCEPTED: tuple[Callable[[Constraint], bool], ...] = (
    lambda constraint: constraint.type not in {*_REFUSED, *_INCOMPATIBLE},
    lambda constraint: constraint.type not in _REFUSED,
)
"""What a field of a location may be, the better choice first."""


def _same_place(one: Projection, other: Projection) -> bool:
    """Whether two projections give the same value. The time of publishing is read out of the UUID beside it."""
    return one.ptr == other.ptr and one.inference == other.inference
