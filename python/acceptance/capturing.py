"""A capture under test: its bindings, its sessions, and what they bring."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from python.acceptance.subject import ApplyingSubject, raw
from python.acceptance.talking import Dialogue, Limits
from python.acceptance.transcripts import Json, Transcript
from python.acceptance.verdicts import BlockedError
from python.protocol import capture as wire
from python.protocol import pointer
from python.protocol.flow import FULL_RANGE, CaptureBinding, CaptureSpec, CollectionSpec, RangeSpec
from python.protocol.patch import merge
from python.protocol.pointer import MISSING
from python.protocol.state_key import encode_state_key
from python.runner import tasks
from python.runner.build import collection_spec
from python.runner.catalog import CaptureTask, Catalog, Collection
from python.runner.problems import CatalogError

__all__ = ["CaptureSubject", "Keys", "Step", "keys_of", "steps_of"]

_UUID_PTR = "/_meta/uuid"
_VERSION = "acceptance"

Keys = Mapping[str, frozenset[bytes]]
"""The keys of the documents that came, by the name of their collection."""


class Step(NamedTuple):
    """A checkpoint: how many answers there are up to it, and the task's state then."""

    answers: int
    state: object


class CaptureSubject(ApplyingSubject):
    """A capture. Its bindings are those that the specification enables, or all that are discovered.

    What is discovered has the schemas and keys; a binding that is no longer discovered has those of its collection.
    """

    def __init__(self, task: CaptureTask, catalog: Catalog, limits: Limits, network: str = "bridge") -> None:
        super().__init__(task, limits, network)
        self._capture = task
        self._catalog = catalog

    @functools.cached_property
    def config(self) -> msgspec.Raw:
        """The config of the endpoint, in the clear."""
        return tasks.discover_request(self._capture).config

    def basic(self) -> Iterator[Transcript]:
        """Yield specs, discover, validate, apply and a session."""
        yield self.specs
        yield self.discovery
        yield self.validation
        yield self.application
        yield self.session

    def discover(self, config: msgspec.Raw) -> wire.Discover:
        """Return the request to discover."""
        return wire.Discover(connector_type=self.endpoint.connector_type, config=config, name=self.task.name)

    def validate(self, config: msgspec.Raw, bindings: Sequence[CaptureBinding] | None = None) -> wire.Validate:
        """Return the request to validate bindings, all by default."""
        return wire.Validate(
            name=self.task.name,
            connector_type=self.endpoint.connector_type,
            config=config,
            bindings=tuple(
                wire.ValidateBinding(resource_config=each.resource_config, collection=each.collection)
                for each in (self.bindings if bindings is None else bindings)
            ),
        )

    def apply(self) -> wire.Apply:
        """Return the request to apply all bindings for the first time."""
        return wire.Apply(capture=self.spec_of(self.bindings), version=_VERSION, state=raw({}))

    def open(
        self, state: object, bindings: Sequence[CaptureBinding] | None = None, shard: RangeSpec = FULL_RANGE
    ) -> wire.Open:
        """Return the request to capture from a state."""
        spec = self.spec_of(self.bindings if bindings is None else bindings)
        return wire.Open(capture=spec, version=_VERSION, range=shard, state=raw(state))

    def empty_open(self) -> wire.Open:
        """Return the request to capture nothing."""
        return self.open({}, ())

    def spec_of(self, bindings: Sequence[CaptureBinding]) -> CaptureSpec:
        """Return the task with these bindings."""
        return CaptureSpec(
            name=self.task.name,
            connector_type=self.endpoint.connector_type,
            config=self.config,
            bindings=tuple(bindings),
            interval_seconds=self._capture.interval_seconds,
        )

    @functools.cached_property
    def discovery(self) -> Transcript:
        """What is discovered."""
        return self.ask(self.discover(self.config))

    def wanted_paths(self) -> list[list[str]]:
        """Return the resource paths by the pointers of spec."""
        return [list(each.resource_path) for each in self.bindings]

    @functools.cached_property
    def session(self) -> Transcript:
        """A session from the beginning to the end of the source, or until nothing more comes."""
        return self.capture(self.open({}))

    def capture(self, request: wire.Open, *, stdin_ends: bool = True) -> Transcript:
        """Capture to the end, or until nothing more comes, with the acknowledgements that the connector wants."""
        with self.dialogue() as dialogue:
            dialogue.send(self.spec_request, self.line(request))
            dialogue.until("opened")
            if dialogue.last("opened").get("explicitAcknowledgements") is True:
                self._acknowledge(dialogue)
            return dialogue.end(idle=True) if stdin_ends else dialogue.wait(idle=True)

    def _acknowledge(self, dialogue: Dialogue) -> None:
        """Every checkpoint is acknowledged, several at once where they came at once, until no more come."""
        done = 0
        while dialogue.until("checkpoint", done + 1, self.limits.quiet_seconds):
            due = dialogue.counts["checkpoint"] - done
            dialogue.send(self.line(wire.Acknowledge(checkpoints=due)))
            done += due

    @functools.cached_property
    def steps(self) -> Sequence[Step]:
        """The checkpoints of the session."""
        self.one(self.session, "opened")
        return steps_of(self.session, {})

    @functools.cached_property
    def keys(self) -> Keys:
        """The keys of what the session brought up to its last checkpoint."""
        return keys_of(self.session, self.bindings, self.steps[-1].answers if self.steps else 0)

    @functools.cached_property
    def at_the_end(self) -> Transcript:
        """A session that resumes from the last checkpoint."""
        return self.capture(self.open(self.steps[-1].state if self.steps else {}))

    def is_keyed(self, name: str) -> bool:
        """Whether documents of the collection `name` have a key of the source's own, which tells them apart."""
        fallen = [found.get("isFallbackKey") is True for found in self.discovered]
        paths = [
            self.path(found.get("resourceConfig")) for found, fell in zip(self.discovered, fallen, strict=True) if fell
        ]
        return not any(each.collection.name == name and each.resource_path in paths for each in self.bindings)

    @functools.cached_property
    def discovered(self) -> Sequence[Json]:
        """The bindings that were discovered."""
        found = self.one(self.discovery, "discovered").get("bindings", [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise BlockedError("it needs discovered bindings, and they are no list of objects")
        return found

    @functools.cached_property
    def bindings(self) -> Sequence[CaptureBinding]:
        """The bindings of the task. Raises BlockedError where there are none."""
        by_path = {self.path(each.get("resourceConfig")): each for each in self.discovered}
        chosen = [(each.resource, each.target) for each in tasks.enabled(self._capture)]
        if not chosen:
            chosen = [(each.get("resourceConfig"), "") for each in by_path.values()]
        if not chosen:
            raise BlockedError(
                "it needs bindings, and neither does the specification have any, nor were any discovered"
            )
        return [self._binding(resource, target, by_path.get(self.path(resource))) for resource, target in chosen]

    def path(self, resource: object) -> tuple[str, ...]:
        """Return the resource path of a resource config, by the pointers of spec."""
        found = (pointer.resolve(resource, tokens) for tokens in self.pointers)
        return tuple(str(part) for part in found if part is not MISSING and part is not None)

    @functools.cached_property
    def pointers(self) -> Sequence[tuple[str, ...]]:
        """The pointers of spec, parsed; those that are none are left out."""
        given = self.spec.get("resourcePathPointers")
        texts = given if isinstance(given, list) else ()
        return [pointer.parse(each) for each in texts if isinstance(each, str) and each.startswith("/")]

    def _binding(self, resource: object, target: str, found: Json | None) -> CaptureBinding:
        path = self.path(resource)
        collection = self._catalog.collections.get(target)
        name = target or "acmeCo/" + encode_state_key(path, 0).replace("%", "_")
        if found is not None:
            schema, key = found.get("documentSchema"), found.get("key")
            keys = tuple(map(str, key)) if isinstance(key, list) else ()
            return self._bound(resource, path, _collection(name, schema, keys, self._capture))
        if collection is None:
            raise BlockedError(f"it needs the schema of {target}, which is neither discovered nor defined")
        return self._bound(resource, path, collection_spec(collection))

    def _bound(self, resource: object, path: tuple[str, ...], collection: CollectionSpec) -> CaptureBinding:
        return CaptureBinding(
            resource_config=raw(resource),
            resource_path=path,
            collection=collection,
            state_key=encode_state_key(path, 0),
        )


def steps_of(transcript: Transcript, state: object) -> list[Step]:
    """Return the checkpoints of a session that began with `state`."""
    found: list[Step] = []
    for number, (kind, value) in enumerate(transcript.answers, start=1):
        if kind == "checkpoint":
            state = _updated(state, value)
            found.append(Step(number, state))
    return found


def _updated(state: object, checkpoint: object) -> object:
    update = checkpoint.get("state") if isinstance(checkpoint, dict) else None
    if not isinstance(update, dict):
        return state
    return merge(state if update.get("mergePatch") is True else {}, update.get("updated"))


def keys_of(transcript: Transcript, bindings: Sequence[CaptureBinding], answers: int | None = None) -> Keys:
    """Return the keys of the documents that are among the first `answers` of a session."""
    found: dict[str, set[bytes]] = {each.collection.name: set() for each in bindings}
    pointers = [[pointer.parse(key) for key in each.collection.key] for each in bindings]
    for kind, value in transcript.answers[:answers]:
        index = value.get("binding", 0) if kind == "captured" and isinstance(value, dict) else None
        if isinstance(index, int) and isinstance(value, dict) and 0 <= index < len(bindings):
            parts = [pointer.resolve(value.get("doc"), tokens) for tokens in pointers[index]]
            found[bindings[index].collection.name].add(repr(parts).encode())
    return {name: frozenset(keys) for name, keys in found.items()}


def _collection(name: str, schema: object, key: tuple[str, ...], task: CaptureTask) -> CollectionSpec:
    """Return the collection of a discovered binding; where it cannot be one, what there is of it."""
    if isinstance(schema, dict):
        with contextlib.suppress(CatalogError):
            return collection_spec(Collection(name=name, key=key, write_schema=schema, where=task.where))
    return CollectionSpec(name=name, key=key, write_schema=raw(schema), uuid_ptr=_UUID_PTR)
