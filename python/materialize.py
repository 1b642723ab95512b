"""The base class of materializations: subclass `Connector`, return a `Transactor` from `open`, call `main`.

The connector says which fields can be stored (`validate`), prepares the endpoint (`apply`), and then stores documents
in transactions. See `Transactor` for who calls what, in which order, and what may overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from python.connector import BaseConnector, EndpointConfig, ResourceConfig, State, state_of
from python.materialize_loop import Transactions
from python.materialize_requests import Apply, Asked, Binding, Load, Open, Store, Validate
from python.materialize_transactor import Transactor
from python.protocol import codec, document, pointer
from python.protocol import materialize as wire
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import FULL_RANGE, MaterializationBinding, MaterializationSpec
from python.protocol.materialize import (
    Applied,
    Constraint,
    Loaded,
    Opened,
    SpecResponse,
    Validated,
    ValidatedBinding,
)
from python.protocol.materialize_session import MaterializeSession
from python.protocol.patch import merge_patch, replacement
from python.protocol.session import Role
from python.protocol.wire import ABSENT, FromConnector, FromRuntime
from python.shell.serve import Response, Service

__all__ = [
    "Applied",
    "Apply",
    "Asked",
    "Binding",
    "ConfigError",
    "Connector",
    "ConnectorError",
    "Constraint",
    "Load",
    "Loaded",
    "Open",
    "Store",
    "Transactor",
    "Validate",
    "ValidatedBinding",
    "merge_patch",
    "replacement",
]

_REMEDY = "raise the backfill counters of the bindings to fill their resources anew"


class Connector(BaseConnector[EndpointConfig, ResourceConfig, State]):
    """A materialization.

    The three type arguments are the endpoint config, the resource config and the task's state: pydantic models, msgspec
    Structs, dataclasses, or `dict`, for which `config_schema` and `resource_config_schema` then give JSON Schemas. The
    resource config's schema marks, with `x-collection-name`, `x-schema-name` and `x-delta-updates`, the properties that
    Flow fills; the default resource path is made of the first two.

    In one process the shell calls, after `spec`, at most one of `validate`, `apply` and `open`. A process may be killed
    at any point. Raise ConfigError for a bad config and ConnectorError for what else a user can mend.
    """

    def spec(self) -> SpecResponse:
        """Return what the connector is. Needs neither network nor credentials."""
        schema = self._resource_form.schema
        assert _annotated(schema, "x-collection-name"), "no property of the resource config has x-collection-name"  # noqa: S101 -- ours
        return SpecResponse.of(
            config_schema=msgspec.Raw(document.encode(self._config_form.schema)),
            resource_config_schema=msgspec.Raw(document.encode(schema)),
            documentation_url=self.documentation_url,
            oauth2=self.oauth2,
        )

    def resource_path(self, resource: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what identifies a resource in the endpoint, given its config as JSON values: schema and name."""
        schema = self._resource_form.schema
        names = [*_annotated(schema, "x-schema-name"), *_annotated(schema, "x-collection-name")]
        path = tuple(str(resource[name]) for name in names if resource.get(name))
        if not path:
            raise ConfigError(at=pointer.join(names[-1:]), got=pointer.MISSING, want="the name of the resource")
        return path

    def delta_updates(self, resource: Mapping[str, Any]) -> bool:
        """Return whether documents are only added, given a resource's config as JSON values."""
        return any(resource.get(name) is True for name in _annotated(self._resource_form.schema, "x-delta-updates"))

    def validate(self, request: Validate[EndpointConfig, ResourceConfig]) -> Iterable[ValidatedBinding]:
        """Return, for each binding in order, what may become of each projection of its collection.

        `resource_path` and `delta_updates` are filled in where they are left out. Has no side effects.
        """
        raise NotImplementedError(f"{type(self).__name__}.validate")

    def apply(self, request: Apply[EndpointConfig, ResourceConfig, State]) -> Applied:
        """Prepare the endpoint, idempotently, and say what was done.

        With a state in the answer, the runtime stores it and applies again, three times at most.
        """
        raise NotImplementedError(f"{type(self).__name__}.apply")

    def open(self, request: Open[EndpointConfig, ResourceConfig, State]) -> Transactor:
        """Return the session with the endpoint."""
        raise NotImplementedError(f"{type(self).__name__}.open")

    def _answer_spec(self, request: wire.Spec) -> Iterator[FromConnector]:
        del request
        yield self.spec()

    def _answer_validate(self, request: wire.Validate) -> Iterator[FromConnector]:
        last = self._last_bindings(request.last_materialization)
        known = {found.resource_path: found for found in reversed(last)}
        asked = tuple(self._asked(index, binding, known) for index, binding in enumerate(request.bindings))
        for index, binding in enumerate(asked):
            if binding.resource_path in [other.resource_path for other in asked[:index]]:
                raise ConfigError(
                    at=f"/bindings/{index}",
                    got="/".join(binding.resource_path),
                    want="a resource that no other binding stores to",
                )
        config = self._config_form.read(request.config)
        answers = self.validate(
            Validate(name=request.name, config=config, bindings=asked, last=request.last_materialization)
        )
        yield Validated(
            bindings=tuple(
                msgspec.structs.replace(
                    answer,
                    resource_path=answer.resource_path or binding.resource_path,
                    delta_updates=answer.delta_updates or binding.delta_updates,
                )
                for answer, binding in zip(answers, asked, strict=True)
            )
        )

    def _answer_apply(self, request: wire.Apply) -> Iterator[FromConnector]:
        spec = request.materialization
        yield self.apply(
            Apply(
                name=spec.name,
                version=request.version,
                config=self._config_form.read(spec.config),
                bindings=self._bindings(spec.bindings),
                last_bindings=self._last_bindings(request.last_materialization),
                state=self._stored("", state_of(request.state) or None, _REMEDY),
            )
        )

    def _answer_open(self, request: wire.Open) -> Iterator[FromConnector]:
        spec = request.materialization
        transactor = self.open(
            Open(
                name=spec.name,
                version=request.version,
                config=self._config_form.read(spec.config),
                bindings=self._bindings(spec.bindings),
                state=self._stored("", state_of(request.state) or None, _REMEDY),
                range=request.range or FULL_RANGE,
            )
        )
        self._transactions = Transactions(transactor, self._wake or _nobody)
        yield Opened(
            runtime_checkpoint=transactor.runtime_checkpoint or ABSENT,  # another empty text would be written
            disable_load_optimization=transactor.disable_load_optimization,
        )

    _answers: ClassVar[Mapping[type, Callable[..., Iterable[Response]]]] = {
        wire.Spec: _answer_spec,
        wire.Validate: _answer_validate,
        wire.Apply: _answer_apply,
        wire.Open: _answer_open,
        wire.Flush: lambda self, request: self._transactions.flush(request),
        wire.StartCommit: lambda self, request: self._transactions.start_commit(request),
        wire.Acknowledge: lambda self, request: self._transactions.acknowledge(request),
    }
    _answers_in_runs: ClassVar[Mapping[type, Callable[..., Iterable[Response]]]] = {
        wire.Store: lambda self, run: self._transactions.store(run),
        wire.Load: lambda self, run: self._transactions.load(run),
    }
    _transactions: Transactions | None = None
    _wake: Callable[[], None] | None = None

    def answer(self, request: FromRuntime) -> Iterator[FromConnector]:
        """Yield the responses to a request of the protocol; those that are ready later are yielded by `due`."""
        for response in self._answered([request]):
            if isinstance(response, list):
                yield from response
            else:
                yield response

    def _answered(self, run: Sequence[FromRuntime]) -> Iterable[Response]:
        kind = type(run[0])
        if kind in self._answers_in_runs:
            return self._answers_in_runs[kind](self, run)
        (request,) = run
        return self._answers[kind](self, request)

    def due(self) -> Iterator[FromConnector]:
        """Yield what has become ready since the last answer: `acknowledged`, which does not wait for a request."""
        return self._transactions.due() if self._transactions else iter(())

    def finish(self) -> None:
        """The session has ended at a boundary: what was begun is finished, and the endpoint is closed."""
        if self._transactions:
            self._transactions.finish()

    def _asked(
        self, index: int, asked: wire.ValidateBinding, known: Mapping[tuple[str, ...], Binding[ResourceConfig]]
    ) -> Asked[ResourceConfig]:
        values = msgspec.json.decode(asked.resource_config)
        resource = self._resource(f"/bindings/{index}/resource", asked.resource_config)
        path = self.resource_path(values)
        return Asked(
            index=index,
            resource=resource,
            resource_path=path,
            delta_updates=self.delta_updates(values),
            collection=asked.collection,
            field_config={name: document.decode(raw) for name, raw in asked.field_config.items()},
            group_by=asked.group_by,
            backfill=asked.backfill,
            last=known.get(path),
        )

    def _bindings(self, found: tuple[MaterializationBinding, ...]) -> tuple[Binding[ResourceConfig], ...]:
        return tuple(
            Binding(
                index=index,
                resource=self._resource(f"/bindings/{index}/resource", binding.resource_config),
                resource_path=binding.resource_path or self.resource_path(msgspec.json.decode(binding.resource_config)),
                delta_updates=binding.delta_updates,
                collection=binding.collection,
                fields=binding.field_selection,
                backfill=binding.backfill,
                state_key=binding.state_key,
            )
            for index, binding in enumerate(found)
        )

    def _last_bindings(self, last: MaterializationSpec | None) -> tuple[Binding[ResourceConfig], ...]:
        """The bindings of the spec applied before. Active ones come first: a resource may be in both lists."""
        return self._bindings((*last.bindings, *last.inactive_bindings)) if last else ()

    def _config_in(self, request: FromRuntime) -> msgspec.Raw | None:
        return getattr(getattr(request, "materialization", request), "config", None)

    def _on_wake(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def _service(self) -> Service:
        session = MaterializeSession(Role.CONNECTOR)
        return Service(
            requests=codec.MATERIALIZE_REQUESTS,
            responses=codec.MATERIALIZE_RESPONSES,
            session=session,
            answer=self._answered,
            due=self.due,
            on_wake=self._on_wake,
            finish=self.finish,
            secrets=self._secrets,
            in_sequence=lambda: session.in_transaction,
            drain_seconds_max=self.drain_seconds_max,
        )


def _nobody() -> None:
    """No shell waits to be told: whoever calls `answer` calls `due` too."""


def _annotated(schema: Mapping[str, Any], keyword: str) -> list[str]:
    """Return the properties of `schema` that carry `keyword`."""
    return [name for name, value in schema.get("properties", {}).items() if value.get(keyword) is True]
