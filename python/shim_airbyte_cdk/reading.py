"""One sync of a source: its messages in, documents and checkpoints out."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterable, Iterator, Sequence

from python.capture import Captured, Checkpoint
from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk import models
from python.shim_airbyte_cdk.identities import Identity, Known, ambiguity, identity_of
from python.shim_airbyte_cdk.models import Message, mapping
from python.shim_airbyte_cdk.records import Target
from python.shim_airbyte_cdk.reports import Reports
from python.shim_airbyte_cdk.stalls import Stalled
from python.shim_airbyte_cdk.states import TaskState

__all__ = ["BYTES_MAX", "DOCUMENTS_MAX", "HELD_BYTES_MAX", "Reading"]

DOCUMENTS_MAX = 10_000
BYTES_MAX = 16 * 1024 * 1024
"""Documents of full refreshes are checkpointed after so many of them, or so many bytes: a full refresh says nothing of
where it is, and a large one must not be a single transaction. Flow closes transactions at about 64 MB."""

HELD_BYTES_MAX = 256 * 1024 * 1024
"""Documents of incremental streams wait for the STATE that covers them, but not beyond this many bytes: from 512 MB,
Flow's runtime would checkpoint by itself, with the same result: what follows the last STATE may come twice."""


class Reading:
    """Turns the messages of one `read` of `targets` into documents and checkpoints. Use once, inside of `watching`."""

    def __init__(self, targets: Sequence[Target], state: TaskState, reports: Reports) -> None:
        self._targets = targets
        self._state = state
        self._reports = reports
        self._by_stream = {(target.namespace, target.stream): target for target in targets}
        self._known = Known(self._by_stream)
        # As airbyte-cdk names the streams of records: without a namespace. Broken streams are in neither.
        self._by_name = {name: self._by_stream[meant] for _, name in self._by_stream if (meant := self._one(name))}
        self._documents = 0
        self._bytes = 0
        self._waits_for_state = False
        self._incoming: Generator[Message, None, None] | None = None
        self._outgoing: Generator[Captured | Checkpoint, None, None] | None = None
        self._reported = 0

    @property
    def busy(self) -> bool:
        """Whether the next message is being asked for (see `stalls.Watched`)."""
        return _runs(self._outgoing)

    @property
    def in_source(self) -> bool:
        """Whether the source is at work, or waits (see `stalls.Watched`)."""
        return _runs(self._incoming)

    @property
    def progress(self) -> object:
        """Changes with each record, state and trace; not with logs: a source that only waits may tell so for ever."""
        return sum(target.row_id for target in self._targets), self._reported

    def stalled(self, seconds: float) -> str:
        """Fail the streams that are being read: nothing has come of them for `seconds`."""
        sentence = f"the source made no progress for {seconds:g} seconds (the log has the stacks of its threads)"
        for name in self._reports.unfinished() or [""]:
            self._reports.fail(name, sentence)
        return self._reports.told

    def run(self, messages: Iterable[Message]) -> Iterator[Captured | Checkpoint]:
        """Yield documents and checkpoints, the last one a checkpoint.

        Where streams have failed, ConnectorError is raised after it; the streams that did not are complete then.
        """
        self._outgoing = self._run(messages)
        return self._outgoing

    def _run(self, messages: Iterable[Message]) -> Generator[Captured | Checkpoint, None, None]:
        by_name = self._by_name
        self._incoming = self._safely(messages)
        for message in self._incoming:
            record = message.record
            if record is None:
                yield from self._other(message)
                continue
            target = self._named(record) if record.namespace else by_name.get(record.stream)
            if target is None:
                self._stray(record)
                continue
            captured = self._captured(target, record)
            if captured is not None:
                yield captured
                if self._documents >= DOCUMENTS_MAX or self._bytes >= BYTES_MAX:
                    yield from self._cut()
        for target in self._targets:
            if self._reports.is_complete(target):
                yield from self._finish(target)
        yield self._checkpoint()
        self._reports.warn_of_untold()
        self._reports.raise_failures()

    def _captured(self, target: Target, record: models.Record) -> Captured | None:
        try:
            captured = target.captured(record.data)
        except ConnectorError as error:
            self._break(target, str(error))
            return None
        self._documents += 1
        self._bytes += len(captured.doc)
        if target.incremental:
            self._waits_for_state = True
        return captured

    def _one(self, name: str) -> Identity | None:
        meant = self._known.meant((None, name))
        return meant[0] if len(meant) == 1 else None

    def _named(self, record: models.Record) -> Target | None:
        return self._by_stream.get((record.namespace, record.stream))

    def _break(self, target: Target, sentence: str) -> None:
        """Take nothing more from `target`, states least of all: they would pass over the record that was lost."""
        self._reports.fail(target.name, sentence)
        self._state.fail(target)
        self._by_stream.pop((target.namespace, target.stream), None)
        if self._by_name.get(target.stream) is target:
            del self._by_name[target.stream]

    def _stray(self, record: models.Record) -> None:
        """Drop a record: of a stream that nobody captures or that is broken, or of one of several, which then break."""
        identity = (record.namespace or None, record.stream)
        meant = self._known.meant(identity)
        if not meant:
            self._reports.unknown_stream(identity)
        elif len(meant) > 1:
            for target in [self._by_stream[each] for each in meant if each in self._by_stream]:
                self._break(target, ambiguity(meant))

    def _safely(self, messages: Iterable[Message]) -> Generator[Message, None, None]:
        """Yield `messages`; that the source raises is a failure to tell at the end, and so is a stall, told already."""
        try:
            yield from messages
        except Stalled:
            self._incoming = None
        except Exception as error:  # noqa: BLE001 -- a source raises anything; it is told, and fails the task at the end
            self._incoming = None
            self._reports.abort(error)

    def _other(self, message: Message) -> Iterator[Captured | Checkpoint]:
        kind = models.kind_of(message)
        value = models.mapping_of(getattr(message, kind.lower(), None))
        if kind == "STATE":
            self._reported += 1
            if self._state.accept(value):
                yield self._checkpoint()
            return
        self._reported += kind != "LOG"
        self._reports.take(kind, value)
        status = mapping(value.get("stream_status"))
        if status.get("status") == "COMPLETE":
            yield from self._complete(status.get("stream_descriptor"))

    def _complete(self, descriptor: object) -> Iterator[Captured | Checkpoint]:
        for identity in self._known.meant(identity_of(descriptor)):
            target = self._by_stream.get(identity)
            if target is not None and not target.incremental and self._reports.is_complete(target):
                yield from self._finish(target)

    def _finish(self, target: Target) -> Iterator[Captured | Checkpoint]:
        """A stream was read to its end: the rows that only earlier refreshes had are deleted."""
        for row_id in self._state.rows_to_delete(target):
            yield target.tombstone(row_id)
            self._documents += 1
            if self._documents >= DOCUMENTS_MAX:
                yield from self._cut()
        self._state.finish(target)

    def _cut(self) -> Iterator[Checkpoint]:
        if not self._waits_for_state or self._bytes >= HELD_BYTES_MAX:
            yield self._checkpoint()

    def _checkpoint(self) -> Checkpoint:
        self._documents = self._bytes = 0
        self._waits_for_state = False
        return Checkpoint(state=self._state.patch())


def _runs(generator: Generator[object, None, None] | None) -> bool:
    return generator is not None and inspect.getgeneratorstate(generator) == inspect.GEN_RUNNING
