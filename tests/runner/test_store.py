import json
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import msgspec
import pytest

from python.protocol import document
from python.protocol.flow import CollectionSpec
from python.runner import layout, task_record
from python.runner import store as store_module
from python.runner.collector import Collector
from python.runner.combiner import Combined, Combiner
from python.runner.store import Store, StoreError, TaskRecord
from python.runner.views import columns_of, quoted

NAME = "acmeCo/users"
TASK = ("acmeCo/source", 0)
SUMMING: dict[str, Any] = {
    "reduce": {"strategy": "merge"},
    "properties": {"n": {"type": "integer", "reduce": {"strategy": "sum"}}},
    "if": {"properties": {"_meta": {"properties": {"op": {"const": "d"}}}}, "required": ["_meta"]},
    "then": {"reduce": {"strategy": "merge", "delete": True}},
}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "store.duckdb")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def declared(store: Store, schema: Any = None, name: str = NAME) -> Collector:
    store.declare({name: (b'{"key":["/id"]}', columns_of(schema or {}))})
    text = msgspec.Raw(json.dumps(schema or {}).encode())
    return Collector(CollectionSpec(name=name, write_schema=text, key=("/id",)))


def combined(collector: Collector, *values: Any) -> Combined:
    combiner = Combiner([collector])
    for value in values:
        combiner.add(0, value if isinstance(value, bytes) else document.encode(value))
    return combiner.take_current()[0]


def commit(store: Store, collector: Collector, *values: Any, record: TaskRecord | None = None) -> None:
    store.commit(TASK, record or TaskRecord(state={}), [collector], [combined(collector, *values)])


def select(db: duckdb.DuckDBPyConnection, columns: str, name: str = NAME) -> list[Any]:
    return db.execute(" ".join(["select", columns, "from", quoted(name), "order by all"])).fetchall()


def stored(path: str) -> list[Any]:
    with duckdb.connect(path) as db:
        return [document.decode(text.encode()) for (text,) in select(db, "flow_document")]


def test_documents_and_state_commit_together_and_survive_closing(store: Store, path: str) -> None:
    record = TaskRecord(state={"cursor": 2**64}, applied="{}", transactions=1, documents=2, sessions=3, error="no")
    commit(store, declared(store), {"id": 1}, {"id": 2}, record=record)
    store.close()
    assert stored(path) == [{"id": 1}, {"id": 2}]
    found = Store(path).task(*TASK)
    assert found == msgspec.structs.replace(record, committed=found.committed)


def test_an_unknown_task_has_an_empty_state(store: Store) -> None:
    assert store.task("acmeCo/none", 0) == TaskRecord(state={})


def test_documents_keep_every_digit_and_their_order_of_members(store: Store) -> None:
    text = b'{"id":1,"z":18446744073709551617,"a":1.10,"big":1e400,"t":"\\u00e9\xc3\xa9\\n"}'
    commit(store, declared(store), text)
    assert select(store._connection(), "flow_document") == [(text.decode(),)]


def test_a_newer_document_replaces_the_one_of_its_key(store: Store, path: str) -> None:
    collector = declared(store)
    commit(store, collector, {"id": 1, "a": 1}, {"id": 2}, {"id": "1"}, {"id": True})
    commit(store, collector, {"id": 1, "b": 2})
    assert store.rows(NAME) == 4
    store.close()
    assert {"id": 1, "b": 2} in stored(path)
    assert {"id": 1, "a": 1} not in stored(path)


def test_documents_reduce_into_what_is_stored(store: Store, path: str) -> None:
    collector = declared(store, SUMMING)
    commit(store, collector, {"id": 1, "n": 2**63, "x": Decimal("1.10")}, {"id": 2, "n": 1})
    commit(store, collector, {"id": 1, "n": 1}, {"id": 3, "n": 5})
    store.close()
    assert stored(path) == [{"id": 1, "n": 2**63 + 1, "x": Decimal("1.10")}, {"id": 2, "n": 1}, {"id": 3, "n": 5}]


