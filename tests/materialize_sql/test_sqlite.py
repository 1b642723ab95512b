"""What only SQLite needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from python.protocol.errors import ConnectorError
from tests.materialize_sql import targets
from tests.materialize_sql.targets import Target
from tests.materializing import Session, applied, binding, collection, place, spec, validated

FLAGS: Any = {"advanced": {"feature_flags": "allow_existing_tables_for_new_bindings"}}
ID, NAME = place("/id", "integer"), place("/name", "string")
THINGS = collection(ID, NAME)
OK = place("/ok", "boolean", "null")


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return targets.sqlite(tmp_path)


def prepared(target: Target, *fields: Any, key: tuple[str, ...] = ("/id",), last: Any = None, **config: Any) -> Any:
    wanted = spec({**target.config, **config}, binding(collection(*fields, key=key), "things"))
    applied(target.make(), wanted, last)
    return wanted


def stored(target: Target, wanted: Any, *documents: Any) -> None:
    session = Session(target.make(), wanted)
    session.transaction(*documents)
    session.end()


def indexes(target: Target) -> list[str]:
    return [name for (name,) in target.query("select name from sqlite_master where type = 'index' order by 1")]


@pytest.mark.parametrize(
    "theirs",
    [
        "(name)",
        "(id, name)",
        "(id) where id > 5",
        "(id collate nocase)",
        "(abs(id))",
    ],
)
def test_an_index_that_does_not_keep_the_keys_unique_is_none_of_ours(target: Target, theirs: str) -> None:
    target.run("create table things (id any, name text)")
    target.run(f"create unique index a_users on things {theirs}")
    wanted = prepared(target, ID, NAME, **FLAGS)
    stored(target, wanted, {"id": 1, "name": "a"})
    stored(target, wanted, {"id": 1, "name": "b"})

    assert target.rows("id", "name") == [(1, "b")]
    assert applied(target.make(), wanted, wanted) == []


def test_an_index_over_exactly_the_key_does_and_none_is_made_beside_it(target: Target) -> None:
    target.run('create table things (a text, id any, name text, primary key (ID, "A"))')
    wanted = prepared(target, place("/a", "string"), ID, NAME, key=("/a", "/id"), **FLAGS)
    stored(target, wanted, {"a": "x", "id": 1, "name": "a"})
    stored(target, wanted, {"a": "x", "id": 1, "name": "b"})

    assert target.rows("id", "name") == [(1, "b")]
    assert not [name for name in indexes(target) if name == "flow_key_things"]


def test_what_a_user_keeps_unique_stays_when_delta_updates_begin(target: Target) -> None:
    old = prepared(target, ID, NAME)
    target.run("create unique index a_users on things (name)")
    new = spec(target.config, binding(THINGS, "things", delta=True))

    assert applied(target.make(), new, old) == ["table main.things: stop keeping keys unique, for delta updates"]
    assert "a_users" in indexes(target)
    assert "flow_key_things" not in indexes(target)
    assert applied(target.make(), new, new) == []


def test_truths_become_words_when_they_become_text(target: Target) -> None:
    old = prepared(target, ID, OK)
    stored(target, old, {"id": 1, "ok": True}, {"id": 2, "ok": False}, {"id": 3})
    new = prepared(target, ID, place("/ok", "boolean", "integer"), last=old)
    stored(target, new, {"id": 4, "ok": 1}, {"id": 5, "ok": True})

    assert target.rows("ok", order="id") == [("true",), ("false",), (None,), ("1",), ("true",)]


@pytest.mark.parametrize(
    ("before", "after"), [(place("/ok", "integer", minimum=0, maximum=1), OK), (OK, place("/ok", "integer"))]
)
def test_truths_and_integers_never_become_each_other(target: Target, before: Any, after: Any) -> None:
    old = prepared(target, ID, before)
    new = spec(target.config, binding(collection(ID, after), "things"))

    assert validated(target.make(), new, old)[0].constraints["ok"].type == "INCOMPATIBLE"
    with pytest.raises(ConnectorError, match=r"column 'ok' is of type .* which cannot become"):
        applied(target.make(), new, old)


def test_a_table_of_an_older_version_has_its_truths_told_from_integers(target: Target) -> None:
    """It has both as INTEGER; which is which, the spec before knows."""
    key, small = place("/k", "boolean"), place("/n", "integer", minimum=0, maximum=1)
    old = spec(target.config, binding(collection(key, OK, small, key=("/k",)), "things"))
    applied(target.make(), old)
    target.run("drop table things")
    target.run("create table things (k INTEGER, n INTEGER, ok INTEGER, flow_document TEXT) strict")
    target.run("create unique index flow_key_things on things (k)")
    stored(target, old, {"k": True, "n": 1, "ok": True})  # before anything is published again
    assert target.rows("k", "n", "ok") == [(1, 1, 1)]

    assert {each.type for each in validated(target.make(), old, old)[0].constraints.values()} == {
        "FIELD_REQUIRED",
        "LOCATION_RECOMMENDED",
    }
    assert applied(target.make(), old, old) == ["table main.things: change column ok from INTEGER to INT"]
    assert applied(target.make(), old, old) == []
    stored(target, old, {"k": False, "n": 1, "ok": False})
    assert target.rows("k", "n", "ok") == [(0, 1, 0), (1, 1, 1)]


def test_a_column_without_a_type_is_none_of_ours(target: Target) -> None:
    """A table that was made by hand may have such, in which text stays text, and everything else what it is."""
    old = prepared(target, ID, place("/name", "string"))
    target.run("drop table things")
    target.run("create table things (id any, name, flow_document text)")

    assert (
        validated(target.make(), old, old)[0]
        .constraints["name"]
        .reason.startswith("the table has it as a column of no")
    )
    with pytest.raises(ConnectorError, match=r"column 'name' is of type none, want "):
        Session(target.make(), old)
    with pytest.raises(ConnectorError, match=r"column 'name' is of type none, which cannot become "):
        applied(target.make(), old, old)


def test_truths_of_an_older_version_become_words_at_once(target: Target) -> None:
    old = prepared(target, ID, OK)
    target.run("drop table things")
    target.run("create table things (id ANY, ok INTEGER, flow_document TEXT) strict")
    target.run("insert into things values (1, 1, '{}'), (2, 0, '{}'), (3, null, '{}')")
    new = spec(target.config, binding(collection(ID, place("/ok", "boolean", "string")), "things"))

    assert validated(target.make(), new, old)[0].constraints["ok"].type == "LOCATION_RECOMMENDED"
    applied(target.make(), new, old)
    assert target.rows("ok", order="id") == [("true",), ("false",), (None,)]


def test_a_column_that_may_be_null_from_now_on_keeps_its_type_and_its_text(target: Target) -> None:
    """A table that was made by hand is not STRICT: there, text in a column of type ANY becomes a number."""
    target.run("create table things (id any, name text not null)")
    target.run("insert into things values (7, '007')")
    optional = place("/name", "string", "null")

    wanted = prepared(target, ID, optional, **FLAGS)

    assert target.rows("name") == [("007",)]
    stored(target, wanted, {"id": 8, "name": None}, {"id": 9, "name": "08"})
    assert target.rows("name", order="id") == [("007",), (None,), ("08",)]
    assert applied(target.make(), wanted, wanted) == []
