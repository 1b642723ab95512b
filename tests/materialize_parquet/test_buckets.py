from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
from materialize_parquet import MaterializeParquet, merging
from materialize_parquet.buckets import Finder, grouped
from materialize_parquet.folder import Folder
from materialize_parquet.manifest import Bucket, ColumnOf, Ledger, Manifest
from materialize_parquet.merging import staged_rows
from materialize_parquet.parts import write_part

from python.acceptance.target_suite import Table, Target
from python.acceptance.target_task import Task

THINGS = Table(
    name="things",
    properties={"a": {"type": "string"}, "b": {"type": "integer"}, "count": {"type": "integer"}},
    key=("/a", "/b"),
    required=("a", "b"),
)


def last(folder: Path) -> Manifest:
    manifest = Ledger(Folder.at(str(folder))).last()
    assert manifest
    return manifest


@pytest.mark.parametrize("hard", [False, True])
def test_many_small_buckets_hold_what_a_dict_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard: bool) -> None:
    monkeypatch.setattr(merging, "BUCKET_ROWS_MAX", 20)
    monkeypatch.setattr(merging, "GROUP_ROWS_MAX", 30)
    chance, wanted = random.Random(7), dict[tuple[str, int], int]()
    config = {"url": str(tmp_path), "hard_delete": hard}
    task = Task(Target(command=(), make=MaterializeParquet, config=config, rows=lambda _table: []))
    task.publish(THINGS)
    for number in range(12):
        with task.open() as session:
            chosen = {(chance.choice("xyz"), chance.randrange(60)) for _ in range(70)}
            loaded = {
                (doc["a"], doc["b"]): doc["count"]
                for doc in map(msgspec.json.decode, session.load(*(list(key) for key in sorted(chosen))))
            }
            assert loaded == {key: wanted[key] for key in chosen if key in wanted}
            gone = {key for key in chosen if hard and key in wanted and key[1] % 5 == number % 5}
            for key in sorted(chosen):
                doc = {"a": key[0], "b": key[1], "count": wanted.get(key, 0) + 1}
                session.store(doc, exists=key in wanted, delete=key in gone)
                wanted[key] = wanted.get(key, 0) + 1
            for key in gone:
                del wanted[key]
            session.commit(number)

    manifest = last(tmp_path / "things")
    assert len(manifest.buckets) > 4
    assert sum(bucket.rows for bucket in manifest.buckets) == len(wanted)
    with duckdb.connect() as db:
        rows = db.execute("select a, b, count from read_parquet($1)", [f"{tmp_path}/things/part-*.parquet"]).fetchall()
    assert {(a, int(b)): int(count) for a, b, count in rows} == wanted
    assert len(rows) == len(wanted)


def test_buckets_share_all_hashes_between_them() -> None:
    finder = Finder([Bucket("11"), Bucket("0"), Bucket("10")])

    found = [finder.buckets[finder.at(hashed)].prefix for hashed in (0, 2**31 - 1, 2**31, 3 * 2**30, 2**32 - 1)]
    assert found == ["0", "0", "10", "11", "11"]
    assert Finder([Bucket()]).at(2**32 - 1) == 0


def test_groups_are_as_large_as_may_be() -> None:
    assert list(grouped({1: 5, 2: 5, 3: 20, 4: 1}, 10)) == [[1, 2], [3], [4]]
    assert list(grouped({}, 10)) == []


def test_only_the_buckets_of_changed_keys_are_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "BUCKET_ROWS_MAX", 10)
    task = Task(Target(command=(), make=MaterializeParquet, config={"url": str(tmp_path)}, rows=lambda _table: []))
    task.publish(THINGS)
    with task.open() as session:
        session.transaction(*({"a": "x", "b": number} for number in range(100)))
    before = {bucket.file for bucket in last(tmp_path / "things").buckets}
    with task.open() as session:
        session.transaction({"a": "x", "b": 5, "count": 1}, checkpoint=2, exists=True)
    after: set[Any] = {bucket.file for bucket in last(tmp_path / "things").buckets}

    assert (len(before - after), len(after - before)) == (1, 1)


@pytest.fixture
def memory() -> Iterator[pa.MemoryPool]:
    """What Arrow takes within a test: its `max_memory` is the most at a time, in bytes."""
    before = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(before)
    pa.set_memory_pool(counted)
    yield counted
    pa.set_memory_pool(before)


def test_a_bucket_that_is_rewritten_is_in_memory_once(tmp_path: Path, memory: pa.MemoryPool) -> None:
    folder = Folder.at(str(tmp_path))
    ids, texts = pa.array(range(100_000), pa.int64()), pa.array([f"{number:0100}" for number in range(100_000)])
    rows = pa.Table.from_arrays([ids, texts], names=["id", "text"])
    size = rows.nbytes
    write_part(folder, "part-old.parquet", rows)
    staged = staged_rows(rows.take([7, 50_000]), 1, [False, True])
    write_part(folder, "staged.parquet", staged)
    columns = (ColumnOf("id", "int64", key=True), ColumnOf("text", "string"))
    bucket = Bucket("", "part-old.parquet", 100_000)
    manifest = Manifest(collection="acmeCo/things", state_key="", delta=False, columns=columns, buckets=(bucket,))
    del rows, texts, ids, staged
    before = memory.bytes_allocated()
    (made,) = merging.merge_into(folder, manifest, "new", "staged.parquet")

    assert made.rows == 99_999
    assert before < size / 10
    assert memory.max_memory() < 1.8 * size  # it would be twice, with the rows that go beside those that stay