def test_a_deletion_removes_the_row_and_is_no_row_itself(store: Store, path: str) -> None:
    collector = declared(store, SUMMING)
    commit(store, collector, {"id": 0, "_meta": {"op": "d"}}, {"id": 1}, {"id": 2})
    commit(store, collector, {"id": 1, "_meta": {"op": "d"}}, {"id": 9, "_meta": {"op": "d"}})
    store.close()
    assert stored(path) == [{"id": 2}]


def test_every_document_of_a_collection_can_be_deleted_and_come_back(store: Store) -> None:
    collector = declared(store, SUMMING)
    commit(store, collector, {"id": 1})
    commit(store, collector, {"id": 1, "_meta": {"op": "d"}})
    assert store.rows(NAME) == 0
    commit(store, collector, {"id": 1})
    assert store.rows(NAME) == 1


def test_staged_parts_commit_with_the_transaction(store: Store, path: str) -> None:
    collector = declared(store, SUMMING)
    commit(store, collector, {"id": 1, "n": 1})
    store.stage([collector], [combined(collector, {"id": 1, "n": 10}, {"id": 2, "n": 1})])
    store.stage([collector], [combined(collector, {"id": 1, "n": 100}, {"id": 2, "_meta": {"op": "d"}})])
    assert store.rows(NAME) == 1
    commit(store, collector, {"id": 1, "n": 1000})
    store.close()
    assert stored(path) == [{"id": 1, "n": 1111}]


def test_what_is_rolled_back_leaves_nothing(store: Store) -> None:
    collector = declared(store)
    store.stage([collector], [combined(collector, {"id": 1})])
    store.roll_back()
    commit(store, collector, {"id": 2})
    assert store.rows(NAME) == 1


def test_what_one_thread_staged_does_not_commit_with_another(store: Store) -> None:
    collector = declared(store)
    thread = threading.Thread(target=lambda: store.stage([collector], [combined(collector, {"id": 1})]))
    thread.start()
    thread.join()
    commit(store, collector, {"id": 2})
    assert store.rows(NAME) == 1


def test_a_key_that_two_threads_commit_has_one_row(store: Store) -> None:
    collector = declared(store)
    other = Combiner([collector])
    other.add(0, b'{"id":1}')
    ready, go = threading.Event(), threading.Event()

    def late() -> None:
        store.stage([collector], other.take_current())
        ready.set()
        go.wait()
        store.commit(("acmeCo/other", 0), TaskRecord(state={}), [collector], [{}])

    thread = threading.Thread(target=late)
    thread.start()
    ready.wait()
    commit(store, collector, {"id": 1})
    go.set()
    thread.join()
    assert store.rows(NAME) == 1


def test_two_bindings_of_one_collection_share_its_rows(store: Store) -> None:
    collector = declared(store)
    both = [combined(collector, {"id": 1, "a": 1}), combined(collector, {"id": 1, "b": 2}, {"id": 2})]
    store.commit(TASK, TaskRecord(state={}), [collector, collector], both)
    assert store.rows(NAME) == 2


def test_a_transaction_that_fails_leaves_documents_and_state_alone(store: Store) -> None:
    collector = declared(store, SUMMING)
    commit(store, collector, {"id": 1, "n": 1}, record=TaskRecord(state={"at": 1}))
    staged = combined(collector, {"id": 2, "n": 2})
    broken = {next(iter(combined(collector, {"id": 1}))): b'{"id":1,"n":"x"}'}
    with pytest.raises(Exception, match="`sum` reduces two numbers"):
        store.commit(TASK, TaskRecord(state={"at": 2}), [collector, collector], [staged, broken])
    assert (store.rows(NAME), store.task(*TASK).state) == (1, {"at": 1})
    commit(store, collector, {"id": 3}, record=TaskRecord(state={"at": 3}))
    assert (store.rows(NAME), store.task(*TASK).state) == (2, {"at": 3})


