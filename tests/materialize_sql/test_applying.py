"""What apply makes of the databases, and what validate says of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest

from python.materialize_sql.endpoint import Endpoint
from python.protocol import materialize as wire
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import Projection
from tests.materialize_sql.targets import Target, nasty_names
from tests.materializing import Session, applied, binding, collection, place, spec, validated

ID, NAME = place("/id", "integer"), place("/name", "string")
THINGS = collection(ID, NAME)
NOTHING: list[str] = []


def stored(target: Target, wanted: Any, *documents: Any) -> None:
    session = Session(target.make(), wanted)
    session.transaction(*documents)
    session.end()


def test_applying_again_changes_nothing(target: Target) -> None:
    wanted = spec(target.config, binding(THINGS, "things"), binding(THINGS, "deltas", delta=True))

    first = applied(target.make(), wanted)
    assert [line for line in first if ".things" in line] == [f"create table {target.schema}.things for acmeCo/things"]
    for last in (None, wanted):
        assert applied(target.make(), wanted, last) == NOTHING


def test_a_killed_apply_is_finished_by_the_next_one(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    old = spec(target.config, binding(collection(ID, NAME), "things"), binding(THINGS, "others"))
    applied(target.make(), old)
    grown = collection(ID, place("/name", "string", "null"), place("/a", "string"), place("/b", "integer"))
    new = spec(target.config, binding(grown, "things"), binding(grown, "others", backfill=1), binding(grown, "more"))
    perform, done = Endpoint.perform, []
    for survived in range(12):

        def kill(endpoint: Endpoint, action: Any, left: list[int] = [survived]) -> None:  # noqa: B006 -- counted down
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            perform(endpoint, action)
            done.append(action)

        monkeypatch.setattr(Endpoint, "perform", kill)
        try:
            applied(target.make(), new, old)
        except KeyboardInterrupt:
            continue
        break
    monkeypatch.setattr(Endpoint, "perform", perform)

    assert len(done) > 3
    assert applied(target.make(), new, new) == NOTHING
    for table in ("things", "others", "more"):
        assert set(target.types(table)) == {"id", "name", "a", "b", "flow_document"}
    stored(target, new, {"id": 1, "a": "x"})


def test_columns_are_added_and_may_be_null(target: Target) -> None:
    old = spec(target.config, binding(THINGS, "things"))
    applied(target.make(), old)
    stored(target, old, {"id": 1, "name": "a"})
    new = spec(target.config, binding(collection(ID, NAME, place("/age", "number")), "things"))

    actions = applied(target.make(), new, old)
    assert any("add column age of type" in action for action in actions)
    stored(target, new, {"id": 2, "name": "b", "age": 1.5})
    assert target.rows("id", "age") == [(1, None), (2, 1.5)]


@pytest.mark.parametrize("source", [(ID, place("/name", "string", "null", exists="MAY")), (ID,)])
def test_columns_that_are_no_longer_required_may_be_null(target: Target, source: Any) -> None:
    old = spec(target.config, binding(THINGS, "things"))
    applied(target.make(), old)
    new = spec(target.config, binding(collection(*source), "things"))

    actions = applied(target.make(), new, old)
    assert [action for action in actions if "let column name be null" in action] or not target.dialect.not_null
    stored(target, new, {"id": 1})
    assert target.rows("id", "name") == [(1, None)]


class Widened(NamedTuple):
    """A field and a value of it before and after, and the rows then."""

    before: Projection
    old: Any
    after: Projection
    new: Any
    rows: tuple[Any, Any]


SMALL = place("/x", "integer", minimum=0, maximum=9)
TEXT, UUID = place("/x", "string"), "00000000-1111-2222-3333-444444444444"
BYTES, DATE = place("/x", "string", content_encoding="base64"), place("/x", "string", format="date")
WIDENED = [
    Widened(SMALL, 7, place("/x", "integer"), 2**65, (7, 2**65)),
    Widened(SMALL, 7, place("/x", "string", "integer", format="integer"), str(2**65), (7, 2**65)),
    Widened(place("/x", "integer"), 7, TEXT, "seven", ("7", "seven")),
    Widened(place("/x", "number"), 1.5, TEXT, "x", ("1.5", "x")),
    Widened(place("/x", "string", format="uuid"), UUID, TEXT, "x", (UUID, "x")),
    Widened(DATE, "2024-02-29", TEXT, "never", ("2024-02-29", "never")),
    Widened(BYTES, "AGFi", TEXT, "*", ("AGFi", "*")),
    Widened(TEXT, "a", place("/x", "string", "object"), {"b": 1}, ('"a"', '{"b":1}')),
    Widened(
        place("/x", "string", format="date"), "2024-02-29", place("/x", "string", "array"), [1], ('"2024-02-29"', "[1]")
    ),
]


@pytest.mark.parametrize("case", WIDENED)
def test_types_widen_and_keep_what_they_hold(target: Target, case: Widened) -> None:
    before, old, after, new, wanted = case
    was = spec(target.config, binding(collection(ID, before), "things"))
    applied(target.make(), was)
    stored(target, was, {"id": 1, "x": old})
    now = spec(target.config, binding(collection(ID, after), "things"))
    if target.name == "sqlite" and before is BYTES:  # SQLite has no base64 of its own
        assert validated(target.make(), now, was)[0].constraints["x"].type == "INCOMPATIBLE"
        return

    assert validated(target.make(), now, was)[0].constraints["x"].type == "LOCATION_RECOMMENDED"
    applied(target.make(), now, was)
    stored(target, now, {"id": 2, "x": new})
    found = tuple(value for (value,) in target.rows("x", order=target.dialect.quote("id")))
    if target.name == "sqlite":  # which has no type for JSON, and big integers as text
        wanted = (wanted[0].strip('"') if isinstance(wanted[0], str) else wanted[0], wanted[1])
        found = tuple(int(each) if isinstance(wanted[0], int) else each for each in found)
    if target.name == "postgres" and isinstance(wanted[0], str) and '"' in wanted[0]:
        found = tuple(msgspec.json.encode(each).decode() for each in found)
    assert found == wanted


def test_a_type_that_cannot_become_the_other_needs_a_backfill_which_makes_the_table_anew(target: Target) -> None:
    old = spec(target.config, binding(collection(ID, place("/name", "string", content_encoding="base64")), "things"))
    applied(target.make(), old)
    stored(target, old, {"id": 1, "name": "AGFi"})
    source = collection(ID, place("/name", "integer"))
    new = spec(target.config, binding(source, "things"))

    (answer,) = validated(target.make(), new, old)
    assert (answer.constraints["name"].type, answer.constraints["id"].type) == ("INCOMPATIBLE", "FIELD_REQUIRED")
    with pytest.raises(ConnectorError, match=r"column 'name' is of type .* which cannot become"):
        applied(target.make(), new, old)
    again = spec(target.config, binding(source, "things", backfill=1))
    assert validated(target.make(), again, old)[0].constraints["name"].type == "LOCATION_RECOMMENDED"
    actions = applied(target.make(), again, old)
    assert any("anew for a backfill" in action for action in actions)
    stored(target, again, {"id": 2, "name": 7})
    assert target.rows("name") == [(7,)]


def test_a_backfill_empties_a_table_whose_columns_can_stay(target: Target) -> None:
    old = spec(target.config, binding(THINGS, "things"))
    applied(target.make(), old)
    stored(target, old, {"id": 1, "name": "a"})
    new = spec(target.config, binding(collection(ID, NAME, place("/more", "string")), "things", backfill=1))

    actions = applied(target.make(), new, old)
    assert any("empty table" in action for action in actions)
    assert not any("anew" in action for action in actions)
    assert target.rows("more") == []


def test_another_key_with_a_backfill_makes_the_table_anew(target: Target) -> None:
    old = spec(target.config, binding(THINGS, "things"))
    applied(target.make(), old)
    new = spec(target.config, binding(collection(ID, NAME, key=("/name",)), "things", backfill=1))

    applied(target.make(), new, old)
    stored(target, new, {"id": 1, "name": "a"}, {"id": 1, "name": "b"})
    assert target.rows("name") == [("a",), ("b",)]


@pytest.mark.parametrize("delta", [False, True])
def test_a_table_that_is_gone_is_stored_again_by_a_backfill_and_never_left_empty(target: Target, delta: bool) -> None:
    old = spec(target.config, binding(THINGS, "things", delta=delta))
    applied(target.make(), old)
    stored(target, old, {"id": 1, "name": "a"})
    place_ = target.dialect.qualified((target.schema, "things"))
    target.run(f"drop table {place_}")
    for last in (old, spec(target.config, inactive=old.bindings)):
        constraints = validated(target.make(), old, last)[0].constraints
        assert (constraints["id"].type, constraints["name"].type) == ("INCOMPATIBLE", "LOCATION_RECOMMENDED")
        assert "gone, or is not where the config says" in constraints["id"].reason
        with pytest.raises(ConnectorError, match=r"things is gone, .*; raise the backfill counter of its binding"):
            applied(target.make(), old, last)
        assert target.types() == {}

    again = spec(target.config, binding(THINGS, "things", delta=delta, backfill=1))
    assert validated(target.make(), again, old)[0].constraints["id"].type == "LOCATION_REQUIRED"
    for _ in range(2):  # killed before the runtime heard of the first one
        applied(target.make(), again, old)
    stored(target, again, {"id": 2, "name": "b"})
    assert target.rows("id") == [(2,)]


def test_a_table_of_checkpoints_that_is_gone_is_made_anew_when_all_documents_are_stored_again(target: Target) -> None:
    old = spec(target.config, binding(THINGS, "things"), binding(THINGS, "others"))
    applied(target.make(), old)
    stored(target, old, {"id": 1, "name": "a"})
    target.run(f"drop table {target.dialect.qualified((target.schema, 'flow_checkpoints_v1'))}")
    one = spec(target.config, binding(THINGS, "things", backfill=1), binding(THINGS, "others"))
    for wanted in (old, one):
        with pytest.raises(
            ConnectorError,
            match=r"flow_checkpoints_v1, which .* last transaction could be lost .* of all materializations that share",
        ):
            applied(target.make(), wanted, old)
    assert target.rows("id") == [(1,)]

    both = spec(target.config, binding(THINGS, "things", backfill=1), binding(THINGS, "others", backfill=1))
    applied(target.make(), both, old)
    stored(target, both, {"id": 2, "name": "b"})
    assert target.rows("id") == [(2,)]


def test_a_column_that_somebody_dropped_is_told_on_opening_and_made_by_what_is_advised(target: Target) -> None:
    old = spec(target.config, binding(THINGS, "things"))
    applied(target.make(), old)
    target.run(f"alter table {target.dialect.qualified((target.schema, 'things'))} drop column name")
    with pytest.raises(ConnectorError, match=r"column 'name' is missing, .*; undo that, or raise the backfill counter"):
        Session(target.make(), old)

    again = spec(target.config, binding(THINGS, "things", backfill=1))
    applied(target.make(), again, old)
    stored(target, again, {"id": 1, "name": "a"})
    assert target.rows("id", "name") == [(1, "a")]


def test_a_binding_whose_first_apply_was_killed_is_applied_again(target: Target) -> None:
    """The runtime's spec before is that of the last apply that ended."""
    others = spec(target.config, binding(THINGS, "others"))
    applied(target.make(), others)
    wanted = spec(target.config, binding(THINGS, "others"), binding(THINGS, "things"))

    assert any("create table" in action for action in applied(target.make(), wanted, others))
    assert applied(target.make(), wanted, others) == NOTHING


