"""The runtime's part of a materialization under test: specs, the state that it keeps, and sessions."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from python.acceptance.connections import Conversation, Process, converse
from python.acceptance.target import Table, Target
from python.acceptance.target_documents import collection_of, document_of, raw_of
from python.protocol import document, packed
from python.protocol import materialize as wire
from python.protocol.errors import ConnectorError
from python.protocol.flow import (
    FULL_RANGE,
    CollectionSpec,
    ConnectorState,
    MaterializationBinding,
    MaterializationSpec,
    RangeSpec,
)
from python.protocol.patch import apply_state
from python.protocol.state_key import encode_state_key
from python.protocol.wire import ABSENT
from python.runner.catalog_readers import Fields
from python.runner.extraction import Extractor
from python.runner.selection import select

__all__ = ["Session", "Task"]

_APPLY_ROUNDS_MAX = 3  # protocol reference, section 5.1


class Task:
    """A materialization: what the runtime has stored of it, and how it is opened.

    `state` and `checkpoint` are what committed last; a test may put back older ones, as a runtime does that has lost
    an acknowledgement's state.
    """

    def __init__(self, target: Target, *, in_process: bool = True, **config: Any) -> None:  # noqa: ANN401 -- JSON
        self._target = target
        self._in_process = in_process
        self._config = raw_of({**target.config, **config})
        self.spec: MaterializationSpec | None = None
        self.validated: Sequence[wire.ValidatedBinding] = ()
        self.state: object = {}
        self.checkpoint = msgspec.Raw(b"")

    @classmethod
    def opened(cls, target: Target, *tables: Table, **config: Any) -> tuple[Task, Session]:  # noqa: ANN401 -- JSON
        """Return a task that was published, and its first session."""
        task = cls(target, **config)
        task.publish(*tables)
        return task, task.open()

    def publish(self, *tables: Table) -> list[str]:
        """Validate, select fields and apply. Returns what was done. Raises HeadwaterError where it cannot be."""
        collections = [collection_of(table) for table in tables]
        conversation = converse(self._target, in_process=self._in_process)
        try:
            conversation.send(self._validate(tables, collections))
            *_, answer = conversation.until(wire.Validated)
            assert isinstance(answer, wire.Validated)  # noqa: S101 -- `until` ends with it
            self.validated = answer.bindings
            bindings = tuple(map(self._binding, tables, collections, answer.bindings))
            spec = MaterializationSpec(
                name="acmeCo/suite", connector_type="LOCAL", config=self._config, bindings=bindings
            )
            done = self._applied(conversation, spec)
            conversation.end()
        finally:
            if isinstance(conversation, Process):
                conversation.kill()
        self.spec = spec
        return done

    def open(self, range_: RangeSpec = FULL_RANGE, *, in_process: bool | None = None) -> Session:
        """Open a session from what was committed."""
        assert self.spec is not None, "publish comes first"  # noqa: S101 -- ours
        wanted = self._in_process if in_process is None else in_process
        session = Session(self, converse(self._target, in_process=wanted))
        session.open(wire.Open(materialization=self.spec, version="1", range=range_, state=raw_of(self.state)))
        return session

    def keep(self, state: ConnectorState | None) -> None:
        """The runtime has stored a state."""
        if state is not None:
            self.state = apply_state(self.state, state)

    def _validate(self, tables: Sequence[Table], collections: Sequence[CollectionSpec]) -> wire.Validate:
        return wire.Validate(
            name="acmeCo/suite",
            connector_type="LOCAL",
            config=self._config,
            bindings=tuple(
                wire.ValidateBinding(
                    resource_config=raw_of(self._target.resource(table.name, table.delta)),
                    collection=source,
                    backfill=table.backfill,
                )
                for table, source in zip(tables, collections, strict=True)
            ),
            last_materialization=self.spec,
        )

    def _binding(self, table: Table, source: CollectionSpec, answer: wire.ValidatedBinding) -> MaterializationBinding:
        found = [*(self.spec.bindings if self.spec else ())]
        last = next((each.field_selection for each in found if each.resource_path == answer.resource_path), None)
        selection = select(source, answer, Fields(), last)
        if selection.problems or selection.incompatible:
            raise ConnectorError(f"{table.name}: {'; '.join([*selection.problems, *selection.incompatible])}")
        return MaterializationBinding(
            resource_config=raw_of(self._target.resource(table.name, table.delta)),
            resource_path=answer.resource_path,
            collection=source,
            field_selection=selection.fields,
            delta_updates=answer.delta_updates,
            backfill=table.backfill,
            state_key=encode_state_key(answer.resource_path, table.backfill),
        )

    def _applied(self, conversation: Conversation, spec: MaterializationSpec) -> list[str]:
        done: list[str] = []
        for _ in range(_APPLY_ROUNDS_MAX):
            conversation.send(
                wire.Apply(materialization=spec, version="1", last_materialization=self.spec, state=raw_of(self.state))
            )
            *_, answer = conversation.until(wire.Applied)
            assert isinstance(answer, wire.Applied)  # noqa: S101 -- `until` ends with it
            done += answer.action_description.splitlines()
            if answer.state is None:
                return done
            self.keep(answer.state)
        raise AssertionError(f"apply returned a state {_APPLY_ROUNDS_MAX} times (rule 46)")


class Session:
    """An open session, driven transaction by transaction, or message by message."""

    def __init__(self, task: Task, conversation: Conversation) -> None:
        self._task = task
        self.conversation = conversation
        self._spec = task.spec or MaterializationSpec()
        self._begun = self._acknowledged = False
        self.checkpoint = msgspec.Raw(b"")

    def open(self, request: wire.Open) -> None:
        """`checkpoint` is that of the endpoint, or what the runtime has committed."""
        self.conversation.send(request)
        *_, answer = self.conversation.until(wire.Opened)
        assert isinstance(answer, wire.Opened)  # noqa: S101 -- `until` ends with it
        self.checkpoint = answer.runtime_checkpoint or self._task.checkpoint

    def __enter__(self) -> Session:  # noqa: PYI034 -- `Self` is of a later Python
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the session; where something was raised, no matter how."""
        if kind is None:
            self.end()
        elif isinstance(self.conversation, Process):
            self.conversation.kill()

    def begin(self) -> None:
        """Acknowledge what came before, unless that was done."""
        if not self._begun:
            self.conversation.send(wire.Acknowledge())
            self._begun, self._acknowledged = True, False

    def acknowledged(self) -> None:
        """What came before is acknowledged."""
        self.begin()
        if not self._acknowledged:
            for message in self.conversation.until(wire.Acknowledged):
                assert isinstance(message, wire.Acknowledged), f"{message!r} came instead"  # noqa: S101 -- a suite asserts
                self._task.keep(message.state)
            self._acknowledged = True

    def ask(self, *keys: Sequence[Any], binding: int = 0, as_tuples: bool = False) -> None:
        """Send loads."""
        self.begin()
        for key in keys:
            text = document.encode(list(key))
            load = wire.Load(binding=binding, key=msgspec.Raw(text))
            if as_tuples:
                load = wire.Load(binding=binding, key_packed=packed.pack(_values(text)))
            self.conversation.send(load)

    def flush(self) -> list[bytes]:
        """End the loads, and return what was loaded."""
        self.acknowledged()
        self.conversation.send(wire.Flush())
        return self.flushed()

    def flushed(self) -> list[bytes]:
        """Return what is loaded, once all of it is; the flush was sent."""
        loaded = []
        for message in self.conversation.until(wire.Flushed):
            if isinstance(message, wire.Loaded):
                loaded.append(document.encode(message.doc))
            elif isinstance(message, wire.Flushed):
                self._task.keep(message.state)
        return loaded

    def load(self, *keys: Sequence[Any], binding: int = 0, as_tuples: bool = False) -> list[bytes]:
        """Begin a transaction: load keys, and end the loads."""
        self.ask(*keys, binding=binding, as_tuples=as_tuples)
        return self.flush()

    def store(
        self, *documents: object, binding: int = 0, exists: bool = False, delete: bool = False, as_tuples: bool = False
    ) -> None:
        """Store documents: text, or JSON values."""
        found = self._spec.bindings[binding]
        keys = _extractor(found.collection, found.field_selection.keys)
        values = _extractor(found.collection, found.field_selection.values)
        for each in documents:
            text = document_of(each)
            members: dict[str, Any] = {"key": msgspec.Raw(keys(text)), "values": msgspec.Raw(values(text))}
            if as_tuples:
                members = {f"{name}_packed": packed.pack(_values(bytes(raw))) for name, raw in members.items()}
            doc = msgspec.Raw(text) if found.field_selection.document else ABSENT
            self.conversation.send(wire.Store(binding=binding, doc=doc, exists=exists, delete=delete, **members))

    def start_commit(self, checkpoint: object) -> None:
        """Ask for the commit."""
        self.conversation.send(wire.StartCommit(runtime_checkpoint=raw_of(checkpoint)))

    def started(self) -> ConnectorState | None:
        """Return the state that is to commit with the runtime's transaction; the commit was asked for."""
        *_, answer = self.conversation.until(wire.StartedCommit)
        assert isinstance(answer, wire.StartedCommit)  # noqa: S101 -- `until` ends with it
        self._begun = False
        return answer.state

    def commit(self, checkpoint: object) -> None:
        """Ask for the commit; the runtime commits, too."""
        self.start_commit(checkpoint)
        self._task.keep(self.started())
        self._task.checkpoint = raw_of(checkpoint)

    def transaction(self, *documents: object, checkpoint: object = 1, **flags: Any) -> None:  # noqa: ANN401 -- of `store`
        """Store documents in a transaction without loads."""
        self.flush()
        self.store(*documents, **flags)
        self.commit(checkpoint)

    def end(self) -> None:
        """Acknowledge what was committed, and end the session at this boundary."""
        self.acknowledged()
        self.conversation.end()

    def kill(self) -> None:
        """The connector's process is gone, at once."""
        assert isinstance(self.conversation, Process), "only processes can be killed"  # noqa: S101 -- ours
        self.conversation.kill()


def _extractor(source: CollectionSpec, fields: Iterable[str]) -> functools.partial[bytes]:
    pointers = {each.field: each.ptr for each in source.projections}
    return functools.partial(Extractor([(pointers[field], b"null") for field in fields]).array)


def _values(text: bytes) -> list[Any]:
    return msgspec.json.Decoder(list[Any], float_hook=document.number).decode(text)