def test_newlines_between_the_tokens_of_a_document_do_no_harm(store: Store) -> None:
    commit(store, declared(store), b'{"id":1,\n "t":"a"}', {"id": 2})
    assert store.rows(NAME) == 2


def test_keys_with_control_characters_stay_apart(store: Store) -> None:
    collector = declared(store)
    keys = ["a", "a\x00", "a\x00b", "a\nb", "\x01", "\x02", ""]
    for _ in range(2):
        commit(store, collector, *({"id": key} for key in keys))
    assert store.rows(NAME) == len(keys)


def test_a_changed_schema_changes_the_columns(store: Store, path: str) -> None:
    commit(store, declared(store, {"properties": {"id": {"type": "integer"}}}), {"id": 1, "a": "x"})
    declared(store, {"properties": {"id": {"type": "integer"}, "a": {"type": "string"}}})
    store.close()
    with duckdb.connect(path) as db:
        assert select(db, "id, a") == [(1, "x")]


def test_a_changed_key_is_refused(store: Store) -> None:
    declared(store)
    with pytest.raises(StoreError, match=r"by the key \['/id'\], and its spec now says \['/other'\]"):
        store.declare({NAME: (b'{"key":["/other"]}', [])})


def test_names_that_differ_by_case_alone_are_refused(store: Store) -> None:
    declared(store)
    with pytest.raises(StoreError, match="differs from 'acmeCo/Users' by case alone"):
        store.declare({"acmeCo/Users": (b'{"key":["/id"]}', [])})


@pytest.mark.parametrize("name", ['a"b', "a'b/c", "sélect/ß", "headwater/tasks", "main", "select"])
def test_any_name_of_a_collection_names_its_view(store: Store, name: str) -> None:
    collector = declared(store, {"properties": {"id": {"type": "integer"}}}, name)
    commit(store, collector, {"id": 1})
    assert select(store._connection(), "id", name) == [(1,)]


def test_an_integer_column_widens_with_its_values_and_stays_wide(store: Store, path: str) -> None:
    schema = {"properties": {"id": {"type": "integer"}, "n": {"type": ["integer", "null"]}}}
    n = "id, n, typeof(n)"
    collector = declared(store, schema)
    commit(store, collector, {"id": 1, "n": 2**63 - 1})
    assert select(store._connection(), n) == [(1, 2**63 - 1, "BIGINT")]
    commit(store, collector, {"id": 2, "n": 2**64 + 1})
    assert select(store._connection(), n)[1] == (2, 2**64 + 1, "HUGEINT")
    commit(store, collector, {"id": 3, "n": -(10**40)})
    store.close()
    reopened = Store(path)
    declared(reopened, schema)
    values = [2**63 - 1, 2**64 + 1, -(10**40)]
    assert select(reopened._connection(), n) == [
        (number, str(value), "VARCHAR") for number, value in enumerate(values, 1)
    ]


def test_a_widening_that_is_rolled_back_is_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = declared(store, {"properties": {"n": {"type": "integer"}}})

    def full(*_: object) -> None:
        raise duckdb.IOException("No space left on device")

    monkeypatch.setattr(task_record, "save", full)
    with pytest.raises(StoreError, match="nothing of this transaction is in it"):
        commit(store, collector, {"id": 1, "n": 2**70})
    monkeypatch.undo()
    commit(store, collector, {"id": 2, "n": 2**70})
    assert select(store._connection(), "n") == [(2**70,)]