def test_delta_updates_may_begin_at_any_time_and_end_with_a_backfill(target: Target) -> None:
    old = spec(target.config, binding(THINGS, "things"))
    applied(target.make(), old)
    stored(target, old, {"id": 1, "name": "a"})
    deltas = spec(target.config, binding(THINGS, "things", delta=True))
    applied(target.make(), deltas, old)
    stored(target, deltas, {"id": 1, "name": "b"})
    assert target.rows("id", "name", order="2") == [(1, "a"), (1, "b")]
    assert validated(target.make(), old, deltas)[0].constraints["id"].type == "INCOMPATIBLE"

    again = spec(target.config, binding(THINGS, "things", backfill=1))
    applied(target.make(), again, deltas)
    stored(target, again, {"id": 1, "name": "c"})
    stored(target, again, {"id": 1, "name": "d"})
    assert target.rows("id", "name") == [(1, "d")]


def test_tables_of_others_are_left_alone(target: Target) -> None:
    other = spec(target.config, binding(THINGS, "things"), name="acmeCo/other")
    applied(target.make(), other)
    mine = spec(target.config, binding(THINGS, "things"))
    assert validated(target.make(), mine)[0].constraints["id"].type == "FIELD_REQUIRED"  # it is empty
    stored(target, other, {"id": 1, "name": "a"})

    with pytest.raises(ConnectorError, match=r"things exists and holds documents that this task did not store"):
        validated(target.make(), mine)
    flags = {"advanced": {"feature_flags": "allow_existing_tables_for_new_bindings"}}
    assert validated(target.make(), spec({**target.config, **flags}, binding(THINGS, "things")))


