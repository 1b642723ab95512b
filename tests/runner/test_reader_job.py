import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from python.protocol.flow import RangeSpec
from python.runner.catalog import CaptureTask, Catalog, LocalEndpoint
from python.runner.catalog_readers import Source as Wanted
from python.runner.jobs import Ledger, Options, Shared
from python.runner.problems import Where
from python.runner.progress import Progress
from python.runner.reader_job import ReaderJob, Told
from python.runner.stop import Stop
from python.runner.store import Store
from python.shell.outlet import Outlet
from tests.runner.test_jobs import HERE, collection


class Reading(ReaderJob):
    """A job that is asked for its batches alone."""

    @property
    def reads(self) -> Sequence[str]:
        return ("a/c",)

    @property
    def writes(self) -> Sequence[str]:
        return ()

    def build(self) -> None:
        pass

    def session(self, ledger: Ledger, owned: RangeSpec) -> None:
        pass


def test_reading_is_told_once_in_a_while() -> None:
    out, now = io.StringIO(), [0.0]
    told = Told(Progress(out), "a/m", lambda: now[0])
    for seconds in (1.0, 2.5, 3.0, 5.0):
        now[0] = seconds
        told.committed(1_000)

    assert out.getvalue().splitlines() == ["a/m: 2,000 documents read, 800/s", "a/m: 4,000 documents read, 800/s"]


@pytest.mark.parametrize("continuous", [True, False])
def test_what_nobody_writes_to_is_followed_only_in_a_continuous_run(tmp_path: Path, continuous: bool) -> None:
    store, stop = Store(str(tmp_path / "store.duckdb")), Stop()
    endpoint = LocalEndpoint(command=("x",), config={}, config_where=HERE, where=HERE)
    task = CaptureTask(name="a/x", endpoint=endpoint, bindings=(), where=HERE)
    said, options = Outlet(io.StringIO(), lambda: None), Options(source="", continuous=continuous)
    shared = Shared(store, Progress(said), stop, said, options, lambda _name, _collections: True)
    catalog = Catalog(source=HERE.file, captures={}, collections={"a/c": collection()}, materializations={}, tests={})
    job, wanted = Reading(task, catalog, shared), Wanted(collection="a/c", where=Where(Path("test.flow.yaml")))
    source = job.source(wanted, job.follow([wanted])["a/c"], "a reader")
    batches = job.batches([source], {})

    if continuous:
        assert [next(batches), next(batches)] == [None, None]
        stop.ask()
    assert list(batches) == []
    store.close()