def test_documents_too_large_for_the_first_memory_limit_take_the_next(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MEMORY_LIMITS", ("4MB", "512MB"))
    store = Store(path)
    collector = declared(store)
    commit(store, collector, *({"id": number, "t": "x" * 1_000_000} for number in range(12)))
    assert store.rows(NAME) == 12
    store.close()


def test_documents_too_large_for_every_limit_are_a_sentence_and_not_stored(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MEMORY_LIMITS", ("4MB",))
    store = Store(path)
    collector = declared(store)
    with pytest.raises(StoreError, match="needs more memory"):
        commit(store, collector, *({"id": number, "t": "x" * 1_000_000} for number in range(12)))
    assert store.rows(NAME) == 0
    store.close()


def test_a_newer_layout_is_refused_with_a_sentence(path: str) -> None:
    Store(path).close()
    with duckdb.connect(path) as db:
        db.execute("update headwater.layout set version = 99")
    with pytest.raises(StoreError, match=r"newer headwater \(layout 99, here 3\): update headwater"):
        Store(path)
    duckdb.connect(path).close()


def test_an_older_store_is_migrated_with_all_that_is_in_it(path: str) -> None:
    with duckdb.connect(path) as db:
        for statement in layout._TABLES:
            db.execute(statement)
        db.execute("insert into headwater.layout values (1)")
        db.execute("insert into headwater.collections values (1, 'acmeCo/users', '{\"key\":[\"/id\"]}', '{}')")
        db.execute("create table headwater.documents_1 (key varchar, doc varchar, transaction bigint)")
        for shard in (0, 1):
            db.execute(
                "insert into headwater.tasks values ('acmeCo/source', $1, '{\"at\":1}', '', 3, 4, 5, '')", [shard]
            )
    store = Store(path)
    collector = declared(store)
    store.follow([NAME])
    record = store.task(*TASK)
    commit(store, collector, {"id": 1}, record=record)
    assert (record.state, record.transactions, record.shards, record.kind) == ({"at": 1}, 3, 2, "capture")
    assert [doc for _, _, doc in store.read(NAME, 0, 10)] == [b'{"id":1}']
    store.close()
    Store(path).close()


def test_a_file_that_is_no_store_is_a_sentence(tmp_path: pathlib.Path) -> None:
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no database, but long enough to be looked at" * 500)
    with pytest.raises(StoreError, match="is not a file that this DuckDB can read"):
        Store(str(wrong))
    with pytest.raises(StoreError, match="is a folder: give a file with --store"):
        Store(str(tmp_path))


def run(script: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60, check=False)


def test_a_second_process_on_the_file_gets_a_sentence(store: Store, path: str) -> None:
    assert store.rows is not None
    script = (
        "import sys; from python.runner.store import Store\ntry: Store(sys.argv[1])\nexcept Exception as e: print(e)"
    )
    assert "is in use by another process: wait for it, stop it, or give another file" in run(script, path).stdout


COMMITTING = """
import os, sys, resource, signal
sys.path[:0] = ["tests/runner"]
from test_store import *
store = Store(sys.argv[1])
collector = declared(store)
commit(store, collector, {"id": 0}, record=TaskRecord(state={"at": 0}))
"""


def test_a_full_disk_is_a_sentence_and_nothing_is_half_applied(path: str) -> None:
    script = COMMITTING + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "try: commit(store, collector, *({'id': n, 't': os.urandom(500).hex()} for n in range(1, 9000)), "
        "record=TaskRecord(state={'at': 1}))\n"
        "except StoreError as error: print(error, flush=True)\n"
        "os._exit(0)"
    )
    done = run(script, path)
    assert "cannot be written, and nothing of this transaction is in it" in done.stdout, done
    store = Store(path)
    assert store.rows(NAME) == 1
    assert store.task(*TASK).state == {"at": 0}


def test_a_process_killed_within_a_transaction_leaves_the_last_commit(path: str) -> None:
    script = COMMITTING + (
        "store.stage([collector], [combined(collector, {'id': 1})])\n"
        "task_record.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "commit(store, collector, {'id': 2}, record=TaskRecord(state={'at': 1}))"
    )
    assert run(script, path).returncode == -signal.SIGKILL
    store = Store(path)
    assert (store.rows(NAME), store.task(*TASK).state) == (1, {"at": 0})
