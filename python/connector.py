"""What the base classes of captures, derivations and materializations share: declared types, and the way in and out.

Authors subclass `capture.Connector`, `derive.Connector` or `materialize.Connector`, never this.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, NoReturn, TypeVar, get_args, get_origin

import msgspec

from python.forms import Form, form_of, json_value
from python.protocol import document
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import OAuth2
from python.protocol.wire import FromConnector, FromRuntime
from python.shell.scrubber import secrets_in
from python.shell.serve import Response, Service, serve
from python.shell.stopping import DRAIN_SECONDS_MAX

__all__ = ["BaseConnector", "EndpointConfig", "ResourceConfig", "State", "plain", "state_of"]

EndpointConfig = TypeVar("EndpointConfig")
ResourceConfig = TypeVar("ResourceConfig")
State = TypeVar("State")


class BaseConnector(Generic[EndpointConfig, ResourceConfig, State]):
    """A connector of any of the three protocols.

    The three type arguments are pydantic models, msgspec Structs, dataclasses, or `dict`; for the first two, a `dict`
    wants its plain JSON Schema in `config_schema` and `resource_config_schema`.
    """

    documentation_url: ClassVar[str] = ""
    config_schema: Mapping[str, Any] | None = None
    resource_config_schema: Mapping[str, Any] | None = None
    oauth2: OAuth2 | None = None
    drain_seconds_max: float = DRAIN_SECONDS_MAX

    _answers: ClassVar[Mapping[type, Any]] = {}

    def main(self) -> NoReturn:
        """Serve the connector on stdin and stdout, and exit."""
        serve(self._service)

    def answer(self, request: FromRuntime) -> Iterator[FromConnector]:
        """Yield the responses to a request of the protocol. This is all that `main` does, and what tests may call."""
        answered: Iterable[FromConnector] = self._answers[type(request)](self, request)
        return iter(answered)

    def _answered(self, run: Sequence[FromRuntime]) -> Iterable[Response]:
        (request,) = run
        return self.answer(request)

    def _service(self) -> Service:
        raise NotImplementedError(f"{type(self).__name__}._service")

    def _resource(self, at: str, raw: msgspec.Raw) -> Any:  # noqa: ANN401 -- ResourceConfig, through a Form[Any]
        """Return the resource config in `raw`, which stands at the JSON pointer `at` of the request."""
        try:
            return self._resource_form.read(raw)
        except ConfigError as error:
            raise ConfigError(at=at + error.at, got=error.got, want=error.want) from None

    def _stored(self, at: str, value: object, remedy: str) -> Any:  # noqa: ANN401 -- State, through a Form[Any]
        """Return the state in `value`, which stands at the JSON pointer `at` of the task's state. None stays None."""
        if value is None:
            return None
        try:
            return self._state_form.read(msgspec.Raw(document.encode(value)))
        except ConfigError as error:
            raise ConnectorError(
                f"the stored state cannot be read: {at}{error.at} is {error.got!r}, want {error.want}; {remedy}"
            ) from None

    def _secrets(self, request: FromRuntime) -> Iterable[str]:
        """Return the values of a request's config that must not be logged."""
        raw = self._config_in(request)
        return secrets_in(json_value(raw), self._config_form.schema) if raw else ()

    def _config_in(self, request: FromRuntime) -> msgspec.Raw | None:
        return getattr(request, "config", None)

    @functools.cached_property
    def _config_form(self) -> Form[Any]:
        return form_of(self._declared[0], self.config_schema)

    @functools.cached_property
    def _resource_form(self) -> Form[Any]:
        return form_of(self._declared[1], self.resource_config_schema)

    @functools.cached_property
    def _state_form(self) -> Form[Any]:
        return form_of(self._declared[2])

    @functools.cached_property
    def _declared(self) -> tuple[Any, ...]:
        """The three type arguments, followed through generic classes in between; `dict` for what nobody gave."""
        return tuple(dict if isinstance(kind, TypeVar) else kind for kind in _arguments(type(self)))


def plain(value: object) -> Any:  # noqa: ANN401 -- JSON values
    """Return an author's value (a pydantic model, a Struct, a dataclass, a mapping) as JSON values."""
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else msgspec.to_builtins(value)


def state_of(raw: msgspec.Raw) -> dict[str, Any]:
    """Return a task's state; `{}` where there is none. Raises ConnectorError where it is no object."""
    value = (msgspec.json.decode(raw) if raw else None) or {}
    if not isinstance(value, dict):
        raise ConnectorError(f"the task's state is {value!r}, want an object")
    return value


def _arguments(kind: type) -> tuple[Any, ...]:
    """Return what the class `kind` gives BaseConnector as its type arguments."""
    if kind is BaseConnector:
        return (EndpointConfig, ResourceConfig, State)
    for base in vars(kind).get("__orig_bases__", kind.__bases__):
        origin = get_origin(base) or base
        if isinstance(origin, type) and issubclass(origin, BaseConnector):
            given = dict(zip(getattr(origin, "__parameters__", ()), get_args(base), strict=False))
            return tuple(given.get(argument, argument) for argument in _arguments(origin))
    return (dict, dict, dict)
