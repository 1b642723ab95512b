"""One sync of a tap: its messages in, documents and checkpoints out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from python.capture import Captured, Checkpoint
from python.protocol.errors import ConnectorError
from python.shell import logs
from python.shim_common.values import Json, mapping
from python.shim_singer_sdk.batches import records_of
from python.shim_singer_sdk.records import Target
from python.shim_singer_sdk.states import TaskState

__all__ = ["BYTES_MAX", "DOCUMENTS_MAX", "HELD_BYTES_MAX", "Reading"]

DOCUMENTS_MAX = 10_000
BYTES_MAX = 16 * 1024 * 1024
"""Documents of full tables are checkpointed after so many of them, or so many bytes: a full table says nothing of
where it is, and a large one must not be a single transaction. Flow closes transactions at about 64 MB."""

HELD_BYTES_MAX = 256 * 1024 * 1024
"""Documents of streams with bookmarks wait for the STATE that covers them, but not beyond this many bytes: from 512 MB,
Flow's runtime would checkpoint by itself, with the same result: what follows the last STATE may come twice."""

_logger = logging.getLogger(__name__)

_KEPT = (
    "stream %s: %d rows did not come again; they are kept, since it may be a child of a stream of which only what is "
    "new was read. If it is none, put it into a capture of full tables alone"
)

Out = Iterator["Captured | Checkpoint"]


