"""Transactions: what is left of them when a materialization is killed, goes on, or runs beside another."""

# ruff: noqa: S101 -- a suite asserts
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from python.acceptance.target import Table, Target
from python.acceptance.target_documents import rows_of, same_documents
from python.acceptance.target_task import Session, Task
from python.protocol import document
from python.protocol import materialize as wire
from python.protocol.errors import HeadwaterError
from python.protocol.flow import RangeSpec

__all__ = ["KILLS"]

_KEYS = range(12)
_COUNTS = Table(name="counts", properties={"id": {"type": "integer"}, "count": {"type": "integer"}})
_LOG = Table(name="log", properties={"id": {"type": "integer"}}, delta=True)
_THINGS = Table(name="things", properties={"id": {"type": "integer"}, "name": {"type": ["string", "null"]}})
_LOW, _HIGH = RangeSpec(key_end=0x7FFF_FFFF), RangeSpec(key_begin=0x8000_0000, key_end=0xFFFF_FFFF)
_STEPS = 12  # of `_counting`


def _killed_between_any_two_messages(target: Target) -> None:
    """Documents and checkpoint are of one transaction, wherever the process is killed; none is lost or stored twice."""
    task = Task(target)
    task.publish(_COUNTS, _LOG)
    for survived in range(_STEPS):
        session = task.open(in_process=False)
        try:
            for _ in _counting(task, session):
                pass
            steps = _counting(task, session)
            for _ in range(survived):
                next(steps)
        finally:
            session.kill()
    session = task.open()
    done = _done(session)
    session.end()
    counts = {int(row["id"] or 0): int(row["count"] or 0) for row in target.rows("counts")}
    assert counts == {key: count for key, count in _expected(done).items() if count}
    assert sorted(int(key or 0) for (key,) in rows_of(target, "id", table="log")) == list(range(1, done + 1))


def _counting(task: Task, session: Session) -> Iterator[None]:
    """Count keys up in one transaction, message by message. What is loaded has to be as the checkpoint says."""
    number = _done(session) + 1
    keys = [key for key in _KEYS if (key * 7 + number) % 3]
    yield
    session.begin()
    yield
    session.ask(*([key] for key in keys[::2]))
    yield
    session.ask(*([key] for key in keys[1::2]))
    yield
    session.acknowledged()
    yield
    session.conversation.send(wire.Flush())
    yield
    loaded = {doc["id"]: doc["count"] for doc in map(document.decode, session.flushed())}  # type: ignore[index] # ours
    before = _expected(number - 1)
    assert loaded == {key: before[key] for key in keys if before[key]}, f"after {number - 1} transactions"
    yield
    counted = [{"id": key, "count": before[key] + 1} for key in keys]
    for doc in counted[::2]:
        session.store(doc, exists=bool(before[doc["id"]]))
    yield
    session.store(*counted[1::2])
    session.store({"id": number}, binding=1)
    yield
    session.start_commit(number)
    yield
    state = session.started()
    yield
    task.keep(state)
    task.checkpoint = session.checkpoint = msgspec.Raw(document.encode([number])[1:-1])
    yield


def _done(session: Session) -> int:
    """How many transactions have committed."""
    return int(str(document.decode(session.checkpoint))) if session.checkpoint else 0


def _expected(done: int) -> dict[int, int]:
    """How often each key has been counted after so many transactions."""
    return {key: sum(1 for number in range(1, done + 1) if (key * 7 + number) % 3) for key in _KEYS}


def _empty_transactions(target: Target) -> None:
    """Transactions without loads, without stores, and without either commit, and change nothing."""
    task, session = Task.opened(target, _THINGS)
    session.transaction({"id": 1, "name": "a"}, checkpoint={"n": 1})
    for number in range(2, 5):
        session.load(*([[1]] if number % 2 else []))
        session.commit({"n": number})
    session.end()
    session = task.open()
    assert document.decode(session.checkpoint) == {"n": 4}
    session.end()
    assert rows_of(target, "id", "name") == [("1", "a")]


