"""`CaptureShim`: an unchanged Airbyte CDK source as a Flow capture."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from python import capture
from python.capture import Captured, Checkpoint, ConfigError, ConnectorError, DiscoveredBinding
from python.forms import Form, form_of, json_value
from python.protocol import document
from python.protocol.capture import SpecResponse
from python.protocol.errors import HeadwaterError
from python.protocol.flow import OAuth2
from python.protocol.state_key import key_hash
from python.protocol.wire import FromRuntime
from python.shell import logs
from python.shell.scrubber import secrets_in
from python.shim_airbyte_cdk import catalogs, discovery, models, oauth, sealing, specification
from python.shim_airbyte_cdk.exact import exact_numbers
from python.shim_airbyte_cdk.generations import printing
from python.shim_airbyte_cdk.models import Delegate, Json, Message
from python.shim_airbyte_cdk.reading import Reading
from python.shim_airbyte_cdk.records import Resource, Target
from python.shim_airbyte_cdk.reports import Reports
from python.shim_airbyte_cdk.stalls import STALL_SECONDS_MAX, watching
from python.shim_airbyte_cdk.states import TaskState
from python.shim_airbyte_cdk.timeouts import default_timeouts

__all__ = ["CaptureShim"]

_logger = logging.getLogger(__name__)

_SYNC_MODES = ("full_refresh", "incremental")


class CaptureShim(capture.Connector[dict[str, Any], Resource, dict[str, Any]]):
    """A capture that reads from an Airbyte source.

    `delegate` is the source, or a factory `(catalog, config, state) -> Source` for sources that take these in their
    constructor, as declarative ones do since CDK 6; it is called anew for each request, with None for what is not
    known yet. `oauth2` is Flow's OAuth2, or a mapping with its JSON names; None takes what the source's own spec says.
    With `migrate_state`, the state that airbyte-to-flow left is taken over, once; without it, such a task starts over.
    A source that gives nothing for `stall_seconds_max` has failed.

    Only `discover` asks the source for a catalog: `validate` and `open` go by the task's own spec. A sync is read to
    its end, once; Flow's runtime starts the next one.
    """

    resource_path_pointers = discovery.RESOURCE_PATH_POINTERS

    def __init__(
        self,
        delegate: Delegate,
        oauth2: object = None,
        *,
        migrate_state: bool = True,
        stall_seconds_max: float = STALL_SECONDS_MAX,
    ) -> None:
        models.check_delegate(delegate)
        self._delegate = delegate
        self._oauth2_given = oauth.given(oauth2)
        self._migrate_state = migrate_state
        self._stall_seconds_max = stall_seconds_max

    def spec(self) -> SpecResponse:
        """Return what the source is. Asks nothing of the network. DOCS_URL replaces the source's documentation."""
        return SpecResponse.of(
            config_schema=msgspec.Raw(document.encode(self._config_form.schema)),
            resource_config_schema=msgspec.Raw(document.encode(discovery.RESOURCE_CONFIG_SCHEMA)),
            documentation_url=os.environ.get("DOCS_URL") or str(self._specification.get("documentationUrl") or ""),
            oauth2=self._oauth2,
            resource_path_pointers=self.resource_path_pointers,
        )

    def discover(self, config: dict[str, Any]) -> Iterable[DiscoveredBinding]:
        """Return a binding for each of the source's streams, in the source's order."""
        with self._asking("the source cannot tell its streams"):
            streams = models.discover(self._delegate, config, self._take)
        return tuple(discovery.bindings_of(streams))

    def validate(self, request: capture.Validate[dict[str, Any], Resource]) -> None:
        """Return where the source can be reached with the config; raise ConfigError or ConnectorError where not."""
        for index, resource in enumerate(request.resources):
            if resource.sync_mode not in _SYNC_MODES:
                at = f"/bindings/{index}/resource/syncMode"
                raise ConfigError(at=at, got=resource.sync_mode, want=" or ".join(_SYNC_MODES))
        with self._asking("the source cannot be checked"):
            problem = models.check(self._delegate, request.config, self._take)
        if problem:
            raise ConnectorError(f"the source cannot be reached with this config: {problem}")

    def open(self, request: capture.Open[dict[str, Any], Resource, dict[str, Any]]) -> Iterator[Captured | Checkpoint]:
        """Read the streams of this shard's key range once, each from where its state says."""
        targets = [Target(binding) for binding in request.bindings]
        state = TaskState(request.state, targets, migrate=self._migrate_state)
        if request.state and targets and (migrated := state.migrated()) is not None:
            yield Checkpoint(state=migrated)
        owned = [target for target in targets if request.range.owns(key_hash("/".join(target.resource_path)))]
        if not owned:
            return
        reports = Reports(owned, self._publish)
        messages = models.read(
            self._delegate, request.config, catalogs.configured_catalog(owned), state.messages(owned)
        )
        logs.status(f"Capture started: {len(owned)} streams")
        reading = Reading(owned, state, reports)
        watched = watching(reading, self._stall_seconds_max)
        with default_timeouts(), exact_numbers(), printing.overheard(self._publish), watched:
            yield from reading.run(messages)

    def task_state(self, stored: msgspec.Raw) -> Any:  # noqa: ANN401 -- a JSON value
        """Return the task's state; one in list form is airbyte-to-flow's, and is returned as it is."""
        return msgspec.json.decode(stored) if bytes(stored).lstrip()[:1] == b"[" else super().task_state(stored)

    def _secrets(self, request: FromRuntime) -> Iterable[str]:
        """Add what the source's own specification marks: numbers, lists and objects, too, as Flow's cannot."""
        raw = self._config_in(request)
        marked = secrets_in(json_value(raw), self._specification.get("connectionSpecification")) if raw else ()
        return [*super()._secrets(request), *marked]

    def _publish(self, config: Json) -> None:
        """Have a config that the source has changed kept for its next start."""
        schema = self._config_form.schema
        seal = sealing.sealed_by(os.environ.get("ENCRYPTION_URL", sealing.ENCRYPTION_URL), schema)
        sealing.publish(config, schema, seal)

    def _take(self, message: Message) -> None:
        """Take note of a message which comes while nothing is captured."""
        kind = models.kind_of(message)
        Reports((), self._publish).take(kind, models.mapping_of(getattr(message, kind.lower(), None)))

    @contextlib.contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        with _explaining(what), printing.overheard(self._publish):
            yield

    @functools.cached_property
    def _specification(self) -> Json:
        with _explaining("the source has no specification"):
            return models.spec_of(self._delegate)

    @functools.cached_property
    def _oauth2(self) -> OAuth2 | None:
        return self._oauth2_given or oauth.oauth2_of(self._specification)

    @functools.cached_property
    def _config_form(self) -> Form[Any]:
        provider = self._oauth2.provider if self._oauth2 else ""
        return form_of(dict, specification.config_schema(self._specification, provider))

    @functools.cached_property
    def _resource_form(self) -> Form[Any]:
        return Form(Resource, discovery.RESOURCE_CONFIG_SCHEMA)


@contextlib.contextmanager
def _explaining(what: str) -> Iterator[None]:
    """Within, what a source raises becomes one sentence for its user; its traceback is logged at debug."""
    with default_timeouts():
        try:
            yield
        except HeadwaterError:
            raise
        except Exception as error:
            _logger.debug("%s", what, exc_info=error)
            raise ConnectorError(f"{what}: {models.reason(error)}") from error