class Reading:
    """Turns the Singer messages of one sync of `targets`, JSON objects with a `type`, into documents and checkpoints.

    A record belongs to the target whose tap_stream_id is its stream, else to the one which is named so. Use once.
    """

    def __init__(self, targets: Sequence[Target], state: TaskState) -> None:
        self._state = state
        self._targets = targets
        self._by_stream = {target.stream: target for target in reversed(targets)}
        self._by_stream.update({target.name: target for target in targets})
        self._seen: set[str] = set()
        self._read: set[str] = set()
        self._warned: set[str] = set()
        self._failures: dict[str, str] = {}
        self._activated: dict[str, int] = {}
        self._documents = self._bytes = 0
        self._waits_for_state = False

    def run(self, messages: Iterable[Json]) -> Out:
        """Yield documents and checkpoints, the last one a checkpoint.

        A failure of the tap, which `messages` raises, or of a stream is raised as ConnectorError after it.
        """
        by_stream = self._by_stream
        for message in self._safely(messages):
            if message.get("type") == "RECORD":
                target = by_stream.get(str(message.get("stream")))
                if target is None:
                    self._stray(str(message.get("stream")))
                    continue
                if target.row_keyed and message.get("version") != target.version:
                    self._turn(target, message.get("version"))
                yield from self._captured(target, message.get("record"))
            else:
                yield from self._other(message)
        if "" not in self._failures:
            for target in self._targets:
                yield from self._finish(target)
        yield self._checkpoint()
        self._raise_failures()

    def _captured(self, target: Target, record: object) -> Out:
        if target.name in self._failures:
            return
        try:
            captured = target.captured(record)
        except ConnectorError as error:
            self._fail(target, error)
            return
        yield captured
        self._read.add(target.name)
        self._documents += 1
        self._bytes += len(captured.doc)
        self._waits_for_state |= target.incremental
        if self._documents >= DOCUMENTS_MAX or self._bytes >= BYTES_MAX:
            yield from self._cut()

    def _fail(self, target: Target, error: ConnectorError) -> None:
        _logger.error("%s; nothing more is captured of this stream", error)
        self._failures[target.name] = str(error)
        self._state.fail(target)

    def _turn(self, target: Target, version: object) -> None:
        """A record of `target`, whose rows are numbered, has another version than those before, or none.

        A full table that begins without one is new. Any other record without one belongs to the table that is there.
        """
        if self._state.is_appended(target):
            return
        if isinstance(version, int):
            self._state.begin(target, version)
        elif not target.incremental and target.name not in self._read:
            self._state.begin(target, None)

    def _safely(self, messages: Iterable[Json]) -> Iterator[Json]:
        """Yield `messages`; that the tap fails is told at the end."""
        try:
            yield from messages
        except ConnectorError as error:
            self._failures[""] = str(error)
        except Exception as error:
            self._failures[""] = f"the tap failed: {type(error).__name__}: {error}"
            _logger.exception("%s", self._failures[""])

    def _other(self, message: Json) -> Out:
        kind = str(message.get("type"))
        take = _TAKE.get(kind)
        if take is None:
            if kind not in self._warned:
                self._warned.add(kind)
                _logger.warning("the tap sent a message of the unknown type %s; it is ignored", kind)
            return
        yield from take(self, message)

    def _schema(self, message: Json) -> Out:
        target = self._by_stream.get(str(message.get("stream")))
        if target is not None and target.name not in self._seen:
            self._seen.add(target.name)
            logs.status(f"Reading {target.name} ({len(self._seen)} of {len(self._targets)} streams)")
        yield from ()

    def _accept(self, message: Json) -> Out:
        if self._state.accept(mapping(message.get("value"))):
            yield self._checkpoint()

    def _batch(self, message: Json) -> Out:
        target = self._by_stream.get(str(message.get("stream")))
        if target is None:
            self._stray(str(message.get("stream")))
        elif target.row_keyed and message.get("version") != target.version:
            self._turn(target, message.get("version"))
        try:
            for record in records_of(message):
                if target is not None:
                    yield from self._captured(target, record)
        except ConnectorError as error:
            if target is None:
                _logger.warning("%s", error)
            elif target.name not in self._failures:
                self._fail(target, error)

    def _activate(self, message: Json) -> Out:
        """Rows of older versions are deleted now if the new ones are here already, else when the table was read.

        Rows without a version, which came before this, are the new ones.
        """
        target, version = self._by_stream.get(str(message.get("stream"))), message.get("version")
        if target is None or not isinstance(version, int) or self._state.is_appended(target):
            return
        if not (target.row_keyed and target.takes_tombstones):
            self._warn_of_version(target)
            return
        self._seen.add(target.name)
        if target.version != version and not (target.version is None and target.name in self._read):
            self._state.begin(target, version)
        if target.version == version and target.row_id:
            yield from self._delete_replaced(target)
            self._activated.pop(target.name, None)
        else:
            self._activated[target.name] = version

    def _warn_of_version(self, target: Target) -> None:
        if target.name not in self._warned:
            self._warned.add(target.name)
            _logger.warning(
                "stream %s: the tap has begun its table anew; what it no longer has stays in the collection, whose key "
                "is not the row id. Backfill the binding to be rid of it",
                target.name,
            )

    def _finish(self, target: Target) -> Out:
        """The tap has ended well: a full table that it has read is complete, and what it no longer has is deleted."""
        if target.name in self._failures or target.name not in self._seen | self._read:
            return
        if self._state.has_bookmark_frozen(target):
            return
        activated = self._activated.get(target.name)
        replaces = activated is not None and (activated == target.version or not target.incremental)
        if replaces or self._state.is_whole(target):
            yield from self._delete_replaced(target)
        elif rows := self._state.rows_to_delete(target):
            _logger.warning(_KEPT, target.name, len(rows))
        self._state.finish(target)

    def _delete_replaced(self, target: Target) -> Out:
        for row_id in self._state.rows_to_delete(target):
            yield target.tombstone(row_id)
            self._documents += 1
            if self._documents >= DOCUMENTS_MAX:
                yield from self._cut()
        self._state.replaced(target)

    def _stray(self, stream: str) -> None:
        if stream not in self._warned:
            self._warned.add(stream)
            _logger.warning("stream %s is captured by no binding; its records are left out", stream)

    def _cut(self) -> Iterator[Checkpoint]:
        if not self._waits_for_state or self._bytes >= HELD_BYTES_MAX or self._state.stands_still:
            yield self._checkpoint()

    def _checkpoint(self) -> Checkpoint:
        self._documents = self._bytes = 0
        self._waits_for_state = False
        return Checkpoint(state=self._state.patch())

    def _raise_failures(self) -> None:
        streams = {name: told for name, told in self._failures.items() if name}
        if streams:
            told = "; ".join([*sorted(streams.values()), *filter(None, [self._failures.get("")])])
            raise ConnectorError(f"{len(streams)} of {len(self._targets)} streams failed: {told}")
        if self._failures:
            raise ConnectorError(self._failures[""])


_TAKE: Mapping[str, Callable[[Reading, Json], Out]] = {
    "SCHEMA": Reading._schema,  # noqa: SLF001 -- the table of this module's own class
    "STATE": Reading._accept,  # noqa: SLF001 -- same
    "BATCH": Reading._batch,  # noqa: SLF001 -- same
    "ACTIVATE_VERSION": Reading._activate,  # noqa: SLF001 -- same
}