def _replayed_acknowledgements(target: Target) -> None:
    """What a transaction has stored is there once, however often its acknowledgement comes again."""
    table = Table(name="log", properties=_THINGS.properties, delta=True)
    task, session = Task.opened(target, _THINGS, table)
    session.transaction({"id": 1, "name": "a"})
    session.flush()
    session.store({"id": 1, "name": "b"}, {"id": 2}, exists=True)
    session.store({"id": 1, "name": "delta"}, binding=1)
    session.commit(2)
    committed = task.state
    session.end()
    for _ in range(3):
        task.state = committed  # the state of acknowledged was lost
        session = task.open()
        same_documents(session.load([1], [2]), [{"id": 1, "name": "b"}, {"id": 2}])
        session.commit(2)
        session.end()
    assert rows_of(target, "id", "name") == [("1", "b"), ("2", None)]
    assert rows_of(target, "id", "name", table="log") == [("1", "delta")]


def _zombies(target: Target) -> None:
    """A session that goes on after another one has taken its place fails, or changes nothing."""
    _taken_over(target, amid=False)


def _zombies_amid_a_commit(target: Target) -> None:
    """The same where the other one has a commit that is not acknowledged yet."""
    _taken_over(target, amid=True)


def _taken_over(target: Target, *, amid: bool) -> None:
    task = Task(target)
    task.publish(_THINGS)
    zombie = task.open(in_process=False)
    try:
        zombie.transaction({"id": 1, "name": "old"})
        zombie.transaction({"id": 1, "name": "older"}, {"id": 3}, checkpoint=2)
        with task.open() as session:
            if _done(session) == 1:  # taken over amid that commit, which the endpoint undid: the runtime reads it again
                session.transaction({"id": 3}, checkpoint=2)
            session.flush()
            session.store({"id": 1, "name": "new"}, {"id": 2, "name": "new"}, exists=True)
            session.commit(3)
            if amid:
                _go_on(zombie)
        _go_on(zombie)
    finally:
        zombie.kill()
    assert rows_of(target, "id", "name") == [("1", "new"), ("2", "new"), ("3", None)]


def _go_on(zombie: Session) -> None:
    """Acknowledge what the zombie has committed, and another transaction, for which the runtime would not ask."""
    try:
        for number in (4, 5):
            zombie.flush()
            zombie.store({"id": 1, "name": "zombie"}, {"id": 2, "name": "zombie"})
            zombie.start_commit(number)
            zombie.started()
    except HeadwaterError:
        return


def _shards(target: Target) -> None:
    """Two processes share the keys of a task, one after the other and at the same time."""
    _shared(target, _THINGS)


def _shards_of_delta_updates(target: Target) -> None:
    """Two processes share the documents of a task with delta updates."""
    _shared(target, Table(name="things", properties=_THINGS.properties, delta=True))


def _shared(target: Target, table: Table) -> None:
    task = Task(target)
    task.publish(table)
    with task.open(_LOW, in_process=False) as low, task.open(_HIGH) as high:
        for number in range(3):
            for session, key in ((low, 1), (high, 2)):
                session.transaction({"id": key * 10 + number, "name": "x"}, checkpoint=number)
    assert rows_of(target, "id", "name") == [(str(key), "x") for key in (10, 11, 12, 20, 21, 22)]


KILLS: Mapping[str, Callable[[Target], Any]] = {
    "killed between any two messages": _killed_between_any_two_messages,
    "empty transactions": _empty_transactions,
    "replayed acknowledgements": _replayed_acknowledgements,
    "zombies": _zombies,
    "zombies amid a commit": _zombies_amid_a_commit,
    "shards": _shards,
    "shards of delta updates": _shards_of_delta_updates,
}
"""The cases, by name."""
