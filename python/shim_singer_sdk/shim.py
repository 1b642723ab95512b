"""`CaptureShim`: an unchanged tap of the Singer SDK as a Flow capture."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from python import capture
from python.capture import Captured, Checkpoint, ConnectorError, DiscoveredBinding
from python.forms import Form, form_of
from python.protocol import document
from python.protocol.capture import SpecResponse
from python.protocol.errors import HeadwaterError
from python.protocol.state_key import key_hash
from python.protocol.wire import FromRuntime
from python.shell import logs
from python.shim_singer_sdk import catalog, secret_names, taps
from python.shim_singer_sdk.emitting import STATE_SECONDS_MIN
from python.shim_singer_sdk.reading import Reading
from python.shim_singer_sdk.records import Target, check_resource
from python.shim_singer_sdk.states import TaskState
from python.shim_singer_sdk.taps import Delegate

__all__ = ["CaptureShim"]

_logger = logging.getLogger(__name__)


class CaptureShim(capture.Connector[dict[str, Any], dict[str, Any], dict[str, Any]]):
    """A capture that reads from a tap of the Singer SDK, 0.33 or later, in this process.

    `delegate_factory` is the tap class, or a function `(config, catalog, state) -> Tap`, called anew for each request.
    `config_schema` is the endpoint config's, which a tap class has itself.

    A sync is read to its end, once; Flow's runtime starts the next one. Child streams are captured if they are bound,
    whether their parents are or not.
    """

    resource_path_pointers = catalog.RESOURCE_PATH_POINTERS
    state_seconds_min: ClassVar[float] = STATE_SECONDS_MIN

    def __init__(self, delegate_factory: Delegate, config_schema: Mapping[str, Any] | None = None) -> None:
        if config_schema is None and not isinstance(delegate_factory, type):
            raise TypeError("delegate_factory is no tap class: pass CaptureShim a config_schema, too")
        self._delegate = delegate_factory
        self._given_schema = config_schema

    def spec(self) -> SpecResponse:
        """Return what the tap is. Asks nothing of the network. DOCS_URL replaces the documentation's address."""
        return SpecResponse.of(
            config_schema=msgspec.Raw(document.encode(self._config_form.schema)),
            resource_config_schema=msgspec.Raw(document.encode(catalog.RESOURCE_CONFIG_SCHEMA)),
            documentation_url=os.environ.get("DOCS_URL") or self.documentation_url,
            oauth2=self.oauth2,
            resource_path_pointers=self.resource_path_pointers,
        )

    def discover(self, config: dict[str, Any]) -> Iterable[DiscoveredBinding]:
        """Return a binding for each of the tap's streams, children included."""
        with _asking("the tap cannot tell its streams"):
            entries = taps.discover(self._delegate, config)
        return tuple(catalog.bindings_of(entries))

    def validate(self, request: capture.Validate[dict[str, Any], dict[str, Any]]) -> None:
        """Return where a record of each stream can be read; raise ConfigError or ConnectorError where not."""
        for index, resource in enumerate(request.resources):
            check_resource(resource, f"/bindings/{index}/resource")
        with _asking("the tap cannot be read with this config"):
            taps.check(self._delegate, request.config, request.resources)

    def open(
        self, request: capture.Open[dict[str, Any], dict[str, Any], dict[str, Any]]
    ) -> Iterator[Captured | Checkpoint]:
        """Read the streams of this shard's key range once, each from where its bookmark says."""
        owned = [
            Target(binding)
            for binding in request.bindings
            if request.range.owns(key_hash("/".join(binding.resource_path)))
        ]
        if not owned:
            return
        state = TaskState(request.state, owned)
        logs.status(f"Capture started: {len(owned)} streams")
        messages = taps.read(self._delegate, request.config, catalog.catalog_of(owned), state, self.state_seconds_min)
        yield from Reading(owned, state).run(messages)

    def _secrets(self, request: FromRuntime) -> Iterable[str]:
        """Add what looks like a secret by its name: most taps do not say which of their settings are."""
        raw = self._config_in(request)
        named = secret_names.secrets_in(msgspec.json.decode(raw)) if raw else ()
        return [*super()._secrets(request), *named]

    @functools.cached_property
    def _config_form(self) -> Form[Any]:
        return form_of(dict, secret_names.marked(dict(self._given_schema or taps.config_schema_of(self._delegate))))

    @functools.cached_property
    def _resource_form(self) -> Form[Any]:
        return Form(dict, catalog.RESOURCE_CONFIG_SCHEMA)


@contextlib.contextmanager
def _asking(what: str) -> Iterator[None]:
    """Within, what a tap raises becomes one sentence for its user; its traceback is logged at debug."""
    try:
        yield
    except HeadwaterError:
        raise
    except Exception as error:
        _logger.debug("%s", what, exc_info=error)
        raise ConnectorError(f"{what}: {taps.reason(error)}") from error
