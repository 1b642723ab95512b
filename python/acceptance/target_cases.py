"""What a materialization does with documents, keys and names."""

# ruff: noqa: S101 -- a suite asserts
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from python.acceptance.target import Table, Target
from python.acceptance.target_documents import rows_of, same_documents
from python.acceptance.target_task import Task
from python.acceptance.target_values import DEEP, DIGITS, LONG
from python.protocol import materialize as wire
from python.protocol.errors import ConnectorError, HeadwaterError

__all__ = ["CASES"]

_ID, _TEXT = {"type": "integer"}, {"type": ["string", "null"]}
_THINGS = Table(name="things", properties={"id": _ID, "name": _TEXT})


def _whole_documents(target: Target) -> None:
    """Documents are loaded as they were stored, with all digits and members, whatever else is in them."""
    docs = [
        b'{ "id" : 1, "n":[1.0,1.10,1E5,-0,%d,%b], "s":"\\u00e9\\/\\ud83e\\udd86 \\u0000" }'
        % (2**64 + 1, DIGITS.encode()),
        b'{"id":2,"":{"":[{}]}," ":null,"a.b":1,"a/b":2,"~0":3,"%s":4,"\\u0000":5,"Id":6,"ID":7}',
        f'{{"id":3,"deep":{DEEP},"long":"{LONG}"}}'.encode(),
        b'{"id":4,"true":"false","null":[null],"empty":"","list":[[],[[]]]}',
    ]
    _, session = Task.opened(target, _THINGS)
    session.transaction(*docs)
    same_documents(session.load([1], [2], [3], [4], [5]), docs)
    session.commit(2)
    session.end()


def _lone_surrogates(target: Target) -> None:
    """Text that is no Unicode is stored as something else, or refused in a sentence; nothing is stored by halves."""
    task, session = Task.opened(target, _THINGS)
    try:
        session.flush()
        session.store({"id": 1, "name": "a"})
        raw = msgspec.Raw
        doc = raw(b'{"id":2,"name":"\\ud800"}')
        session.conversation.send(wire.Store(key=raw(b"[2]"), values=raw(b'["\\ud800"]'), doc=doc))
        session.commit(1)
        session.end()
    except HeadwaterError as error:
        assert "Traceback" not in str(error), error  # noqa: PT017 -- what is raised is one of two right ends
        again = task.open()
        assert again.load([1], [2]) == [], "a transaction that was refused is there in part"
        again.commit(1)
        again.end()
        return
    assert [key for (key,) in rows_of(target, "id")] == ["1", "2"]


def _updates(target: Target) -> None:
    """A document takes the place of the one with its key, whether or not it was said to exist."""
    _, session = Task.opened(target, _THINGS)
    session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "a"}, {"id": 3})
    session.flush()
    session.store({"id": 1, "name": "b"}, exists=True)
    session.store({"id": 2, "name": "c"})
    session.store({"id": 4})
    session.commit(2)
    same_documents(session.load([1], [2]), [{"id": 1, "name": "b"}, {"id": 2, "name": "c"}])
    session.commit(3)
    session.end()
    assert rows_of(target, "id", "name") == [("1", "b"), ("2", "c"), ("3", None), ("4", None)]


def _deletes(target: Target) -> None:
    """Deleted documents stay as they are stored, which says that they were; one that never was is no error."""
    _, session = Task.opened(target, _THINGS)
    session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "a"})
    session.transaction({"id": 1, "name": "gone"}, checkpoint=2, exists=True, delete=True)
    session.end()
    assert rows_of(target, "id", "name") == [("1", "gone"), ("2", "a")]


