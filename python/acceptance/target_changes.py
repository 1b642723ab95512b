"""What becomes of tables whose collections change between sessions."""

# ruff: noqa: S101 -- a suite asserts
from __future__ import annotations

from collections.abc import Callable, Mapping

from python.acceptance.target import Table, Target
from python.acceptance.target_documents import rows_of, same_documents
from python.acceptance.target_task import Task
from python.protocol.errors import HeadwaterError

__all__ = ["CHANGES"]

_ID, _TEXT = {"type": "integer"}, {"type": ["string", "null"]}
_THINGS = Table(name="things", properties={"id": _ID, "name": _TEXT})


def _new_columns(target: Target) -> None:
    """A field that comes later is a new column, null in the rows from before."""
    task, session = Task.opened(target, _THINGS)
    session.transaction({"id": 1, "name": "a"}, {"id": 2})
    session.end()
    grown = Table(name="things", properties={**_THINGS.properties, "age": {"type": "number"}})
    assert any("age" in line for line in task.publish(grown))
    assert task.publish(grown) == task.publish(grown)
    session = task.open()
    session.transaction({"id": 2, "age": 1.5}, {"id": 3, "age": 2}, checkpoint=2, exists=True)
    same_documents(session.load([1], [2]), [{"id": 1, "name": "a"}, {"id": 2, "age": 1.5}])
    session.commit(3)
    session.end()
    rows = {int(row["id"]): row for row in target.rows("things")}
    ages = {key: row["age"] and float(row["age"]) for key, row in rows.items()}
    assert (ages, rows[1]["name"]) == ({1: None, 2: 1.5, 3: 2.0}, "a")


def _columns_that_become_null(target: Target) -> None:
    """A field that was required may be missing, null, or gone from the schema, later on."""
    strict = Table(
        name="things",
        properties={"id": _ID, "a": {"type": "string"}, "b": {"type": "string"}},
        required=("id", "a", "b"),
    )
    task, session = Task.opened(target, strict)
    session.transaction({"id": 1, "a": "x", "b": "y"})
    session.end()
    task.publish(Table(name="things", properties={"id": _ID, "a": _TEXT}))
    session = task.open()
    session.transaction({"id": 2, "a": None}, {"id": 3}, checkpoint=2)
    session.end()
    assert rows_of(target, "id", "a") == [("1", "x"), ("2", None), ("3", None)]


def _wider_types(target: Target) -> None:
    """A field whose type widens goes on in its column; or it is said not to fit, and a backfill makes it fit."""
    task, session = Task.opened(target, Table(name="things", properties={"id": _ID, "x": {"type": "integer"}}))
    session.transaction({"id": 1, "x": 7})
    session.end()
    wide = {"id": _ID, "x": {"type": ["integer", "string", "object"]}}
    before = [(1, 7)]
    try:
        task.publish(Table(name="things", properties=wide))
    except HeadwaterError as error:
        assert "x" in str(error), error  # noqa: PT017 -- what is raised is one of two right ends
        task.publish(Table(name="things", properties=wide, backfill=1))
        before = []
    session = task.open()
    session.transaction({"id": 2, "x": "seven"}, {"id": 3, "x": {"y": 1}}, checkpoint=2)
    session.end()
    found = sorted((int(row["id"]), row["x"]) for row in target.rows("things"))
    assert [key for key, _ in found] == [*(key for key, _ in before), 2, 3]
    assert all(str(value) == "7" for key, value in found if key == 1), found


def _backfills(target: Target) -> None:
    """A raised backfill counter empties the table, and only that; its types and its key may be others then."""
    other = Table(name="others", properties=_THINGS.properties)
    task, session = Task.opened(target, _THINGS, other)
    session.flush()
    session.store({"id": 1, "name": "old"}, {"id": 2, "name": "old"})
    session.store({"id": 5, "name": "kept"}, binding=1)
    session.commit(1)
    session.end()
    again = Table(name="things", properties={"id": {"type": "string"}, "name": {"type": "boolean"}}, backfill=1)
    task.publish(again, other)
    task.publish(again, other)
    session = task.open()
    assert session.load(["1"]) == []
    session.store({"id": "1", "name": True})
    session.commit(2)
    session.end()
    assert [row["id"] for row in target.rows("things")] == ["1"]
    assert rows_of(target, "id", "name", table="others") == [("5", "kept")]


CHANGES: Mapping[str, Callable[[Target], None]] = {
    "new columns": _new_columns,
    "columns that become null": _columns_that_become_null,
    "wider types": _wider_types,
    "backfills": _backfills,
}
"""The cases, by name."""
