"""Staged materializations, on a stage that is a few dicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from python.materialize_requests import Load, Store
from python.materialize_staged import Stage, Staged, StagedTransactor, drain, overlap, range_key, range_of
from python.protocol.errors import ConnectorError
from python.protocol.flow import FULL_RANGE, ConnectorState, RangeSpec
from python.protocol.materialize import Loaded
from python.protocol.patch import apply_state

LOW, HIGH = RangeSpec(key_end=0x7FFF_FFFF), RangeSpec(key_begin=0x8000_0000, key_end=0xFFFF_FFFF)
ZERO = msgspec.Raw(b"{}")


class Shelf(Stage):
    """Files are lists of keys; what was applied is kept by transaction, so that once more makes no difference."""

    def __init__(self) -> None:
        self.files: dict[str, list[Any]] = {}
        self.applied: dict[str, list[Any]] = {}
        self.closed = False

    def load(self, keys: Sequence[Load]) -> Iterable[Loaded]:
        found = [key for stored in self.applied.values() for key in stored]
        return [Loaded(doc={"id": load.key[0]}) for load in keys if load.key[0] in found]

    def store(self, transaction: str, documents: Sequence[Store]) -> None:
        self.files.setdefault(transaction, []).extend(store.key[0] for store in documents)

    def seal(self, transaction: str) -> Sequence[Any]:
        return [transaction] if transaction in self.files else []

    def apply(self, staged: Staged) -> None:
        for name in staged.files:
            if name in self.files:
                self.applied[name] = self.files[name]
            elif name not in self.applied:
                raise ConnectorError(f"{name} is gone")

    def transactions(self) -> Iterable[str]:
        return list(self.files)

    def discard(self, transaction: str) -> None:
        self.files.pop(transaction, None)

    def close(self) -> None:
        self.closed = True

    @property
    def keys(self) -> list[Any]:
        return sorted(key for stored in self.applied.values() for key in stored)


class Runtime:
    """A runtime that keeps the state."""

    def __init__(self) -> None:
        self.state: Any = {}
        self.sessions = 0

    def open(self, shelf: Shelf, own: RangeSpec = FULL_RANGE) -> StagedTransactor:
        self.sessions += 1
        return StagedTransactor(shelf, own, f"s{self.sessions}", self.state)

    def keep(self, update: ConnectorState | None) -> None:
        if update:
            self.state = apply_state(self.state, update)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


def store(session: StagedTransactor, *keys: int) -> None:
    session.store([Store(0, (key,), (), b"{}", exists=False, delete=False) for key in keys])


def test_documents_are_applied_when_the_transaction_is_acknowledged(shelf: Shelf, runtime: Runtime) -> None:
    session = runtime.open(shelf)
    assert session.acknowledge([]) is None
    store(session, 1, 2)
    store(session, 3)
    runtime.keep(session.start_commit(ZERO))
    assert shelf.keys == []
    assert [*runtime.state["staged"]] == ["00000000-ffffffff"]

    runtime.keep(session.acknowledge([]))
    assert shelf.keys == [1, 2, 3]
    assert (runtime.state, shelf.files) == ({"staged": {}}, {})
    assert [loaded.doc for loaded in session.load([Load(0, (2,)), Load(0, (9,))])] == [{"id": 2}]
    session.close()
    assert shelf.closed


def test_a_new_session_finishes_what_its_state_lists_and_removes_what_nobody_lists(
    shelf: Shelf, runtime: Runtime
) -> None:
    session = runtime.open(shelf)
    store(session, 1)
    runtime.keep(session.start_commit(ZERO))  # committed by the runtime, and killed then
    shelf.files["00000000-ffffffff.s1.000002"] = [2]  # not committed

    again = runtime.open(shelf)
    assert [*shelf.files] == ["00000000-ffffffff.s1.000001"]
    again.acknowledge([])
    assert (shelf.keys, shelf.files) == ([1], {})


def test_an_acknowledgement_may_come_again_when_its_answer_was_lost(shelf: Shelf, runtime: Runtime) -> None:
    session = runtime.open(shelf)
    store(session, 1)
    runtime.keep(session.start_commit(ZERO))
    for _ in range(3):
        assert runtime.open(shelf).acknowledge([]) is not None
    assert shelf.keys == [1]


def test_the_list_of_an_empty_transaction_takes_the_place_of_the_one_before(shelf: Shelf, runtime: Runtime) -> None:
    session = runtime.open(shelf)
    store(session, 1)
    runtime.keep(session.start_commit(ZERO))
    session.acknowledge([])  # its answer is lost
    runtime.keep(session.start_commit(ZERO))

    assert runtime.state == {"staged": {}}
    assert runtime.open(shelf).acknowledge([]) is None


def test_transactions_of_all_sessions_have_names_of_their_own(shelf: Shelf, runtime: Runtime) -> None:
    names = []
    for _ in range(2):
        session = runtime.open(shelf)
        for _ in range(2):
            store(session, 1)
            names += [*shelf.files]
            runtime.keep(session.start_commit(ZERO))
            session.acknowledge([])

    assert len(set(names)) == 4
    assert all(name.startswith(range_key(FULL_RANGE)) for name in names)


def test_shards_leave_the_files_and_the_lists_of_others_alone(shelf: Shelf, runtime: Runtime) -> None:
    low, high = runtime.open(shelf, LOW), runtime.open(shelf, HIGH)
    store(low, 1)
    store(high, 2)
    patches = [low.start_commit(ZERO), high.start_commit(ZERO)]
    for update in patches:
        runtime.keep(update)
    runtime.open(shelf, LOW)
    assert len(shelf.files) == 2

    told = [json.loads(bytes(update.updated)) for update in patches]
    runtime.keep(low.acknowledge(told))
    assert shelf.keys == [1]
    assert [*runtime.state["staged"]] == ["80000000-ffffffff"]
    runtime.keep(high.acknowledge(told))
    assert shelf.keys == [1, 2]


def test_after_a_split_the_shard_where_a_list_begins_finishes_it(shelf: Shelf, runtime: Runtime) -> None:
    whole = runtime.open(shelf)
    store(whole, 1, 2)
    runtime.keep(whole.start_commit(ZERO))

    low, high = runtime.open(shelf, LOW), runtime.open(shelf, HIGH)
    assert high.acknowledge([]) is None
    assert shelf.keys == []
    runtime.keep(low.acknowledge([]))
    assert (shelf.keys, runtime.state) == ([1, 2], {"staged": {}})


def test_after_a_join_the_lists_of_both_are_finished(shelf: Shelf, runtime: Runtime) -> None:
    for own, key in ((LOW, 1), (HIGH, 2)):
        session = runtime.open(shelf, own)
        store(session, key)
        runtime.keep(session.start_commit(ZERO))

    runtime.keep(runtime.open(shelf).acknowledge([]))
    assert (shelf.keys, runtime.state) == ([1, 2], {"staged": {}})


def test_draining_applies_every_list_and_then_there_is_nothing_left(shelf: Shelf, runtime: Runtime) -> None:
    for own, key in ((LOW, 1), (HIGH, 2)):
        session = runtime.open(shelf, own)
        store(session, key)
        runtime.keep(session.start_commit(ZERO))

    runtime.keep(drain(shelf, runtime.state))
    assert (shelf.keys, shelf.files) == ([1, 2], {})
    assert drain(shelf, runtime.state) is None
    assert drain(shelf, None) is None


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"staged": {"00000000-ffffffff": {"transaction": 7, "files": []}}}, r"staged\[\.\.\.\]\.transaction"),
        ({"staged": []}, r"\$\.staged"),
    ],
)
def test_a_state_that_is_none_of_ours_is_refused_in_words(shelf: Shelf, state: Any, told: str) -> None:
    with pytest.raises(ConnectorError, match=f"stored state cannot be read: .*{told}.*raise the backfill counters"):
        StagedTransactor(shelf, FULL_RANGE, "s", state)


def test_ranges_are_named_and_read_back() -> None:
    assert range_of(range_key(LOW) + ".s.000001") == LOW
    assert overlap(FULL_RANGE, LOW)
    assert not overlap(LOW, HIGH)
    with pytest.raises(ConnectorError, match="'x' is no key range"):
        range_of("x.s.1")
