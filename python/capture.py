"""The base class of captures: subclass `Connector`, yield messages from `open`, call `main`.

Connectors yield; the shell writes. A connector never prints, and holds no output: `discover`, `validate`, `apply` and
`open` return values, so a test calls them (or `answer`, with messages of the protocol) without any process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from python.capture_requests import STATES, Apply, Binding, Open, Validate, discovered
from python.connector import BaseConnector, EndpointConfig, ResourceConfig, State, state_of
from python.protocol import capture as wire
from python.protocol import codec, document, pointer
from python.protocol.capture import (
    Applied,
    Captured,
    Checkpoint,
    Discovered,
    DiscoveredBinding,
    Opened,
    SourcedSchema,
    SpecResponse,
    Validated,
    ValidatedBinding,
)
from python.protocol.capture_session import CaptureSession
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import FULL_RANGE, CaptureSpec
from python.protocol.patch import merge_patch
from python.protocol.session import Role
from python.protocol.wire import FromConnector, FromRuntime
from python.shell.serve import Service

__all__ = [
    "STATES",
    "Apply",
    "Binding",
    "Captured",
    "Checkpoint",
    "ConfigError",
    "Connector",
    "ConnectorError",
    "DiscoveredBinding",
    "Open",
    "SourcedSchema",
    "Validate",
    "discovered",
    "merge_patch",
]

_REMEDY = "raise the binding's backfill counter to start it over"


class Connector(BaseConnector[EndpointConfig, ResourceConfig, State]):
    """A capture.

    The three type arguments are the endpoint config, the resource config and the state of one binding: pydantic
    models, msgspec Structs, dataclasses, or `dict`, for which `config_schema` and `resource_config_schema` then give
    plain JSON Schemas. The shell calls, in one process: `spec` once or twice; then at most one of `discover`,
    `validate`, `apply` and `open`. A process may be killed at any point, and is then started again with the state of
    its last committed checkpoint: whatever was yielded after that checkpoint has to be yielded again.

    Raise ConfigError for a bad config and ConnectorError for what else a user can mend: they end the process with one
    sentence and exit status 1. Any other exception does so, too, with its traceback as a field of the log.
    """

    resource_path_pointers: ClassVar[tuple[str, ...]] = ("/name",)
    explicit_acknowledgements: ClassVar[bool] = False

    def spec(self) -> SpecResponse:
        """Return what the connector is. Needs neither network nor credentials."""
        declared = self._resource_form.schema.get("properties", {})
        absent = [at for at in self.resource_path_pointers if pointer.parse(at)[0] not in declared]
        assert not absent, f"resource_path_pointers {absent} are not in the resource config's schema"  # noqa: S101 -- ours
        return SpecResponse.of(
            config_schema=msgspec.Raw(document.encode(self._config_form.schema)),
            resource_config_schema=msgspec.Raw(document.encode(self._resource_form.schema)),
            documentation_url=self.documentation_url,
            oauth2=self.oauth2,
            resource_path_pointers=self.resource_path_pointers,
        )

    def discover(self, config: EndpointConfig) -> Iterable[DiscoveredBinding]:
        """Return the endpoint's resources, in a stable order. See `discovered`."""
        raise NotImplementedError(f"{type(self).__name__}.discover")

    def validate(self, request: Validate[EndpointConfig, ResourceConfig]) -> None:
        """Check that `request` could be run; raise ConfigError or ConnectorError where not. Has no side effects.

        The default is content with what the forms accept.
        """

    def apply(self, request: Apply[EndpointConfig, ResourceConfig, State]) -> Applied:
        """Prepare the endpoint, idempotently, and say what was done. The default has nothing to do."""
        del request
        return Applied()

    def open(self, request: Open[EndpointConfig, ResourceConfig, State]) -> Iterator[FromConnector]:
        """Yield documents, sourced schemas and checkpoints, until there is nothing left for now.

        What is yielded before a checkpoint commits with it, or not at all. The last message has to be a checkpoint.
        """
        raise NotImplementedError(f"{type(self).__name__}.open")

    def task_state(self, stored: msgspec.Raw) -> Any:  # noqa: ANN401 -- a JSON value
        """Return the task's state, which `apply` and `open` are given, from its JSON text; `{}` where there is none.

        Raises ConnectorError where it is no object. For connectors that take over what other programs have stored.
        """
        return state_of(stored)

    def acknowledge(self, checkpoints: int) -> None:
        """The runtime has committed our oldest `checkpoints` (1 or more) pending checkpoints.

        Only called with `explicit_acknowledgements`, on another thread than `open`'s, and must not wait.
        """

    def _answer_spec(self, request: wire.Spec) -> Iterator[FromConnector]:
        del request
        yield self.spec()

    def _answer_discover(self, request: wire.Discover) -> Iterator[FromConnector]:
        yield Discovered(bindings=tuple(self.discover(self._config_form.read(request.config))))

    def _answer_validate(self, request: wire.Validate) -> Iterator[FromConnector]:
        resources = [
            self._resource(f"/bindings/{index}/resource", asked.resource_config)
            for index, asked in enumerate(request.bindings)
        ]
        config = self._config_form.read(request.config)
        self.validate(Validate(name=request.name, config=config, resources=tuple(resources)))
        paths = [self.resource_path(asked.resource_config) for asked in request.bindings]
        for index, path in enumerate(paths):
            if path in paths[:index]:
                raise ConfigError(
                    at=f"/bindings/{index}", got="/".join(path), want="a resource that no other binding captures"
                )
        yield Validated(bindings=tuple(ValidatedBinding(resource_path=path) for path in paths))

    def _answer_apply(self, request: wire.Apply) -> Iterator[FromConnector]:
        state = self.task_state(request.state)
        yield self.apply(
            Apply(
                name=request.capture.name,
                config=self._config_form.read(request.capture.config),
                bindings=self._bindings(request.capture, state),
                state=state,
                last=request.last_capture,
            )
        )

    def _answer_open(self, request: wire.Open) -> Iterator[FromConnector]:
        state = self.task_state(request.state)
        opened = Open(
            name=request.capture.name,
            config=self._config_form.read(request.capture.config),
            bindings=self._bindings(request.capture, state),
            state=state,
            range=request.range or FULL_RANGE,
            interval_seconds=request.capture.interval_seconds,
        )
        yield Opened(explicit_acknowledgements=self.explicit_acknowledgements)
        yield from self.open(opened)

    _answers: ClassVar[Mapping[type, Any]] = {
        wire.Spec: _answer_spec,
        wire.Discover: _answer_discover,
        wire.Validate: _answer_validate,
        wire.Apply: _answer_apply,
        wire.Open: _answer_open,
    }

    def resource_path(self, resource_config: msgspec.Raw) -> tuple[str, ...]:
        """Return the values at `resource_path_pointers`; those that are absent, null or empty are left out."""
        value = msgspec.json.decode(resource_config)
        found = [pointer.resolve(value, pointer.parse(at)) for at in self.resource_path_pointers]
        path = tuple(str(part) for part in found if part not in (pointer.MISSING, None, ""))
        if not path:
            raise ConfigError(
                at=self.resource_path_pointers[-1], got=pointer.MISSING, want="the name of the resource to capture"
            )
        return path

    def _bindings(self, spec: CaptureSpec, state: object) -> tuple[Binding[Any, Any], ...]:
        states = (state.get(STATES) if isinstance(state, dict) else None) or {}
        return tuple(
            Binding(
                index=index,
                resource=self._resource(f"/bindings/{index}/resource", asked.resource_config),
                resource_path=asked.resource_path or self.resource_path(asked.resource_config),
                collection=asked.collection,
                state_key=asked.state_key,
                backfill=asked.backfill,
                state=self._stored(pointer.join((STATES, asked.state_key)), states.get(asked.state_key), _REMEDY),
            )
            for index, asked in enumerate(spec.bindings)
        )

    def _config_in(self, request: FromRuntime) -> msgspec.Raw | None:
        return getattr(getattr(request, "capture", request), "config", None)

    def _service(self) -> Service:
        session = CaptureSession(Role.CONNECTOR)
        return Service(
            requests=codec.CAPTURE_REQUESTS,
            responses=codec.CAPTURE_RESPONSES,
            session=session,
            answer=self._answered,
            last=wire.Open,
            aside={wire.Acknowledge: lambda message: self.acknowledge(message.checkpoints)},
            secrets=self._secrets,
            in_sequence=lambda: session.in_sequence,
            drain_seconds_max=self.drain_seconds_max,
        )
