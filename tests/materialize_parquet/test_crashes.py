"""materialize-parquet is killed before any of its changes to files, and goes on as if it had not been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.target_suite import Table, Target
from python.acceptance.target_task import Session, Task
from python.protocol.errors import ConnectorError

ID, NAME = {"type": "integer"}, {"type": ["string", "null"]}
THINGS = Table(name="things", properties={"id": ID, "name": NAME})
LOG = Table(name="log", properties={"id": ID}, delta=True)
CHANGES = ("begin", "end", "create", "move", "remove")


class KilledError(BaseException):
    """No handler of errors runs in a process that is killed."""


class Killer:
    """Kills before the change with this number, and lets nothing happen after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from materialize_parquet.folder import Folder

        self.left: int | None = None
        for name in CHANGES:
            monkeypatch.setattr(Folder, name, self._before(getattr(Folder, name)))

    def _before(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def killed_or_changed(*arguments: Any) -> Any:
            if self.left == 0:
                raise KilledError
            if self.left is not None:
                self.left -= 1
            return change(*arguments)

        return killed_or_changed


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    return Killer(monkeypatch)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    from materialize_parquet import MaterializeParquet

    return Target(
        command=(), make=MaterializeParquet, config={"url": str(tmp_path)}, rows=lambda table: read(tmp_path, table)
    )


def read(folder: Path, table: str) -> list[dict[str, Any]]:
    import duckdb

    parts = [str(part) for part in (folder / table).glob("part-*.parquet")]
    if not parts:
        return []
    with duckdb.connect() as db:
        found = db.execute("select * from read_parquet($1, union_by_name = true)", [parts])
        names = [each[0] for each in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def attempts(killer: Killer, do: Callable[[], object]) -> Iterator[int]:
    """Do it again and again, each time killed one change later, until it is not killed; yield after each kill."""
    for survived in range(100):
        killer.left = survived
        try:
            do()
        except KilledError:
            killer.left = None
            yield survived
            continue
        killer.left = None
        return
    raise AssertionError("it is killed forever")


def counted(task: Task, session: Session, upto: int) -> None:
    """Count the keys up, until each was counted so often; what is loaded must be as the checkpoint says."""
    import json

    done = json.loads(bytes(session.checkpoint) or b"0")
    while done < upto:
        loaded = [json.loads(doc) for doc in session.load([1], [2])]
        assert sorted(doc["id"] for doc in loaded) == ([1, 2] if done else [])
        assert {doc["name"] for doc in loaded} <= {str(done)}
        done += 1
        session.store({"id": 1, "name": str(done)}, {"id": 2, "name": str(done)}, exists=done > 1)
        session.store({"id": done}, binding=1)
        session.commit(done)
    session.end()


def test_a_session_that_is_killed_anywhere_is_gone_on_with(target: Target, killer: Killer) -> None:
    task = Task(target)
    task.publish(THINGS, LOG)

    kills = list(attempts(killer, lambda: counted(task, task.open(), upto=3)))
    assert len(kills) > 10
    with task.open() as session:
        assert bytes(session.checkpoint) == b"3"
    assert sorted((int(row["id"]), row["name"]) for row in target.rows("things")) == [(1, "3"), (2, "3")]
    assert sorted(int(row["id"]) for row in target.rows("log")) == [1, 2, 3]


def test_every_second_session_is_killed_a_little_later(target: Target, killer: Killer) -> None:
    """The kills fall on later and later transactions, each of which is finished by the session after."""
    task = Task(target)
    task.publish(THINGS, LOG)
    kills = 0
    for upto in range(1, 25):
        killer.left = upto
        try:
            counted(task, task.open(), upto)
        except KilledError:
            kills += 1
        killer.left = None
        counted(task, task.open(), upto)
        assert {row["name"] for row in target.rows("things")} == {str(upto)}

    assert kills > 10
    assert sorted(int(row["id"]) for row in target.rows("log")) == list(range(1, 25))


def test_an_apply_that_is_killed_anywhere_is_finished_by_the_next_one(target: Target, killer: Killer) -> None:
    task = Task(target)
    other = Table(name="others", properties=THINGS.properties)
    task.publish(THINGS, LOG, other)
    with task.open() as session:
        for binding, table in enumerate((THINGS, LOG, other)):
            session.flush() if not binding else None
            session.store({"id": 1, "name": "a"} if table is not LOG else {"id": 1}, binding=binding)
        session.commit(1)
    wide = Table(name="things", properties={"id": ID, "name": {"type": ["string", "object", "null"]}, "more": NAME})
    tables = (wide, Table(name="log", properties={"id": NAME | {"type": "string"}}, delta=True, backfill=1), other)

    def published() -> list[str]:
        return task.publish(*tables, Table(name="new", properties=THINGS.properties))

    assert len(list(attempts(killer, published))) > 5
    assert published() == []
    with task.open() as session:
        assert session.load([1], binding=2) == [b'{"id":1,"name":"a"}']
        session.store({"id": 2, "name": {"b": 1}, "more": "x"})
        session.store({"id": "x"}, binding=1)
        session.commit(2)
    rows = {int(row["id"]): (row["name"], row["more"]) for row in target.rows("things")}
    assert rows == {1: ('"a"', None), 2: ('{"b":1}', "x")}
    assert [row["id"] for row in target.rows("log")] == ["x"]


def test_apply_finishes_what_was_staged_before_it_changes_a_table(target: Target) -> None:
    task = Task(target)
    task.publish(THINGS, LOG)
    session = task.open()
    session.transaction({"id": 1, "name": "a"})
    session.flush()
    session.store({"id": 1, "name": "b"}, exists=True)
    session.store({"id": 7}, binding=1)
    session.commit(2)  # and no acknowledgement: the process is gone

    told = task.publish(Table(name="things", properties={**THINGS.properties, "more": NAME}), LOG)
    assert told == ["apply what the last transactions have staged", "table things: add column more of type string"]
    assert task.state == {"staged": {}}
    assert [(row["name"], row.get("more")) for row in target.rows("things")] == [("b", None)]
    assert [int(row["id"]) for row in target.rows("log")] == [7]


def test_a_session_of_the_spec_before_applies_nothing_to_a_table_that_was_changed(target: Target) -> None:
    task = Task(target)
    task.publish(THINGS)
    zombie = task.open()
    zombie.transaction({"id": 1, "name": "a"})
    zombie.flush()
    zombie.store({"id": 1, "name": "zombie"})
    task.publish(Table(name="things", properties={**THINGS.properties, "more": NAME}))
    state, task.state = task.state, {}  # what the zombie commits is not the runtime's

    zombie.commit(2)
    with pytest.raises(ConnectorError, match=r"another session has taken over .* its transaction was not applied"):
        zombie.acknowledged()
    task.state = state
    assert [(row["name"], row.get("more")) for row in target.rows("things")] == [("a", None)]


def test_what_was_staged_for_a_table_that_is_filled_anew_is_dropped(target: Target) -> None:
    task = Task(target)
    task.publish(THINGS, LOG)
    session = task.open()
    session.flush()
    session.store({"id": 1, "name": "a"})
    session.store({"id": 7}, binding=1)
    session.commit(1)

    task.publish(THINGS, Table(name="log", properties=LOG.properties, delta=True, backfill=1))
    assert [row["name"] for row in target.rows("things")] == ["a"]
    assert target.rows("log") == []


def test_a_staged_file_that_is_gone_is_told_and_a_backfill_helps(target: Target, tmp_path: Path) -> None:
    task = Task(target)
    task.publish(LOG)
    session = task.open()
    session.transaction({"id": 1})
    for part in (tmp_path / "log" / "_staged").glob("*"):
        part.unlink()

    with pytest.raises(
        Exception, match=r"is gone, which nobody but this materialization may remove .* raise the backfill"
    ):
        task.open().flush()
    task.publish(Table(name="log", properties=LOG.properties, delta=True, backfill=1))
    with task.open() as again:
        again.transaction({"id": 2}, checkpoint=2)
    assert [int(row["id"]) for row in target.rows("log")] == [2]
