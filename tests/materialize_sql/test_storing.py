"""What every SQL materialization does with documents, on the databases themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from python.materialize_requests import Store
from python.protocol.errors import ConnectorError
from python.protocol.flow import MaterializationSpec
from tests.materialize_sql.targets import Target, nasty_names
from tests.materializing import FULL, HIGH, LOW, Session, applied, binding, collection, place, spec

ID = place("/id", "integer")
NAME = place("/name", "null", "string", exists="MAY")
THINGS = collection(ID, NAME)


def prepared(target: Target, *more: Any, **config: Any) -> MaterializationSpec:
    wanted = spec({**target.config, **config}, *(more or (binding(THINGS, "things"),)))
    applied(target.make(), wanted)
    return wanted


def test_documents_are_stored_loaded_and_replaced(target: Target) -> None:
    session = Session(target.make(), prepared(target))
    session.transaction(b'{"id": 1,"name":"a"}', b'{"id":2}', checkpoint='{"n": 1.10}')
    loaded = session.load([1], [3], [2])
    session.store(b'{"id":2,"name":"c"}', exists=True)
    session.store(b'{"id":3,"name":null}')
    session.commit('{"n":2}')
    session.end()

    assert sorted(loaded) == [b'{"id": 1,"name":"a"}', b'{"id":2}']
    assert target.rows("id", "name") == [(1, "a"), (2, "c"), (3, None)]
    assert Session(target.make(), prepared(target)).checkpoint == '{"n":2}'


def test_a_checkpoint_comes_back_byte_for_byte(target: Target) -> None:
    wanted = prepared(target)
    text = '{ "sources":{"a;\\u0000\'\\"":1.10},"é": 18446744073709551617}'
    session = Session(target.make(), wanted)
    assert session.checkpoint == ""
    session.transaction(checkpoint=text)
    session.end()

    assert Session(target.make(), wanted).checkpoint == text


def test_nothing_is_visible_before_the_commit(target: Target) -> None:
    session = Session(target.make(), prepared(target))
    session.load()
    session.store({"id": 1})
    session.connector._transactions._stored()  # type: ignore[union-attr] # it is open

    assert target.rows("id") == []
    session.commit("{}")
    session.end()
    assert target.rows("id") == [(1,)]


def test_deleted_documents_stay_as_documents_that_say_so(target: Target) -> None:
    session = Session(target.make(), prepared(target))
    session.transaction({"id": 1, "name": "a"}, {"id": 2})
    session.transaction({"id": 1, "name": "gone"}, exists=True, delete=True)
    session.end()

    assert target.rows("id", "name") == [(1, "gone"), (2, None)]


def test_hard_deletes_delete(target: Target) -> None:
    session = Session(target.make(), prepared(target, hard_delete=True))
    session.transaction({"id": 1, "name": "a"}, {"id": 2}, {"id": 3})
    session.load()
    session.store({"id": 1}, {"id": 9}, delete=True, exists=True)
    session.store({"id": 2, "name": "b"}, exists=True)
    session.commit("{}")
    session.end()

    assert target.rows("id", "name") == [(2, "b"), (3, None)]


def test_a_document_that_was_said_not_to_exist_replaces_one_that_does(target: Target) -> None:
    session = Session(target.make(), prepared(target))
    session.transaction({"id": 1, "name": "a"})
    session.transaction({"id": 1, "name": "b"}, exists=False)
    session.end()

    assert target.rows("id", "name") == [(1, "b")]


def test_what_a_table_held_before_is_asked_for_and_not_written_over(target: Target) -> None:
    """Its keys are new to the runtime, which would ask for none of them."""
    table, dialect = target.dialect.qualified((target.schema, "things")), target.dialect
    integer, text = (dialect.types[kind][0].name for kind in ("integer", "string"))
    assert not Session(target.make(), prepared(target, binding(THINGS, "other"))).wants_all_loads
    target.run(f"create table {table} (id {integer}, name {text})")
    target.run(f"insert into {table} values (1, 'theirs'), (2, 'no document')")  # noqa: S608 -- a quoted name
    flags = {"advanced": {"feature_flags": "allow_existing_tables_for_new_bindings"}}
    wanted = prepared(target, **flags)
    target.run(f'update {table} set flow_document = \'{{"id":1,"name":"theirs"}}\' where id = 1')  # noqa: S608 -- same

    session = Session(target.make(), wanted)
    assert session.wants_all_loads
    assert session.load([1], [2], [3]) == [b'{"id":1,"name":"theirs"}']
    session.store({"id": 2, "name": "mine"}, exists=False)
    session.commit("{}")
    session.end()
    assert target.rows("id", "name") == [(1, "theirs"), (2, "mine")]


def test_delta_updates_add_every_document(target: Target) -> None:
    session = Session(target.make(), prepared(target, binding(THINGS, "things", delta=True), hard_delete=True))
    session.transaction({"id": 1, "name": "a"})
    session.transaction({"id": 1, "name": "b"})
    session.transaction({"id": 1, "name": "c"}, delete=True)
    session.end()

    assert target.rows("id", "name", order="2") == [(1, "a"), (1, "b"), (1, "c")]


def test_bindings_are_stored_side_by_side_and_the_document_may_be_left_out(target: Target) -> None:
    pairs = collection(place("/a", "string"), place("/b", "boolean"), place("/v", "integer"), key=("/a", "/b"))
    deltas = binding(THINGS, "log", delta=True, exclude=("flow_document",))
    session = Session(target.make(), prepared(target, deltas, binding(pairs, "pairs")))
    session.load()
    session.store({"id": 1})
    session.store(
        {"a": "x", "b": True, "v": 1}, {"a": "x", "b": False, "v": 2}, {"a": "y", "b": True, "v": 3}, binding=1
    )
    session.store({"id": 2})
    session.commit("{}")
    loaded = session.load(["x", True], ["y", False], ["y", True], binding=1)
    session.commit("{}")
    session.end()

    assert sorted(map(json.loads, loaded), key=str) == [{"a": "x", "b": True, "v": 1}, {"a": "y", "b": True, "v": 3}]
    assert [value for (value,) in target.rows("v", table="pairs")] == [1, 2, 3]
    assert target.rows(table="log") == [(1, None), (2, None)]


def test_names_of_any_kind_are_names_and_nothing_else(target: Target) -> None:
    names = nasty_names(target)
    fields = [place(f"/{index}", "string", field=name) for index, name in enumerate(names)]
    key = place("/k", "string", field="group by")
    source = collection(key, *fields, key=("/k",), name="acmeCo/'\"; drop table x")
    bindings = [binding(source, name) for name in names]
    wanted = prepared(target, *bindings, binding(THINGS, "things"))
    session = Session(target.make(), wanted)
    doc = {"k": "k", **{str(index): name for index, name in enumerate(names)}}
    session.load()
    for index in range(len(names)):
        session.store(doc, binding=index)
    session.commit("{}")
    loaded = session.load(["k"], binding=1)
    session.commit("{}")
    session.end()

    for name in names:
        assert target.rows(*names, table=name) == [tuple(names)]
    assert json.loads(loaded[0]) == doc
    assert applied(target.make(), wanted, wanted) == []


def test_an_older_session_of_the_same_range_is_fenced_off(target: Target) -> None:
    wanted = prepared(target)
    zombie = Session(target.make(), wanted)
    zombie.transaction({"id": 1}, checkpoint='{"n":1}')
    zombie.load()
    zombie.store({"id": 1, "name": "zombie"}, {"id": 2, "name": "zombie"})
    session = Session(target.make(), wanted)
    session.transaction({"id": 1, "name": "new"}, checkpoint='{"n":2}')

    with pytest.raises(ConnectorError, match=r"another session of acmeCo/target has taken over .* 00000000-ffffffff"):
        zombie.commit('{"n":3}')
    session.end()
    assert target.rows("id", "name") == [(1, "new")]
    assert Session(target.make(), wanted).checkpoint == '{"n":2}'


@pytest.mark.parametrize("key", [("/id",), ("/id", "/name")])
def test_a_session_of_the_spec_before_is_fenced_off_by_an_apply_that_changes_its_table(
    target: Target, key: tuple[str, ...]
) -> None:
    named = place("/name", "string")
    old = prepared(target, binding(collection(ID, named), "things"))
    low, high = Session(target.make(), old, LOW), Session(target.make(), old, HIGH)
    low.transaction({"id": 1, "name": "old"}, checkpoint='{"n":1}')
    for session in (low, high):
        session.load()
        session.store({"id": 1, "name": "zombie"}, {"id": 2, "name": "zombie"})
    new = spec(target.config, binding(collection(ID, named, key=key), "things", backfill=1))
    assert any("for a backfill" in action for action in applied(target.make(), new, old))

    for session in (low, high):
        with pytest.raises(ConnectorError, match=r"taken over the key range .*its transaction was not stored"):
            session.commit('{"n":2}')
    assert target.rows("id") == []
    assert Session(target.make(), new, LOW).checkpoint == '{"n":1}'


def test_an_apply_that_changes_nothing_leaves_the_session_in_peace(target: Target) -> None:
    wanted = prepared(target)
    session = Session(target.make(), wanted)
    assert applied(target.make(), wanted, wanted) == []
    session.transaction({"id": 1})

    assert target.rows("id") == [(1,)]


def test_shards_take_over_the_checkpoint_when_they_split_and_join(target: Target) -> None:
    wanted = prepared(target)
    whole = Session(target.make(), wanted)
    whole.transaction({"id": 1}, checkpoint='{"n":1}')
    low, high = Session(target.make(), wanted, LOW), Session(target.make(), wanted, HIGH)
    assert (low.checkpoint, high.checkpoint) == ('{"n":1}', '{"n":1}')
    with pytest.raises(ConnectorError, match="taken over"):
        whole.transaction({"id": 1, "name": "zombie"})
    low.transaction({"id": 2}, checkpoint='{"n":2}')

    with pytest.raises(ConnectorError, match="not come equally far"):
        Session(target.make(), wanted, FULL)
    high.transaction({"id": 3}, checkpoint='{"n":2}')
    assert Session(target.make(), wanted, FULL).checkpoint == '{"n":2}'
    assert target.rows("id") == [(1,), (2,), (3,)]
    with pytest.raises(ConnectorError, match="taken over"):
        low.transaction({"id": 2, "name": "zombie"})


def test_materializations_of_other_names_share_a_database_and_no_fence(target: Target) -> None:
    mine = prepared(target)
    other = spec(target.config, binding(THINGS, "others"), name="acmeCo/other")
    applied(target.make(), other)
    first = Session(target.make(), mine)
    Session(target.make(), other).transaction({"id": 5}, checkpoint='{"other":1}')
    first.transaction({"id": 1}, checkpoint='{"mine":1}')

    assert target.rows("id") == [(1,)]
    assert target.rows("id", table="others") == [(5,)]


def test_a_value_that_does_not_fit_is_named_and_nothing_is_stored(target: Target) -> None:
    source = collection(ID, place("/ok", "null", "boolean"))
    session = Session(target.make(), prepared(target, binding(source, "things")))
    session.load()
    session.store({"id": 1, "ok": True}, {"id": 2, "ok": "maybe"})

    with pytest.raises(ConnectorError, match="field 'ok' of the document with the key 2 is 'maybe', but the column"):
        session.commit("{}")
    assert target.rows("id") == []


def test_tables_that_are_gone_are_told_on_opening(target: Target) -> None:
    wanted = prepared(target)

    with pytest.raises(ConnectorError, match=r"there is no table .*nowhere; raise the `backfill` counter"):
        Session(target.make(), spec(target.config, *wanted.bindings, binding(THINGS, "nowhere")))
    target.run(f"drop table {target.dialect.qualified((target.schema, 'flow_checkpoints_v1'))}")
    with pytest.raises(ConnectorError, match=r"flow_checkpoints_v1, which says .* counters of all bindings"):
        Session(target.make(), wanted)


def test_the_first_transaction_is_committed_before_the_runtime_hears_of_it(target: Target) -> None:
    """A runtime that is told no checkpoint goes on from its own, which a kill would then have left ahead."""
    session = Session(target.make(), prepared(target))
    session.load()
    transactor = session.connector._transactions._transactor  # type: ignore[union-attr] # it is open
    transactor.store([Store(0, (2,), (None,), b'{"id":2}', False, False)])
    transactor.start_commit(Raw(b"1"))

    assert target.rows("id") == [(2,)]
