from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from python.protocol.errors import ConnectorError
from python.shim_singer_sdk.batches import records_of
from tests.singer_messages import Sync, activate, record, rows, state, target


def batch(*paths: Path, **encoding: Any) -> dict[str, Any]:
    manifest = [path.as_uri() for path in paths]
    return {"type": "BATCH", "stream": "a", "encoding": {"format": "jsonl", **encoding}, "manifest": manifest}


def test_files_are_read_exactly_and_removed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "with space.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_text('{"id": 1.10}\n\n')
    packed.write_bytes(gzip.compress(b'{"id": 18446744073709551617}\n{"id": 3}'))

    found = [*records_of(batch(plain)), *records_of(batch(packed, compression="gzip"))]

    assert found == [{"id": Decimal("1.10")}, {"id": 2**64 + 1}, {"id": 3}]
    assert list(tmp_path.iterdir()) == []


def test_records_of_a_batch_are_documents_of_its_stream(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1}\n{"id": 2}\n')

    sync = Sync([batch(file)], target("a"))

    assert [doc["id"] for doc in sync.of(0)] == [1, 2]


def test_a_batch_that_no_binding_captures_is_removed_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1}\n')

    assert Sync([batch(file)], target("b")).documents == []
    assert not file.exists()


def test_files_are_removed_where_they_cannot_be_read_or_nobody_reads_on(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for broken in (True, False):
        first.write_text('{"id": 1}\n{"id"\n')
        second.write_text('{"id": 1}\n')
        records = records_of(batch(first, second))
        if broken:
            with pytest.raises(ConnectorError, match=r"a\.jsonl, line 2: .*not JSON"):
                list(records)
        else:
            next(records)
            records.close()  # type: ignore[attr-defined] # it is a generator
        assert list(tmp_path.iterdir()) == []


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    packed = bytearray(gzip.compress(b"".join(b'{"id": %d}\n' % number for number in range(1000))))
    packed[20:40] = b"\xff" * 20
    file.write_bytes(packed)

    with pytest.raises(ConnectorError, match=r"^stream a: (cannot read the batch )?.*a\.jsonl\.gz"):
        list(records_of(batch(file, compression="gzip")))


def test_a_batch_that_cannot_be_read_fails_its_stream_and_no_other(tmp_path: Path) -> None:
    missing = batch(tmp_path / "missing")

    sync = Sync([missing, record("b", {"id": 1}), state(b={"v": 1}), missing], target("a"), target("b", index=1))

    assert [len(sync.of(index)) for index in (0, 1)] == [0, 1]
    assert sync.failure.startswith("1 of 2 streams failed: stream a: cannot read the batch")
    assert sync.sequence[-1] == "checkpoint"
    assert list(sync.stored["bindingStateV1"]) == ["b"]


def test_a_batch_of_another_version_begins_the_table_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1}\n')
    stored = {"bindingStateV1": {"a": {"rowId": 3, "previousRows": 3, "version": 1, "state": {"version": 1}}}}

    def second(method: str, version: int | None) -> list[Any]:
        file.write_text('{"id": 1}\n')
        message = batch(file) if version is None else {**batch(file), "version": version}
        sync = Sync([message, activate("a", 2)][: 1 + bool(version)], rows("a", method), stored=stored)
        return [tuple(doc["_meta"].values()) for doc in sync.of(0)]

    assert second("LOG_BASED", 2) == [("u", 0), ("d", 1), ("d", 2)]
    assert second("FULL_TABLE", None) == [("u", 0), ("d", 1), ("d", 2)]
    assert second("LOG_BASED", None) == [("u", 3)]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"encoding": {"format": "parquet"}}, "format parquet"),
        ({"encoding": {"format": "jsonl", "compression": "zstd"}}, "compression zstd"),
        ({"encoding": {"format": "jsonl"}, "manifest": ["s3://bucket/x"]}, "s3://"),
        ({"encoding": {"format": "jsonl"}, "manifest": ["/nowhere/x"]}, "cannot read the batch /nowhere/x"),
    ],
)
def test_a_batch_that_cannot_be_read_says_what_to_do(message: dict[str, Any], told: str) -> None:
    with pytest.raises(ConnectorError, match=told):
        list(records_of({"type": "BATCH", "stream": "a", **message}))
