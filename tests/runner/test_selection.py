from typing import Any

import pytest

from python.protocol.flow import CollectionSpec, FieldSelection
from python.protocol.materialize import Constraint, ValidatedBinding
from python.protocol.projection import Inference, Projection
from python.runner.catalog_readers import Fields
from python.runner.selection import Selection, select

PLACES = {
    "id": "/id",
    "name": "/name",
    "Name": "/name2",
    "alias": "/name",
    "deep/er": "/deep/er",
    "flow_document": "",
}
COLLECTION = CollectionSpec(
    name="a/c",
    key=("/id",),
    projections=tuple(
        Projection(field=field, ptr=ptr, inference=Inference(types=("string",)), explicit=field == "alias")
        for field, ptr in PLACES.items()
    ),
)
USUAL = {
    "id": "LOCATION_REQUIRED",
    "name": "LOCATION_RECOMMENDED",
    "deep/er": "LOCATION_RECOMMENDED",
    "flow_document": "LOCATION_REQUIRED",
}


def selected(wanted: Fields | None = None, last: FieldSelection | None = None, **constraints: str) -> Selection:
    types = {**USUAL, **constraints}
    answers = {field: Constraint(type=kind, reason=f"because of {field}") for field, kind in types.items()}
    return select(COLLECTION, ValidatedBinding(constraints=answers), wanted or Fields(), last)


def test_what_is_required_and_recommended_is_selected() -> None:
    found = selected(Name="FIELD_OPTIONAL")

    assert found.fields == FieldSelection(keys=("id",), values=("deep/er", "name"), document="flow_document")
    assert (found.problems, found.incompatible) == ((), ())


@pytest.mark.parametrize(("depth_max", "values"), [(0, ()), (1, ("name",)), (2, ("deep/er", "name"))])
def test_recommended_fields_are_bounded_by_their_depth(depth_max: int, values: tuple[str, ...]) -> None:
    assert selected(Fields(depth_max=depth_max)).fields.values == values


def test_the_user_requires_and_excludes_fields() -> None:
    wanted = Fields(require={"Name": {"castToString": True}}, exclude=("name",))
    found = selected(wanted, Name="FIELD_OPTIONAL")

    assert found.fields.values == ("Name", "deep/er")
    assert {name: bytes(raw) for name, raw in found.fields.field_config.items()} == {"Name": b'{"castToString":true}'}


def test_of_a_location_one_field_is_recommended_the_users_own_first_unless_another_was_stored() -> None:
    fresh = selected(alias="LOCATION_RECOMMENDED")
    stored = selected(last=FieldSelection(values=("name",)), alias="LOCATION_RECOMMENDED")

    assert fresh.fields.values == ("alias", "deep/er")
    assert stored.fields.values == ("deep/er", "name")


def test_fields_to_group_by_are_the_key() -> None:
    found = selected(Fields(group_by=("name", "deep/er")))

    assert (found.fields.keys, found.fields.values) == (("name", "deep/er"), ("id",))


def test_fields_that_differ_in_more_than_case_are_both_stored() -> None:
    names = ("STRASSE", "Straße")
    projections = tuple(Projection(field=name, ptr=f"/{name}", inference=Inference()) for name in names)
    answers = {name: Constraint(type="LOCATION_RECOMMENDED") for name in names}
    validated = ValidatedBinding(constraints=answers, case_insensitive_fields=True)

    found = select(CollectionSpec(name="a/c", projections=projections), validated, Fields())

    assert (found.fields.values, found.problems) == (names, ())


def test_fields_that_fold_alike_are_not_stored_together() -> None:
    answers = {field: Constraint(type=kind) for field, kind in {**USUAL, "Name": "LOCATION_RECOMMENDED"}.items()}
    folded = ValidatedBinding(constraints=answers, case_insensitive_fields=True)

    assert select(COLLECTION, folded, Fields()).fields.values == ("deep/er", "name")
    told = select(COLLECTION, folded, Fields(require={"Name": {}, "name": {}})).problems
    assert told == (
        "`fields.require` names the field 'name', which the endpoint does not tell from 'Name': exclude one of them",
    )


@pytest.mark.parametrize(
    ("wanted", "constraints", "sentence"),
    [
        (
            Fields(require={"gone": {}}),
            {},
            "`fields.require` names the field 'gone', which the collection does not have",
        ),
        (
            Fields(require={"Name": {}}),
            {},
            "the field 'Name', which cannot be stored: the connector says nothing of it",
        ),
        (Fields(require={"name": {}}), {"name": "FIELD_FORBIDDEN"}, "cannot be stored: because of name"),
        (
            Fields(),
            {"gone": "FIELD_REQUIRED"},
            "the connector requires the field 'gone', which the collection does not",
        ),
        (
            Fields(exclude=("id",)),
            {},
            "it is keyed by /id, and none of its fields can be stored ('id': `fields.exclude`",
        ),
        (Fields(exclude=("name",)), {"name": "FIELD_REQUIRED"}, "cannot be stored: `fields.exclude` names it"),
        (Fields(), {"id": "FIELD_FORBIDDEN"}, "it is keyed by /id, and none of its fields can be stored"),
    ],
)
def test_a_constraint_that_cannot_be_met_is_told(wanted: Fields, constraints: Any, sentence: str) -> None:
    (told,) = selected(wanted, **constraints).problems

    assert sentence in told


def test_a_stored_field_that_does_not_fit_any_more_is_incompatible() -> None:
    found = selected(last=FieldSelection(values=("name",)), name="INCOMPATIBLE", id="INCOMPATIBLE")

    assert found.problems == ()
    assert found.incompatible == (
        "it is keyed by the field 'id', which does not fit any more: because of id",
        "the resource has the field 'name', which does not fit any more: because of name",
    )


def test_a_field_that_was_never_stored_may_be_incompatible() -> None:
    assert selected(name="INCOMPATIBLE").incompatible == ()