def _hard_deletes(target: Target) -> None:
    """With the setting for it, the rows of deleted documents go, and may come again."""
    _, session = Task.opened(target, _THINGS, **target.hard_delete)
    session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "a"}, {"id": 3})
    session.flush()
    session.store({"id": 1}, {"id": 9}, exists=True, delete=True)
    session.store({"id": 2, "name": "b"}, exists=True)
    session.commit(2)
    same_documents(session.load([1], [2]), [{"id": 2, "name": "b"}])
    session.commit(3)
    session.transaction({"id": 1, "name": "again"}, checkpoint=4)
    session.end()
    assert rows_of(target, "id", "name") == [("1", "again"), ("2", "b"), ("3", None)]


def _composite_keys(target: Target) -> None:
    """Keys of several parts are told apart by each of them, also where their texts run together."""
    table = Table(
        name="pairs",
        properties={"a": {"type": "string"}, "b": {"type": "boolean"}, "c": _ID, "v": _ID},
        key=("/a", "/b", "/c"),
        required=("a", "b", "c"),
    )
    keys: list[tuple[Any, ...]] = [("x", True, 1), ("x", False, 1), ("x1", True, 1), ("x", True, 11), ("", True, 1)]
    docs = [{"a": a, "b": b, "c": c, "v": index} for index, (a, b, c) in enumerate(keys)]
    _, session = Task.opened(target, table)
    session.transaction(*docs)
    session.load(keys[1])
    session.store({**docs[1], "v": 100}, exists=True)
    session.commit(2)
    same_documents(session.load(*keys, ("y", True, 1)), [docs[0], {**docs[1], "v": 100}, *docs[2:]])
    session.commit(3)
    session.end()
    assert len(target.rows("pairs")) == len(keys)


def _keys_that_look_alike(target: Target) -> None:
    """Keys are equal where they are the same text, not where they look or mean the same."""
    table = Table(
        name="alike",
        properties={"id": {"type": "string", "format": "date-time"}, "m": {"type": ["integer", "string"]}},
        key=("/id", "/m"),
        required=("id", "m"),
    )
    texts = ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00+00:00", "a", "A", "a ", "", "é", "e\u0301", "ß", "ss", "0"]
    keys = [(text, number) for text in texts for number in (1, "1", "01")]
    docs = [{"id": text, "m": number} for text, number in keys]
    _, session = Task.opened(target, table)
    session.transaction(*docs)
    same_documents(session.load(*keys), docs)
    session.commit(2)
    session.end()
    assert len(target.rows("alike")) == len(keys)


def _large_keys(target: Target) -> None:
    """Keys of any size are found again: 2^64 + 1, and a thousand characters."""
    table = Table(
        name="large",
        properties={"id": _ID, "t": {"type": "string"}},
        key=("/id", "/t"),
        required=("id", "t"),
    )
    keys = [(2**64 + 1, ""), (-(2**64), "k" * 1000), (0, "\u0001'\"\\"), (2**53 + 1, "x"), (2**53, "x")]
    docs = [{"id": number, "t": text} for number, text in keys]
    _, session = Task.opened(target, table)
    session.transaction(*docs)
    same_documents(session.load(*keys), docs)
    session.commit(2)
    session.end()


def _zero_in_keys(target: Target) -> None:
    """A key with U+0000 is kept; where an endpoint lacks it, it is refused rather than taken for another key."""
    table = Table(name="zero", properties={"id": {"type": "string"}})
    _, session = Task.opened(target, table)
    session.transaction({"id": "a\0b"}, {"id": "a"}, {"id": "a\ufffdb"})
    same_documents(session.load(["a\0b"]), [{"id": "a\0b"}])
    session.commit(2)
    session.end()


def _packed_keys(target: Target) -> None:
    """Keys and values are understood as packed tuples and as JSON, in one session, and are the same."""
    table = Table(
        name="things", properties={"id": _ID, "t": {"type": "string"}, "v": {}}, key=("/id", "/t"), required=("id", "t")
    )
    docs: list[dict[str, Any]] = [
        {"id": 2**70, "t": "ü\x01", "v": None},
        {"id": -3, "t": "", "v": {"a": [1.5, True]}},
        {"id": 0, "t": "x", "v": "text"},
    ]
    _, session = Task.opened(target, table)
    session.transaction(*docs, as_tuples=True)
    keys = [(each["id"], each["t"]) for each in docs]
    same_documents(session.load(*keys), docs)
    session.store(*docs, exists=True)
    session.commit(2)
    same_documents(session.load(*keys, as_tuples=True), docs)
    session.commit(3)
    session.end()
    assert len(target.rows("things")) == len(docs)


