import datetime as dt
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from python.protocol.flow import CollectionSpec
from python.runner import store as store_module
from python.runner.collector import Collector
from python.runner.combiner import Combined, Combiner
from python.runner.journal import clock_of, source_name, time_of
from python.runner.reduction import ReductionError
from python.runner.store import Store
from python.runner.task_record import TaskRecord

NAME = "acmeCo/users"
TASK = ("acmeCo/source", 0)
SUMMING: dict[str, Any] = {
    "reduce": {"strategy": "merge"},
    "properties": {"n": {"reduce": {"strategy": "sum"}}},
    "if": {"required": ["gone"]},
    "then": {"reduce": {"strategy": "merge", "delete": True}},
}
NOON = dt.datetime(2024, 1, 31, 12, tzinfo=dt.timezone.utc)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "store.duckdb")


@pytest.fixture
def store(path: str, clock: Clock) -> Iterator[Store]:
    opened = Store(path, clock)
    opened.declare({NAME: (b'{"key":["/id"]}', [])})
    yield opened
    opened.close()


def collector(schema: Any = None) -> Collector:
    return Collector(
        CollectionSpec(name=NAME, write_schema=msgspec.Raw(json.dumps(schema or {}).encode()), key=("/id",))
    )


def combined(own: Collector, *values: Any) -> Combined:
    combiner = Combiner([own])
    for value in values:
        combiner.add(0, json.dumps(value).encode())
    return combiner.take_current()[0]


def commit(store: Store, own: Collector, *values: Any) -> None:
    store.commit(TASK, TaskRecord(state={}), [own], [combined(own, *values)])


def read(store: Store, after: int = 0, rows_max: int = 100) -> list[tuple[int, Any]]:
    return [(number, json.loads(doc)) for number, _, doc in store.read(NAME, after, rows_max)]


def test_a_journal_begins_with_the_documents_that_are_there(store: Store) -> None:
    commit(store, collector(SUMMING), {"id": 1, "n": 1})
    commit(store, collector(SUMMING), {"id": 1, "n": 2})
    store.follow([NAME])

    assert read(store) == [(1, {"id": 1, "n": 3})]
    assert store.journal(NAME).length == 1


def test_a_journal_has_documents_as_they_were_committed_combined_but_not_reduced(store: Store) -> None:
    store.follow([NAME])
    commit(store, collector(SUMMING), {"id": 1, "n": 1}, {"id": 1, "n": 4})
    commit(store, collector(SUMMING), {"id": 1, "n": 2})
    commit(store, collector(SUMMING), {"id": 1, "gone": True})

    assert read(store) == [(1, {"id": 1, "n": 5}), (2, {"id": 1, "n": 2}), (3, {"id": 1, "gone": True})]
    assert store.rows(NAME) == 0


def test_following_again_changes_nothing_and_offsets_survive_closing(store: Store, path: str) -> None:
    store.follow([NAME])
    commit(store, collector(), {"id": 1})
    generation = store.journal(NAME).generation
    store.follow([NAME, NAME])
    store.close()
    again = Store(path)
    commit(again, collector(), {"id": 2})

    assert read(again) == [(1, {"id": 1}), (2, {"id": 2})]
    assert again.journal(NAME).generation == generation
    again.close()


def test_reading_goes_on_after_an_offset_and_is_bounded(store: Store) -> None:
    store.follow([NAME])
    commit(store, collector(), *({"id": number} for number in range(10)))

    assert [number for number, _ in read(store, after=4, rows_max=3)] == [5, 6, 7]
    assert read(store, after=10) == []


def test_every_staged_part_is_in_the_journal_in_its_order(store: Store) -> None:
    own = collector()
    store.follow([NAME])
    store.stage([own], [combined(own, {"id": 1})])
    store.stage([own], [combined(own, {"id": 1, "later": True})])
    commit(store, own, {"id": 2})

    assert read(store) == [(1, {"id": 1}), (2, {"id": 1, "later": True}), (3, {"id": 2})]


def test_a_transaction_that_fails_is_not_in_the_journal(store: Store) -> None:
    own = collector(SUMMING)
    store.follow([NAME])
    commit(store, own, {"id": 1, "n": 1})
    broken = {next(iter(combined(own, {"id": 1}))): b'{"id":1,"n":"x"}'}
    with pytest.raises(ReductionError):
        store.commit(TASK, TaskRecord(state={}), [own], [broken])
    commit(store, own, {"id": 2})

    assert read(store) == [(1, {"id": 1, "n": 1}), (2, {"id": 2})]
    assert store.journal(NAME).length == 2


def test_rows_bear_the_clock_of_their_commit_which_never_goes_back(store: Store, clock: Clock) -> None:
    store.follow([NAME])
    commit(store, collector(), {"id": 1}, {"id": 2})
    clock.now = NOON - dt.timedelta(hours=1)
    commit(store, collector(), {"id": 3})
    clocks = [row[1] for row in store.read(NAME, 0, 10)]

    assert clocks == [clock_of(NOON), clock_of(NOON), clock_of(NOON) + 1]


def test_large_documents_are_followed_and_read_with_more_memory(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MEMORY_LIMITS", ("4MB", "512MB"))
    store = Store(path)
    store.declare({NAME: (b'{"key":["/id"]}', [])})
    own = collector()
    for number in range(12):
        commit(store, own, {"id": number, "t": "x" * 1_000_000})
    monkeypatch.setattr(store, "_larger_limits", ["512MB"])
    store._db.execute("set memory_limit = '6MB'")
    store.follow([NAME])

    assert [number for number, _ in read(store)] == list(range(1, 13))
    store.close()


def test_a_commit_is_told_with_its_time(store: Store) -> None:
    commit(store, collector(), {"id": 1})

    assert store.task(*TASK).committed == "2024-01-31T12:00:00+00:00"


def test_clocks_are_moments_and_back() -> None:
    assert time_of(clock_of(NOON)) == NOON
    assert clock_of(NOON) == (int(NOON.timestamp()) * 10_000_000 + 0x01B21DD213814000) << 4  # as RFC 4122 has it


def test_a_source_is_named_by_journal_and_reader() -> None:
    assert source_name("a/b", "f00", "derive/a/c/t.v1") == "a/b/f00;derive/a/c/t.v1"
