"""Merging a transaction into a table of one row a key: only the buckets of its keys are rewritten, a few at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from materialize_parquet.buckets import Finder, grouped, hashes_of, matching, parted, without
from materialize_parquet.folder import Folder
from materialize_parquet.manifest import Bucket, ColumnOf, Manifest
from materialize_parquet.parts import conformed, groups, part_name, write_part

__all__ = ["BUCKET_BYTES_MAX", "BUCKET_ROWS_MAX", "GROUP_ROWS_MAX", "Located", "located", "merge_into", "staged_rows"]

BUCKET_ROWS_MAX = 100_000
"""Rows of a bucket: what one changed document makes us rewrite."""
BUCKET_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of a bucket in memory."""
GROUP_ROWS_MAX = 200_000
"""Staged rows that are in memory at once, unless a single bucket has more."""

_HASH, _GONE = "hash", "gone"  # the last two columns of staged files; only their places count


class Located:
    """Those keys of a load that are in one bucket, whose rows are in `file`."""

    def __init__(self, file: str, keys: pa.Table) -> None:
        self.file = file
        self._keys = keys

    def among(self, rows: pa.Table) -> pa.Array:
        """Return the indexes of those of `rows`, of the columns of the key, that are asked for."""
        return matching(rows, self._keys)


def located(buckets: Sequence[Bucket], keys: Sequence[pa.Array]) -> Iterator[Located]:
    """Yield where keys, given by their columns, have their rows, if they have any."""
    finder = Finder(buckets)
    places: dict[int, list[int]] = {}
    for index, hashed in enumerate(hashes_of([column.to_pylist() for column in keys])):
        places.setdefault(finder.at(hashed), []).append(index)
    table = pa.Table.from_arrays(keys, names=[str(number) for number in range(len(keys))])
    for place, indexes in places.items():
        bucket = finder.buckets[place]
        if bucket.file:
            yield Located(bucket.file, table.take(indexes))


def staged_rows(rows: pa.Table, key_columns: int, gone: Sequence[bool]) -> pa.Table:
    """Return `rows` with two more columns: the hash of the key, and whether the row of the key is to go."""
    hashes = hashes_of([rows.column(number).to_pylist() for number in range(key_columns)])
    hashed = rows.append_column(_HASH, pa.array(hashes, pa.uint32()))
    return hashed.append_column(_GONE, pa.array(gone, pa.bool_()))


def merge_into(folder: Folder, manifest: Manifest, transaction: str, staged: str) -> tuple[Bucket, ...]:
    """Write the buckets that a table has with what is in the file `staged`, and return all of its buckets.

    The buckets that they replace stay, for whoever reads them, and for another attempt.
    """
    finder = Finder(manifest.buckets)
    with groups(folder, staged) as file:
        counted = _counted(file, finder)
        made: list[Bucket] = []
        for group in grouped(counted, GROUP_ROWS_MAX):
            for place, rows in _chosen(file, finder, frozenset(group)).items():
                for prefix, part in _rewritten(folder, manifest, finder.buckets[place], rows):
                    name = part_name(transaction, len(made)) if part.num_rows else ""
                    if name:
                        write_part(folder, name, part)
                    made.append(Bucket(prefix, name, part.num_rows))
    kept = [bucket for place, bucket in enumerate(finder.buckets) if place not in counted]
    return tuple(sorted([*kept, *made], key=lambda bucket: bucket.prefix))


def _counted(file: pq.ParquetFile, finder: Finder) -> Counter[int]:
    """Return how many staged rows fall into which bucket, by its index."""
    counted: Counter[int] = Counter()
    for number in range(file.num_row_groups):
        counted.update(map(finder.at, _hashes(file.read_row_group(number, columns=[_HASH]), -1)))
    return counted


def _chosen(file: pq.ParquetFile, finder: Finder, group: frozenset[int]) -> dict[int, pa.Table]:
    """Return the staged rows of some buckets."""
    found: dict[int, list[pa.Table]] = {place: [] for place in group}
    for number in range(file.num_row_groups):
        rows = file.read_row_group(number)
        indexes: dict[int, list[int]] = {}
        for index, hashed in enumerate(_hashes(rows, -2)):
            place = finder.at(hashed)
            if place in group:
                indexes.setdefault(place, []).append(index)
        for place, chosen in indexes.items():
            found[place].append(rows.take(chosen))
    return {place: pa.concat_tables(tables) for place, tables in found.items()}


def _hashes(rows: pa.Table, column: int) -> list[int]:
    return list(rows.column(rows.num_columns + column).to_pylist())


def _rewritten(folder: Folder, manifest: Manifest, bucket: Bucket, staged: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the prefixes and the rows of what a bucket becomes."""
    columns = manifest.columns
    key_columns = sum(column.key for column in columns)
    count = staged.num_columns - 2
    names = staged.column_names[:count]
    newer = conformed(staged.select(range(count)), [_known(name, columns) for name in names], columns)
    stays = newer.filter(pc.invert(staged.column(count + 1)))
    keys = newer.select(range(key_columns))
    rows = pa.concat_tables([*_older(folder, bucket, columns, keys), stays])
    yield from parted(bucket.prefix, rows, key_columns, (BUCKET_ROWS_MAX, BUCKET_BYTES_MAX))


def _older(folder: Folder, bucket: Bucket, columns: Sequence[ColumnOf], keys: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows of a bucket that stay, a row group at a time: what goes is in memory no longer than that."""
    if not bucket.file:
        return
    with groups(folder, bucket.file) as file:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            yield without(conformed(rows, [_known(name, columns) for name in rows.column_names], columns), keys)


def _known(name: str, columns: Sequence[ColumnOf]) -> ColumnOf:
    return next(column for column in columns if column.name == name)