_WORDS = ("select", "order by", "group", "table", "null", "primary key", "user", "rowid", "index")
_QUOTED = (
    '"; drop table things; --',
    "Robert'); --",
    "`;",
    "%s %% $1 ? {} :x",
    "a.b",
    "ünï/cödé 🦆",
    "a\\b\nc\td",
    " ",
)


def _names_of_any_kind(target: Target) -> None:
    """Reserved words, quotes and semicolons are names and nothing else, of tables and of columns."""
    names = (*_WORDS, *_QUOTED)
    tables = [
        Table(name=name, properties={"id": _ID, **{each: {"type": "string"} for each in names}})
        for name in ("select", *_QUOTED[:-1])
    ]
    _, session = Task.opened(target, *tables, _THINGS)
    session.flush()
    for number in range(len(tables)):
        session.store({"id": number, **{name: name for name in names}}, binding=number)
    session.commit(1)
    session.end()
    for number, table in enumerate(tables):
        (row,) = target.rows(table.name)
        fields = {column: value for column, value in row.items() if column not in {"id", "flow_document"}}
        assert int(row["id"]) == number
        assert sorted(fields.values()) == sorted(names), sorted(set(names) - set(fields.values()))
    assert target.rows("things") == []


def _names_that_differ_by_case(target: Target) -> None:
    """Fields whose names differ by case alone are columns of their own."""
    table = Table(name="cases", properties={"id": _ID, "name": _TEXT, "Name": _TEXT, "NAME": _TEXT})
    task, session = Task.opened(target, table)
    assert task.spec
    values = task.spec.bindings[0].field_selection.values
    if len(values) == 1:
        (answer,) = task.validated
        folded = {answer.constraints[each].folded_field for each in ("name", "Name", "NAME")} - {""}
        assert answer.case_insensitive_fields or len(folded) == 1, "fields were left out, and nothing says why"
        raise ConnectorError(f"the endpoint does not tell 'Name' from 'name': only {values[0]!r} is stored")
    session.transaction({"id": 1, "name": "a", "Name": "b", "NAME": "c"})
    session.end()
    assert sorted(rows_of(target, "name", "Name", "NAME", table="cases")) == [("a", "b", "c")]


def _delta_updates(target: Target) -> None:
    """With delta updates each document is a row, and nothing is replaced or deleted."""
    task, session = Task.opened(
        target, Table(name="log", properties=_THINGS.properties, delta=True), **target.hard_delete
    )
    assert task.spec
    assert task.spec.bindings[0].delta_updates
    session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "b"})
    session.transaction({"id": 1, "name": "c"}, checkpoint=2)
    session.transaction({"id": 1, "name": "d"}, checkpoint=3, delete=True)
    session.end()
    assert rows_of(target, "id", "name", table="log") == [("1", "a"), ("1", "c"), ("1", "d"), ("2", "b")]


CASES: Mapping[str, Callable[[Target], None]] = {
    "whole documents": _whole_documents,
    "lone surrogates": _lone_surrogates,
    "updates": _updates,
    "deletes": _deletes,
    "hard deletes": _hard_deletes,
    "composite keys": _composite_keys,
    "keys that look alike": _keys_that_look_alike,
    "large keys": _large_keys,
    "U+0000 in keys": _zero_in_keys,
    "packed and JSON keys": _packed_keys,
    "names of any kind": _names_of_any_kind,
    "names that differ by case": _names_that_differ_by_case,
    "delta updates": _delta_updates,
}
"""The cases, by name."""
