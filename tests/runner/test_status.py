import io
import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import duckdb
import msgspec
import pytest

from python.protocol.errors import HeadwaterError
from python.protocol.flow import CollectionSpec, MaterializationBinding, MaterializationSpec
from python.runner.collector import Collector
from python.runner.combiner import Combiner
from python.runner.journal import source_name
from python.runner.kept import text_of
from python.runner.status import TaskStatus, status, status_lines, written_beside
from python.runner.store import Store, TaskRecord

NAME = "acmeCo/users"
BINDING = MaterializationBinding(collection=CollectionSpec(name=NAME), journal_read_suffix="materialize/m/t")


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "store.duckdb")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    """A store with three documents, of which a materialization has read one."""
    store = Store(path)
    store.declare({NAME: (b'{"key":["/id"]}', [])})
    store.follow([NAME])
    collector = Collector(CollectionSpec(name=NAME, key=("/id",)))
    combiner = Combiner([collector])
    for number in range(3):
        combiner.add(0, b'{"id":%d}' % number)
    record = TaskRecord(state={}, transactions=1, documents=3, sessions=2)
    store.commit(("acmeCo/source", 0), record, [collector], combiner.take_current())
    name = source_name(NAME, store.journal(NAME).generation, BINDING.journal_read_suffix)
    reader = TaskRecord(
        state={},
        kind="materialization",
        applied=text_of(MaterializationSpec(bindings=(BINDING,))),
        offsets={name: 1, "acmeCo/gone/0;materialize/m/gone": 7},
        read=1,
        error="no luck:\n at all",
    )
    store.save(("acmeCo/target", 0), reader)
    yield store
    store.close()


def told(path: str) -> list[TaskStatus]:
    out = io.StringIO()
    status(path, out, as_json=True)
    return [msgspec.json.decode(line, type=TaskStatus) for line in out.getvalue().splitlines()]


def test_the_status_says_what_was_read_and_written_and_how_far_behind_it_is(store: Store, path: str) -> None:
    store.close()
    source, target = told(path)

    assert (source.kind, source.written, source.transactions, source.sessions) == ("capture", 3, 1, 2)
    assert (target.kind, target.read, target.behind, target.error) == ("materialization", 1, 2, "no luck:\n at all")


def test_the_status_is_a_table_for_people(store: Store, path: str) -> None:
    store.close()
    out = io.StringIO()
    status(path, out)
    heading, source, target = out.getvalue().splitlines()

    assert " ".join(heading.split()) == ("task kind read written transactions behind sessions last commit last error")
    assert source.startswith("acmeCo/source  capture")
    assert target.endswith("no luck: at all")


def test_every_shard_has_a_line_and_knows_the_spec(store: Store, path: str) -> None:
    first = store.task("acmeCo/target", 0)
    store.save(("acmeCo/target", 0), msgspec.structs.replace(first, shards=2))
    store.save(("acmeCo/target", 1), msgspec.structs.replace(first, shards=2, applied="", offsets={}))
    store.close()

    assert [(each.task, each.behind) for each in told(path)[1:]] == [
        ("acmeCo/target (shard 0 of 2)", 2),
        ("acmeCo/target (shard 1 of 2)", 3),
    ]


def test_the_status_of_a_store_that_a_run_has_open_is_told_by_that_run(store: Store, path: str) -> None:
    asking = "import sys; from python.runner.status import status; status(sys.argv[1], sys.stdout, as_json=True)"
    with written_beside(store):
        while not pathlib.Path(f"{path}.status.json").exists():
            pass
        done = subprocess.run([sys.executable, "-c", asking, path], capture_output=True, text=True, check=False)

    assert [json.loads(line)["behind"] for line in done.stdout.splitlines()] == [0, 2], done.stderr
    assert not pathlib.Path(f"{path}.status.json").exists()


def test_a_store_that_is_not_there_is_a_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HeadwaterError, match="there is no store"):
        status(str(tmp_path / "none.duckdb"), io.StringIO())


def test_a_store_of_another_layout_is_a_sentence(path: str) -> None:
    Store(path).close()
    with duckdb.connect(path) as db:
        db.execute("update headwater.layout set version = 1")
    with pytest.raises(HeadwaterError, match="was written by another headwater"):
        status(path, io.StringIO())


def test_a_long_error_is_cut() -> None:
    long = TaskStatus(
        task="t", kind="capture", read=0, written=0, transactions=0, behind=0, sessions=0, committed="", error="x" * 999
    )

    assert list(status_lines([long]))[1].endswith("xxx…")
