"""`headwater status`: what each task has done, how far behind it is, and why it failed last.

A store that a run has open is nobody else's to read: that run writes what there is to tell beside it, every moment.
"""

from __future__ import annotations

import contextlib
import pathlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

import duckdb
import msgspec

from python.protocol.errors import HeadwaterError
from python.protocol.flow import CollectionSpec, MaterializationBinding, MaterializationSpec, Transform
from python.runner import kept, task_record
from python.runner.journal import source_name
from python.runner.store import LAYOUT, Store, TaskRecord
from python.runner.store_errors import readable_error

__all__ = ["TaskStatus", "status", "status_lines", "written_beside"]

_REFRESH_SECONDS = 1.0
_HEADINGS = ("task", "kind", "read", "written", "transactions", "behind", "sessions", "last commit", "last error")
_RIGHT = frozenset({"read", "written", "transactions", "behind", "sessions"})
_ERROR_CHARACTERS_MAX = 200


class TaskStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell of a task's shard. `behind` counts documents of its sources that it has not read."""

    task: str
    kind: str
    read: int
    written: int
    transactions: int
    behind: int
    sessions: int
    committed: str
    error: str


def status(store_path: str, out: TextIO, *, as_json: bool = False) -> None:
    """Print a line for each task, and for each shard where it has several; with `as_json`, an object a line.

    Raises HeadwaterError where there is no such store, or another program than a run has it open.
    """
    if not pathlib.Path(store_path).is_file():
        raise HeadwaterError(f"there is no store {store_path}: `headwater run` makes it, or name another with --store")
    found = _current(store_path)
    if as_json:
        out.writelines(msgspec.json.encode(each).decode() + "\n" for each in found)
    else:
        out.writelines(f"{line}\n" for line in status_lines(found))


def status_lines(found: list[TaskStatus]) -> Iterator[str]:
    """Yield the lines of a table."""
    rows = [_HEADINGS, *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if heading in _RIGHT else f"{cell:<{width}}"
            for cell, width, heading in zip(row, widths, _HEADINGS, strict=True)
        ]
        yield "  ".join(cells).rstrip()


@contextlib.contextmanager
def written_beside(store: Store) -> Iterator[None]:
    """As long as the `with` lasts, the status is in a file beside the store, and never older than a moment."""
    path = _beside(store.path)
    done = threading.Event()

    def refresh() -> None:
        while not done.is_set():
            with contextlib.suppress(HeadwaterError, OSError):  # a full disk is told by the commits, not by this
                _write(path, _statuses(store.tasks(), store.lengths()))
            done.wait(_REFRESH_SECONDS)

    writer = threading.Thread(target=refresh, name="headwater-status", daemon=True)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()
        path.unlink(missing_ok=True)


def _write(path: pathlib.Path, found: list[TaskStatus]) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(msgspec.json.encode(found))
    draft.replace(path)


def _current(store_path: str) -> list[TaskStatus]:
    try:
        return _stored(store_path)
    except duckdb.Error as error:
        refused = readable_error(store_path, error)
    try:
        return msgspec.json.decode(_beside(store_path).read_bytes(), type=list[TaskStatus])
    except (OSError, msgspec.DecodeError):
        raise refused from None


def _stored(store_path: str) -> list[TaskStatus]:
    with duckdb.connect(store_path, read_only=True, config={"autoinstall_known_extensions": False}) as db:
        layout = db.execute("select max(version) from headwater.layout").fetchone()
        if layout != (LAYOUT,):
            raise HeadwaterError(f"{store_path} was written by another headwater: `headwater run` brings it up to date")
        journals = db.execute(
            "select id, name, generation from headwater.collections where generation <> ''"
        ).fetchall()
        lengths = {}
        for number, name, generation in journals:
            row = db.execute(f"select coalesce(max(number), 0) from headwater.journal_{number}").fetchone()  # noqa: S608 -- a number of ours
            lengths[name] = (generation, row[0] if row else 0)
        return _statuses(list(task_record.load_all(db)), lengths)


def _statuses(
    records: Sequence[tuple[str, int, TaskRecord]], lengths: Mapping[str, tuple[str, int]]
) -> list[TaskStatus]:
    """Return the status of each shard. The spec of a task is in the record of its first one."""
    specs = {name: record.applied for name, shard, record in records if shard == 0}
    return [
        _status(name, shard, msgspec.structs.replace(record, applied=specs.get(name, "")), lengths)
        for name, shard, record in records
    ]


def _status(name: str, shard: int, record: TaskRecord, lengths: Mapping[str, tuple[str, int]]) -> TaskStatus:
    return TaskStatus(
        task=name if record.shards == 1 else f"{name} (shard {shard} of {record.shards})",
        kind=record.kind,
        read=record.read,
        written=record.documents,
        transactions=record.transactions,
        behind=_behind(record, lengths),
        sessions=record.sessions,
        committed=record.committed,
        error=record.error,
    )


def _behind(record: TaskRecord, lengths: Mapping[str, tuple[str, int]]) -> int:
    total = 0
    for source in _sources(record):
        name = source.collection.name if source.collection else ""
        generation, length = lengths.get(name, ("", 0))
        total += length - record.offsets.get(source_name(name, generation, source.journal_read_suffix), 0)
    return total


def _sources(record: TaskRecord) -> tuple[Transform | MaterializationBinding, ...]:
    """Return what a reader reads, by the spec that it was run with last."""
    if record.kind == "materialization":
        spec = kept.spec_in(record.applied, MaterializationSpec)
        return spec.bindings if spec else ()
    if record.kind == "derivation":
        derived = kept.spec_in(record.applied, CollectionSpec)
        return derived.derivation.transforms if derived and derived.derivation else ()
    return ()


def _row(found: TaskStatus) -> tuple[str, ...]:
    error = " ".join(found.error.split())
    if len(error) > _ERROR_CHARACTERS_MAX:
        error = error[:_ERROR_CHARACTERS_MAX] + "…"
    counts = (found.read, found.written, found.transactions, found.behind, found.sessions)
    reads = found.kind != "capture"
    named = zip(_HEADINGS[2:7], counts, strict=True)
    texts = [f"{count:,}" if reads or heading not in ("read", "behind") else "" for heading, count in named]
    return (found.task, found.kind, *texts, found.committed[:19].replace("T", " "), error)


def _beside(store_path: str) -> pathlib.Path:
    return pathlib.Path(f"{store_path}.status.json")
