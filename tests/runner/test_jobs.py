import io
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from python.protocol.errors import HeadwaterError
from python.protocol.flow import RangeSpec
from python.runner.catalog import CaptureTask, Catalog, Collection, LocalEndpoint
from python.runner.jobs import Job, Ledger, Options, Shared, all_ended, declared
from python.runner.problems import CatalogError, Where
from python.runner.progress import Progress
from python.runner.stop import Stop
from python.runner.store import Store
from python.shell.outlet import Outlet

HERE = Where(Path("test.flow.yaml"), 7)
WRITE = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def collection(**members: object) -> Collection:
    return Collection(**{"name": "a/c", "key": ("/id",), "write_schema": WRITE, "where": HERE, **members})  # type: ignore[arg-type] # as the tests say


def test_a_read_schema_of_flows_own_references_gives_the_columns_of_the_write_schema() -> None:
    read = {"allOf": [{"$ref": "flow://write-schema"}, {"$ref": "flow://inferred-schema"}]}
    spec, columns = declared(collection(read_schema=read))

    assert spec == b'{"key":["/id"]}'
    assert [(column.name, column.type) for column in columns] == [("id", "BIGINT")]


def test_a_job_that_dies_of_anything_is_a_failure_and_the_others_go_on() -> None:
    done = []

    def breaks() -> None:
        raise KeyError("x")

    def fails() -> None:
        raise HeadwaterError("no luck")

    failures = all_ended({"breaks": breaks, "fails": fails, "works": lambda: done.append(1)})
    by_name = {failure.partition(":")[0]: failure for failure in failures}

    assert done == [1]
    assert by_name["fails"] == "fails: no luck"
    assert by_name["breaks"].startswith("breaks: KeyError: 'x'\nTraceback")


class Working(Job):
    """A job whose sessions do what a test wants."""

    work: Callable[[Ledger, RangeSpec], None] = staticmethod(lambda _ledger, _owned: None)

    @property
    def reads(self) -> Sequence[str]:
        return ()

    @property
    def writes(self) -> Sequence[str]:
        return ()

    def build(self) -> None:
        pass

    def session(self, ledger: Ledger, owned: RangeSpec) -> None:
        self.work(ledger, owned)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "store.duckdb"))
    yield opened
    opened.close()


def job(store: Store, shards: int = 1, told: io.StringIO | None = None) -> Working:
    """`told` gets what a continuous run tells."""
    endpoint = LocalEndpoint(command=("x",), config={}, config_where=HERE, where=HERE)
    task = CaptureTask(name="a/x", endpoint=endpoint, bindings=(), where=HERE)
    said = Outlet(told or io.StringIO(), lambda: None)
    options = Options(source="", shards=shards, continuous=told is not None)
    shared = Shared(store, Progress(said), Stop(), said, options, lambda _name, _collections: True)
    catalog = Catalog(source=HERE.file, captures={}, collections={}, materializations={}, tests={})
    return Working(task, catalog, shared)


def test_a_record_counts_sessions_and_remembers_why_the_last_one_failed(store: Store) -> None:
    def fails(ledger: Ledger, owned: RangeSpec) -> None:
        ledger.change(state={"at": 1}, transactions=1)
        raise HeadwaterError("no luck")

    failing = job(store)
    failing.work = fails
    with pytest.raises(HeadwaterError, match="no luck"):
        failing.run()
    assert (store.task("a/x", 0).sessions, store.task("a/x", 0).error) == (1, "no luck")
    job(store).run()
    record = store.task("a/x", 0)

    assert (record.sessions, record.error, record.state) == (2, "", {"at": 1})


def test_each_shard_has_its_range_and_its_record(store: Store) -> None:
    ranges = []
    sharded = job(store, shards=2)
    sharded.work = lambda ledger, owned: ranges.append((ledger.key[1], owned.key_begin))
    sharded.run()

    assert sorted(ranges) == [(0, 0), (1, 2**31)]
    assert [(name, shard, record.shards) for name, shard, record in store.tasks()] == [("a/x", 0, 2), ("a/x", 1, 2)]


def test_another_number_of_shards_is_refused(store: Store) -> None:
    first = job(store)
    first.work = lambda ledger, _owned: ledger.change(state={"at": 1}, transactions=1)
    first.run()
    with pytest.raises(HeadwaterError, match=r"first run with 1 shards, .* give --shards 1, or another file"):
        job(store, shards=2).run()


def test_what_any_one_shard_has_committed_binds_to_their_number(store: Store) -> None:
    def commits_but_for_the_first(ledger: Ledger, _owned: RangeSpec) -> None:
        if ledger.key[1]:
            ledger.change(transactions=1)

    first = job(store, shards=2)
    first.work = commits_but_for_the_first
    first.run()
    with pytest.raises(HeadwaterError, match=r"first run with 2 shards, .* is now to run with 1: give --shards 2"):
        job(store).run()
    job(store, shards=2).run()


def test_a_continuous_run_tells_at_once_what_is_not_started_again(store: Store) -> None:
    first = job(store)
    first.work = lambda ledger, _owned: ledger.change(transactions=1)
    first.run()
    told = io.StringIO()
    with pytest.raises(HeadwaterError, match="give --shards 1"):
        job(store, shards=2, told=told).run()

    assert told.getvalue().startswith("a/x: failed, and is not started again: it was first run with 1 shards")


def test_a_continuous_run_does_a_failed_session_again(store: Store) -> None:
    def fails_once(ledger: Ledger, _owned: RangeSpec) -> None:
        if ledger.record.sessions == 1:
            raise HeadwaterError("no luck")

    told = io.StringIO()
    again = job(store, told=told)
    again.work = fails_once
    again.shared.stop.wait = lambda _seconds: None  # type: ignore[method-assign,assignment] # nobody waits
    again.run()

    assert told.getvalue() == "a/x: failed, and starts again in 1 s: no luck\n"
    assert (store.task("a/x", 0).sessions, store.task("a/x", 0).error) == (2, "")


class Heard(io.StringIO):
    """What is told; `of` is set as soon as something is not started again."""

    def __init__(self) -> None:
        super().__init__()
        self.of = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if "not started again" in text:
            self.of.set()
        return written


def test_a_shard_that_is_not_started_again_is_told_while_the_others_go_on(store: Store) -> None:
    told, heard = Heard(), list[bool]()

    def first_fails(ledger: Ledger, _owned: RangeSpec) -> None:
        if ledger.key[1] == 0:
            raise CatalogError.at(HERE, "no luck")
        heard.append(told.of.wait(timeout=10))

    failing = job(store, shards=2, told=told)
    failing.work = first_fails
    with pytest.raises(HeadwaterError, match=r"shard 0: test\.flow.yaml:7: no luck"):
        failing.run()

    assert heard == [True]
    assert told.getvalue().splitlines()[0] == (
        "a/x, shard 0: failed, and is not started again: test.flow.yaml:7: no luck"
    )
