"""One row a key: tables whose rows lie in buckets, by the hash of their key, of which a transaction rewrites a few.

The buckets of a table share all hashes between them; one that has grown too large becomes two, by the next bit.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from materialize_parquet.manifest import Bucket
from python.protocol.state_key import key_hash

__all__ = ["HASH_BITS", "Finder", "grouped", "hashes_of", "matching", "parted", "without"]

HASH_BITS = 32
"""The bits of a key's hash; a bucket of as many is not split any more."""


def hashes_of(keys: Sequence[Sequence[Any]]) -> list[int]:
    """Return the hash of each key, given its columns, converted as they are stored."""
    return [key_hash("\0".join(map(str, key))) for key in zip(*keys, strict=True)]


class Finder:
    """Says in which of `buckets`, which share all hashes between them, a hash is."""

    def __init__(self, buckets: Sequence[Bucket]) -> None:
        self.buckets = sorted(buckets, key=_first)
        self._firsts = [_first(bucket) for bucket in self.buckets]

    def at(self, hashed: int) -> int:
        """Return the index in `buckets` of the bucket of a hash."""
        return bisect.bisect_right(self._firsts, hashed) - 1


def _first(bucket: Bucket) -> int:
    return int(bucket.prefix.ljust(HASH_BITS, "0") or "0", 2)


def matching(rows: pa.Table, keys: pa.Table) -> pa.Array:
    """Return, in order, the indexes of those of `rows` whose first columns are one of `keys`.

    Names do not matter: the columns of both are those of the key, in the same order.
    """
    count = keys.num_columns
    if count == 1:
        return pc.indices_nonzero(pc.is_in(rows.column(0), value_set=keys.column(0).combine_chunks()))
    names = [f"key{number}" for number in range(count)]
    indexed = pa.Table.from_arrays(
        [*(rows.column(number) for number in range(count)), pa.array(range(rows.num_rows), pa.int64())],
        names=[*names, "index"],
    )
    found = indexed.join(keys.rename_columns(names), names, join_type="left semi")
    return found.column("index").combine_chunks().sort()


def without(rows: pa.Table, keys: pa.Table) -> pa.Table:
    """Return those of `rows` whose first columns are none of `keys`."""
    gone = matching(rows, keys)
    if not len(gone):
        return rows
    return rows.filter(pc.invert(pc.is_in(pa.array(range(rows.num_rows), pa.int64()), value_set=gone.cast(pa.int64()))))


def parted(prefix: str, rows: pa.Table, count: int, limits: tuple[int, int]) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of the bucket `prefix` in as few buckets as have no more than `limits`: rows, and bytes.

    The key is the first `count` columns.
    """
    rows_max, bytes_max = limits
    fits = rows.num_rows <= rows_max and rows.nbytes <= bytes_max
    if fits or rows.num_rows <= 1 or len(prefix) == HASH_BITS:
        yield prefix, rows
        return
    bit = 1 << (HASH_BITS - 1 - len(prefix))
    hashes = hashes_of([rows.column(number).to_pylist() for number in range(count)])
    high = pa.array([bool(hashed & bit) for hashed in hashes])
    yield from parted(f"{prefix}0", rows.filter(pc.invert(high)), count, limits)
    yield from parted(f"{prefix}1", rows.filter(high), count, limits)


def grouped(weights: Mapping[int, int], weight_max: int) -> Iterable[list[int]]:
    """Yield the keys of `weights` in groups, each of which weighs no more than `weight_max`, or is of one."""
    group: list[int] = []
    total = 0
    for key, weight in weights.items():
        if group and total + weight > weight_max:
            yield group
            group, total = [], 0
        group.append(key)
        total += weight
    if group:
        yield group
