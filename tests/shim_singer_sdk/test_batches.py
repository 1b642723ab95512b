from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from python.protocol.errors import ConnectorError
from python.shim_singer_sdk.batches import records_of
from tests.singer_messages import Sync, target


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


def test_a_file_is_kept_until_it_was_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1}\n{"id"\n')

    with pytest.raises(ConnectorError, match=r"a\.jsonl, line 2: .*not JSON"):
        list(records_of(batch(file)))
    assert file.exists()


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
