"""The base class of derivations: subclass `Connector`, write a method for each transform, call `main`.

    class Adults(derive.Connector[Config, dict, dict]):
        @derive.transform("fromUsers")
        def from_users(self, user: User) -> Iterator[Adult]:
            if user.age >= 18:
                yield Adult(id=user.id, name=user.name)

The state of the protocol is in reference section 4: documents are read until the runtime flushes; every document that
the reads give is published by then; the state commits together with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from python.connector import BaseConnector, EndpointConfig, ResourceConfig, State, plain, state_of
from python.derive_requests import Open, Transform, Validate
from python.derive_transforms import Reader, document_of, readers, transform
from python.protocol import codec, document
from python.protocol import derive as wire
from python.protocol.derive import (
    Flushed,
    Opened,
    Published,
    SpecResponse,
    StartedCommit,
    Validated,
    ValidatedTransform,
)
from python.protocol.derive_session import DeriveSession
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import FULL_RANGE, CollectionSpec, ConnectorState
from python.protocol.patch import difference, merge_patch, replacement, without_nulls
from python.protocol.session import Role
from python.protocol.wire import FromConnector, FromRuntime
from python.shell.serve import Service

__all__ = [
    "ConfigError",
    "Connector",
    "ConnectorError",
    "Open",
    "Published",
    "Transform",
    "Validate",
    "merge_patch",
    "replacement",
    "transform",
]

_REMEDY = "raise the backfill counters of the transforms to derive the collection anew"


class Connector(BaseConnector[EndpointConfig, ResourceConfig, State]):
    """A derivation.

    The three type arguments are the config, the lambda config of one transform and the state: pydantic models, msgspec
    Structs, dataclasses, or `dict`, for which `config_schema` and `resource_config_schema` may give JSON Schemas.

    In one process the shell calls `validate`, or `open` once and then, transaction by transaction: the method of the
    transform for each document, `flush`, `start_commit`. What they yield is published. A process may be killed at any
    point; the next one opens with the state of the last commit, and the documents read since are read again.

    `self.state` is a value of the state's type (made without arguments before the first commit); change it in place or
    assign it. What has changed commits with the transaction. `self.opened` is the open request.
    """

    state_in_flushed: ClassVar[bool] = False
    """Give the state with `flushed`, where newer runtimes take it, and not with `startedCommit`, where all do."""

    state: State
    opened: Open[EndpointConfig, ResourceConfig, State]
    _readers: tuple[Reader, ...] = ()
    _committed: Any = None

    def spec(self) -> SpecResponse:
        """Return what the connector is. Needs neither network nor credentials."""
        return SpecResponse.of(
            config_schema=msgspec.Raw(document.encode(self._config_form.schema)),
            resource_config_schema=msgspec.Raw(document.encode(self._lambda_schema())),
            documentation_url=self.documentation_url,
            oauth2=self.oauth2,
        )

    def validate(self, request: Validate[EndpointConfig, ResourceConfig]) -> Mapping[str, str]:
        """Check that `request` could be run; raise ConfigError or ConnectorError where not. Has no side effects.

        Return files to generate, by URL: stubs of missing modules, for instance. The default has none.
        """
        del request
        return {}

    def open(self, request: Open[EndpointConfig, ResourceConfig, State]) -> None:
        """Prepare to read. `self.state` and `self.opened` are set. The default has nothing to do."""

    def read(self, transform: Transform[ResourceConfig], read: wire.Read) -> Iterable[Any]:
        """Yield the documents that one document gives. The default calls the method of the transform."""
        return self._readers[transform.index](read.doc)

    def flush(self) -> Iterable[Any]:
        """Yield the documents that were held back until now. The default has none."""
        return ()

    def start_commit(self) -> ConnectorState | None:
        """Return what commits with the transaction; None where the state has not changed.

        The default compares the whole state with what was committed last, and patches the difference. For a state of
        many keys, return `merge_patch` of those that have changed.
        """
        after = without_nulls(plain(self.state))
        before, self._committed = self._committed, after
        if before == after or (before is None and not after):
            return None
        patch = difference(before, after) if isinstance(before, dict) else after
        return merge_patch(patch) if isinstance(after, dict) else replacement(after)

    def reset(self) -> None:
        """Forget everything, as if newly opened without a state. Called by tests of a catalog alone."""
        self.state = self._initial_state()
        self._committed = None

    def _answer_spec(self, request: wire.Spec) -> Iterator[FromConnector]:
        del request
        yield self.spec()

    def _answer_validate(self, request: wire.Validate) -> Iterator[FromConnector]:
        transforms = tuple(
            self._transform(index, asked.name, asked.collection, asked.lambda_config)
            for index, asked in enumerate(request.transforms)
        )
        found = readers(self, transforms, self._reads_itself())
        files = self.validate(
            Validate(
                collection=request.collection,
                config=self._config_form.read(request.config),
                transforms=transforms,
                project_root=request.project_root,
                import_map=request.import_map,
            )
        )
        yield Validated(
            transforms=tuple(ValidatedTransform(read_only=reader.read_only) for reader in found),
            generated_files=dict(files),
        )

    def _answer_open(self, request: wire.Open) -> Iterator[FromConnector]:
        derivation = request.collection.derivation
        if derivation is None:
            raise ConnectorError(f"the collection {request.collection.name} has no derivation")
        transforms = tuple(
            self._transform(index, asked.name, asked.collection or CollectionSpec(), asked.lambda_config)
            for index, asked in enumerate(derivation.transforms)
        )
        stored = state_of(request.state)
        self.opened = Open(
            collection=request.collection,
            config=self._config_form.read(derivation.config),
            transforms=transforms,
            state=self._stored("", stored or None, _REMEDY),
            range=request.range or FULL_RANGE,
        )
        self.state = self._initial_state() if self.opened.state is None else self.opened.state
        self._committed = stored or None
        self._readers = readers(self, transforms, self._reads_itself())
        self.open(self.opened)
        yield Opened()

    def _answer_read(self, request: wire.Read) -> Iterator[FromConnector]:
        for doc in self.read(self.opened.transforms[request.transform], request):
            yield doc if isinstance(doc, Published) else Published(doc=document_of(doc))

    def _answer_flush(self, request: wire.Flush) -> Iterator[FromConnector]:
        del request
        for doc in self.flush():
            yield doc if isinstance(doc, Published) else Published(doc=document_of(doc))
        yield Flushed(state=self.start_commit() if self.state_in_flushed else None)

    def _answer_start_commit(self, request: wire.StartCommit) -> Iterator[FromConnector]:
        del request
        yield StartedCommit(state=None if self.state_in_flushed else self.start_commit())

    def _answer_reset(self, request: wire.Reset) -> Iterator[FromConnector]:
        del request
        self.reset()
        return iter(())

    _answers: ClassVar[Mapping[type, Callable[..., Iterator[FromConnector]]]] = {
        wire.Read: _answer_read,
        wire.Spec: _answer_spec,
        wire.Validate: _answer_validate,
        wire.Open: _answer_open,
        wire.Flush: _answer_flush,
        wire.StartCommit: _answer_start_commit,
        wire.Reset: _answer_reset,
    }

    def _transform(
        self, index: int, name: str, collection: CollectionSpec, lambda_config: msgspec.Raw
    ) -> Transform[ResourceConfig]:
        asked = lambda_config if bytes(lambda_config) not in (b"", b"null") else msgspec.Raw(b"{}")
        read = self._resource(f"/transforms/{index}/lambda", asked)
        return Transform(index=index, name=name, collection=collection, lambda_config=read)

    def _reads_itself(self) -> bool:
        return type(self).read is not Connector.read

    def _lambda_schema(self) -> Mapping[str, Any]:
        return self._resource_form.schema

    def _initial_state(self) -> State:
        made: State = self._declared[2]()
        return made

    def _config_in(self, request: FromRuntime) -> msgspec.Raw | None:
        derivation = getattr(getattr(request, "collection", None), "derivation", None)
        return getattr(derivation or request, "config", None)

    def _service(self) -> Service:
        session = DeriveSession(Role.CONNECTOR)
        return Service(
            requests=codec.DERIVE_REQUESTS,
            responses=codec.DERIVE_RESPONSES,
            session=session,
            answer=self._answered,
            secrets=self._secrets,
            in_sequence=lambda: session.in_transaction,
            drain_seconds_max=self.drain_seconds_max,
        )
