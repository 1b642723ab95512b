"""A materialization under test. It stores into resources of its own, whose names begin with `headwater_acceptance`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from python.acceptance.subject import ApplyingSubject, raw
from python.acceptance.talking import Dialogue, Limits
from python.acceptance.target import Table, Target
from python.acceptance.target_documents import collection_of
from python.acceptance.target_task import Task
from python.acceptance.transcripts import Json, Transcript
from python.acceptance.verdicts import BlockedError, NotApplicableError
from python.protocol import document
from python.protocol import materialize as wire
from python.protocol.errors import HeadwaterError
from python.protocol.flow import FULL_RANGE, MaterializationBinding, MaterializationSpec
from python.protocol.state_key import encode_state_key
from python.protocol.wire import FromRuntime
from python.runner import materialize_tasks
from python.runner.catalog_readers import Fields, MaterializationTask
from python.runner.selection import select

__all__ = ["KEYS", "MaterializationSubject"]

KEYS = (1, 2, 3)
"""The keys that the session stores, or asks for."""

_VERSION = "acceptance"
_PREFIX = "headwater_acceptance"
_PROPERTIES: Mapping[str, object] = {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}
_MARKS = ("x-collection-name", "x-delta-updates")


class MaterializationSubject(ApplyingSubject):
    """A materialization, with two bindings of our own in place of those of its specification.

    Their resource configs are the one of its first binding, with other names. Each conversation that stores begins
    with empty resources: their backfill counters are raised.
    """

    def __init__(self, task: MaterializationTask, limits: Limits, network: str = "bridge") -> None:
        super().__init__(task, limits, network)
        self._materialization = task

    @functools.cached_property
    def config(self) -> msgspec.Raw:
        """The config of the endpoint, in the clear."""
        return materialize_tasks.validate_request(self._materialization, (), {}, (None, "")).config

    def basic(self) -> Iterator[Transcript]:
        """Yield specs, validate, apply and a session of three transactions."""
        yield self.specs
        yield self.validation
        yield self.application
        yield self.session

    def validate(self, config: msgspec.Raw) -> wire.Validate:
        """Return the request to validate two bindings that are never applied."""
        return self._validate(config, self.asked, None)

    def _validate(
        self, config: msgspec.Raw, tables: Sequence[Table], last: MaterializationSpec | None
    ) -> wire.Validate:
        return wire.Validate(
            name=self.task.name,
            connector_type=self.endpoint.connector_type,
            config=config,
            bindings=tuple(
                wire.ValidateBinding(
                    resource_config=raw(self.resource(table.name, table.delta)),
                    collection=collection_of(table),
                    backfill=table.backfill,
                )
                for table in tables
            ),
            last_materialization=last,
        )

    def wanted_paths(self) -> None:
        """Return None: the connector is free to name its resources."""

    def apply(self) -> wire.Apply:
        """Return the request to apply both bindings, with raised counters: what there was of them goes."""
        return wire.Apply(
            materialization=self.stored, version=_VERSION, last_materialization=self.former(*self.tables), state=raw({})
        )

    def open(self, state: object) -> wire.Open:
        """Return the request to store into both bindings."""
        return wire.Open(materialization=self.stored, version=_VERSION, range=FULL_RANGE, state=raw(state))

    def empty_open(self) -> FromRuntime:
        """Return the request to store nothing; both bindings were applied."""
        self.one(self.application, "applied")
        spec = msgspec.structs.replace(self.stored, bindings=())
        return wire.Open(materialization=spec, version=_VERSION, range=FULL_RANGE, state=raw({}))

    @functools.cached_property
    def asked(self) -> Sequence[Table]:
        """Two collections whose tables are asked about, and never made."""
        return [self.table(name) for name in ("asked_one", "asked_two")]

    @functools.cached_property
    def tables(self) -> Sequence[Table]:
        """The two collections that are stored."""
        return [self.table(name, backfill=1) for name in ("one", "two")]

    @functools.cached_property
    def stored(self) -> MaterializationSpec:
        """The task that is applied and opened: both tables, with what validate says of them."""
        talk = self.ask(self._validate(self.config, self.tables, self.former(*self.tables)))
        return self._spec(self.tables, self._answers(talk))

    def former(self, *tables: Table) -> MaterializationSpec:
        """Return the task as if these tables had been applied before, and their counters raised since.

        Where a table is left from an earlier run, it so goes. Its resource path is made of that of a table that is
        asked about.
        """
        answers = self._answers(self.validation)
        found = [
            msgspec.structs.replace(
                answers[0],
                resource_path=tuple(part.replace(self.asked[0].name, table.name) for part in answers[0].resource_path),
            )
            for table in tables
        ]
        return self._spec([msgspec.structs.replace(table, backfill=0) for table in tables], found)

    def resource(self, table: str, delta: bool = False) -> Json:  # noqa: FBT001, FBT002 -- as a `Target` has it
        """Return a resource config for a table. Raises NotApplicableError where the connector has no delta updates."""
        bindings = materialize_tasks.enabled(self._materialization)
        first = bindings[0].resource if bindings else {}
        config: Json = dict(first) if isinstance(first, dict) else {}
        schema = self.spec.get("resourceConfigSchema")
        named = schema.get("properties", {}) if isinstance(schema, dict) else {}
        marked = {
            mark: name
            for name, each in (named.items() if isinstance(named, dict) else ())
            for mark in _MARKS
            if isinstance(each, dict) and each.get(mark) is True
        }
        if "x-collection-name" not in marked:
            raise BlockedError("it needs a property of the resource config with x-collection-name")
        if delta and "x-delta-updates" not in marked:
            raise NotApplicableError("its resource config has no x-delta-updates")
        config[marked["x-collection-name"]] = table
        if "x-delta-updates" in marked:
            config.pop(marked["x-delta-updates"], None)
            config.update({marked["x-delta-updates"]: True} if delta else {})
        return config

    def _answers(self, talk: Transcript) -> Sequence[wire.ValidatedBinding]:
        found = self.one(talk, "validated")
        try:
            answers = msgspec.convert(found, wire.Validated).bindings
        except msgspec.ValidationError as error:
            raise BlockedError(f"it needs an answer to validate: {error}") from None
        if not answers:
            raise BlockedError("it needs bindings that are validated, and none are")
        return answers

    def _spec(self, tables: Sequence[Table], answers: Sequence[wire.ValidatedBinding]) -> MaterializationSpec:
        return MaterializationSpec(
            name=self.task.name,
            connector_type=self.endpoint.connector_type,
            config=self.config,
            bindings=tuple(self._binding(*each) for each in zip(tables, answers, strict=False)),
        )

    def _binding(self, table: Table, answer: wire.ValidatedBinding) -> MaterializationBinding:
        source = collection_of(table)
        selection = select(source, answer, Fields(), None)
        if selection.problems:
            raise BlockedError(f"it needs fields that can be stored: {'; '.join(selection.problems)}")
        return MaterializationBinding(
            resource_config=raw(self.resource(table.name, table.delta)),
            resource_path=answer.resource_path,
            collection=source,
            field_selection=selection.fields,
            delta_updates=answer.delta_updates,
            backfill=table.backfill,
            state_key=encode_state_key(answer.resource_path, table.backfill),
        )

    @functools.cached_property
    def session(self) -> Transcript:
        """Two documents are inserted; one is updated, the other deleted; and they are asked for once more."""
        self.one(self.application, "applied")
        inserts = [self._store({"id": key, "name": "a"}) for key in KEYS[:2]]
        changes = [
            self._store({"id": 1, "name": "b"}, exists=True),
            self._store({"id": 2, "name": "a"}, exists=True, delete=True),
        ]
        with self.dialogue() as dialogue:
            dialogue.send(self.spec_request, self.line(self.open({})))
            if dialogue.until("opened"):
                for number, stores in enumerate((inserts, changes, ())):
                    self._transaction(dialogue, stores, asked=KEYS if number else KEYS[:2])
                dialogue.send(self.line(wire.Acknowledge()))
                dialogue.until("acknowledged", dialogue.counts["acknowledged"] + 1)
            return dialogue.end()

    def _transaction(self, dialogue: Dialogue, stores: Sequence[bytes], asked: Sequence[int]) -> None:
        loads = [self.line(wire.Load(key=raw([key]))) for key in asked]
        dialogue.send(self.line(wire.Acknowledge()), *loads)
        if dialogue.until("acknowledged", dialogue.counts["acknowledged"] + 1):
            dialogue.send(self.line(wire.Flush()))
        if dialogue.until("flushed", dialogue.counts["flushed"] + 1):
            dialogue.send(*stores, self.line(wire.StartCommit(runtime_checkpoint=raw({"sources": {}}))))
        dialogue.until("startedCommit", dialogue.counts["startedCommit"] + 1)

    def _store(self, doc: Json, **flags: bool) -> bytes:
        binding = self.stored.bindings[0]
        fields = binding.field_selection
        pointers = {each.field: each.ptr.removeprefix("/") for each in binding.collection.projections}
        values = [doc.get(pointers[name]) for name in fields.values]
        members: dict[str, Any] = {"values": raw(values), **({"doc": raw(doc)} if fields.document else {}), **flags}
        return self.line(wire.Store(key=raw([doc["id"]]), **members))

    def task_of(self, *tables: Table) -> Task:
        """Return a task that is published, and whose resources are empty. Raises BlockedError where it cannot be."""
        start = self.start()
        config = document.decode(self.config)
        target = Target(
            command=tuple(start.command),
            config=config if isinstance(config, dict) else {},
            rows=lambda _table: (),
            resource=self.resource,
            env=start.env,
            cwd=start.cwd,
            containers=start.containers,
        )
        task = Task(target, in_process=False)
        task.spec = self.former(*tables)
        try:
            task.publish(*tables)
        except HeadwaterError as error:
            raise BlockedError(f"it needs resources that are applied: {error}") from None
        return task

    def table(self, name: str, *, delta: bool = False, backfill: int = 0) -> Table:
        """Return a table of our own."""
        return Table(name=f"{_PREFIX}_{name}", properties=_PROPERTIES, delta=delta, backfill=backfill)