def test_names_that_cannot_be_are_forbidden_or_refused(target: Target) -> None:
    long, exact = "n" * (target.dialect.name_bytes_max + 1), "é" * (target.dialect.name_bytes_max // 2)
    source = collection(ID, *(place(f"/{name}", "string", field=name) for name in (long, exact, "x\0", "ctid")))
    (answer,) = validated(target.make(), spec(target.config, binding(source, "things")))

    types = {field: each.type for field, each in answer.constraints.items()}
    assert (types[long], types[exact], types["x\0"]) == ("FIELD_FORBIDDEN", "LOCATION_RECOMMENDED", "FIELD_FORBIDDEN")
    assert types["ctid"] == ("FIELD_FORBIDDEN" if target.name == "postgres" else "LOCATION_RECOMMENDED")
    for table in (long, "flow_checkpoints_v1", "\0"):
        with pytest.raises(ConnectorError, match="binding 0: there can be no table"):
            validated(target.make(), spec(target.config, binding(THINGS, table)))


def test_columns_of_any_name_are_added_and_changed(target: Target) -> None:
    names = nasty_names(target)
    first, last = names[:-1], names[-1]
    small = [place(f"/{index}", "integer", field=name, minimum=0, maximum=9) for index, name in enumerate(first)]
    keyed = place("/k", "string", field='"{0} %s')
    old = spec(target.config, binding(collection(keyed, *small, key=("/k",)), 'things {0}%s"?1'))
    applied(target.make(), old)
    stored(target, old, {"k": "a", **{str(index): 7 for index in range(len(first))}})
    texts = [place(f"/{index}", "string", "null", field=name, exists="MAY") for index, name in enumerate(names)]
    new = spec(target.config, binding(collection(keyed, *texts, key=("/k",)), 'things {0}%s"?1'))

    constraints = validated(target.make(), new, old)[0].constraints
    assert {constraints[name].type for name in names} == {"LOCATION_RECOMMENDED"}
    actions = "\n".join(applied(target.make(), new, old))
    assert f"add column {last}" in actions
    assert applied(target.make(), new, new) == NOTHING
    stored(target, new, {"k": "b", "0": "text"})
    table = 'things {0}%s"?1'
    assert target.rows(*names, table=table) == [("7",) * len(first) + (None,), ("text",) + (None,) * (len(names) - 1)]

    deltas = spec(target.config, binding(collection(keyed, *texts, key=("/k",)), 'things {0}%s"?1', delta=True))
    applied(target.make(), deltas, new)
    stored(target, deltas, {"k": "b"})
    assert len(target.rows(table=table)) == 3


def test_columns_that_differ_by_case_alone(target: Target) -> None:
    source = collection(ID, place("/a", "string"), place("/A", "string"))
    wanted = spec(target.config, binding(source, "things"))
    (answer,) = validated(target.make(), wanted)
    assert answer.case_insensitive_fields == target.dialect.case_insensitive
    if not target.dialect.case_insensitive:
        applied(target.make(), wanted)
        stored(target, wanted, {"id": 1, "a": "x", "A": "y"})
        assert target.rows("a", "A") == [("x", "y")]
        return

    assert answer.constraints["A"].folded_field == "a"
    with pytest.raises(ConnectorError, match="the fields 'A' and 'a' would be the same column"):
        applied(target.make(), wanted)


def test_names_that_only_unicode_calls_alike_are_different(target: Target) -> None:
    source = collection(ID, *(place(f"/{name}", "string", field=name) for name in ("Ä", "ä", "\u212a", "k", "Σ", "ς")))
    wanted = spec(target.config, binding(source, "Ö"), binding(THINGS, "ö"))
    (answer, _) = validated(target.make(), wanted)
    assert not [name for name, each in answer.constraints.items() if each.folded_field not in ("", name)]
    applied(target.make(), wanted)
    assert applied(target.make(), wanted, wanted) == NOTHING
    session = Session(target.make(), wanted)
    session.transaction({"id": 1, "Ä": "1", "ä": "2", "\u212a": "3", "k": "4", "Σ": "5", "ς": "6"})
    session.transaction({"id": 2, "name": "a"}, binding=1)
    session.end()

    assert target.rows("Ä", "ä", "\u212a", "k", "Σ", "ς", table="Ö") == [("1", "2", "3", "4", "5", "6")]
    assert target.rows("name", table="ö") == [("a",)]


def test_schemas_that_differ_by_case_alone_are_made_once(target: Target) -> None:
    if target.name == "sqlite":  # a SQLite file has one schema
        return
    first = spec(target.config, binding(THINGS, "shop", "things"))
    applied(target.make(), first)
    again = spec(target.config, binding(THINGS, "SHOP", "things"))

    made = "create schema SHOP" in applied(target.make(), again)
    assert made == (not target.dialect.case_insensitive)


def test_two_bindings_cannot_have_one_table(target: Target) -> None:
    same = "THINGS" if target.dialect.case_insensitive else "things"
    wanted = spec(target.config, binding(THINGS, "things"), binding(THINGS, same))

    with pytest.raises((ConnectorError, ConfigError), match=r"both store to the table|no other binding stores to"):
        validated(target.make(), wanted)


def test_schemas_are_made_where_the_resource_names_one(target: Target) -> None:
    if target.name == "sqlite":
        (answer,) = target.make().answer(wire.Spec())
        assert "x-schema-name" not in str(answer)  # a SQLite file has one schema
        return
    wanted = spec(target.config, binding(THINGS, 'a "schema"', "things"), binding(THINGS, "things"))
    actions = applied(target.make(), wanted)
    session = Session(target.make(), wanted)
    session.transaction({"id": 1, "name": "there"})
    session.end()

    assert 'create schema a "schema"' in actions
    assert target.rows("name") == []
    assert target._replace(schema='a "schema"').rows("name") == [("there",)]
    with pytest.raises(ConnectorError, match="both store to the table"):
        validated(target.make(), spec(target.config, binding(THINGS, target.schema, "t"), binding(THINGS, "t")))


def test_nullable_keys_are_refused(target: Target) -> None:
    wanted = spec(target.config, binding(collection(place("/id", "integer", "null")), "things"))

    with pytest.raises(ConnectorError, match="the key field 'id' at /id: it may be null or missing"):
        validated(target.make(), wanted)


def test_a_database_that_cannot_be_reached_is_one_sentence(target: Target) -> None:
    wrong = {"address": "127.0.0.1:1"} if target.name == "postgres" else {"path": "/nowhere/at/all"}
    request = wire.Apply(materialization=spec({**target.config, **wrong}, binding(THINGS, "things")))

    with pytest.raises(ConfigError, match=r"^config /(path|address): got .*, want a ") as failure:
        list(target.make().answer(request))
    assert "\n" not in str(failure.value)
    assert "secret" not in str(failure.value)
