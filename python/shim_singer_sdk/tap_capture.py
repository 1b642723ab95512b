"""What captures of taps share, whether the tap runs in this process or as a child: `CaptureShim`, `ExecutableShim`."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from python import capture
from python.forms import Form, form_of, json_value
from python.protocol import document
from python.protocol.capture import SpecResponse
from python.protocol.state_key import key_hash
from python.protocol.wire import FromRuntime
from python.shim_singer_sdk import catalog, secret_names
from python.shim_singer_sdk.records import Target, check_resource

__all__ = ["TapCapture"]


class TapCapture(capture.Connector[dict[str, Any], dict[str, Any], dict[str, Any]]):
    """A capture whose bindings are the entries of a Singer catalog."""

    resource_path_pointers = catalog.RESOURCE_PATH_POINTERS

    def spec(self) -> SpecResponse:
        """Return what the tap is. Asks nothing of the network. DOCS_URL replaces the documentation's address."""
        return SpecResponse.of(
            config_schema=msgspec.Raw(document.encode(self._config_form.schema)),
            resource_config_schema=msgspec.Raw(document.encode(catalog.RESOURCE_CONFIG_SCHEMA)),
            documentation_url=os.environ.get("DOCS_URL") or self._documentation(),
            oauth2=self.oauth2,
            resource_path_pointers=self.resource_path_pointers,
        )

    def _documentation(self) -> str:
        return self.documentation_url

    def _settings(self) -> Mapping[str, Any] | None:
        """Return the JSON Schema of the tap's settings, where it is known."""
        return self.config_schema

    def _check_resources(self, resources: Iterable[dict[str, Any]]) -> None:
        for index, resource in enumerate(resources):
            check_resource(resource, f"/bindings/{index}/resource")

    def _owned(self, request: capture.Open[dict[str, Any], dict[str, Any], dict[str, Any]]) -> list[Target]:
        """Return the bindings of this shard's key range."""
        targets = map(Target, request.bindings)
        return [target for target in targets if request.range.owns(key_hash("/".join(target.resource_path)))]

    def _secrets(self, request: FromRuntime) -> Iterable[str]:
        """Add what looks like a secret by its name: most taps do not say which of their settings are."""
        raw = self._config_in(request)
        named = secret_names.secrets_in(json_value(raw)) if raw else ()
        return [*super()._secrets(request), *named]

    @functools.cached_property
    def _config_form(self) -> Form[Any]:
        settings = self._settings()
        return form_of(dict, settings and secret_names.marked(dict(settings)))

    @functools.cached_property
    def _resource_form(self) -> Form[Any]:
        return Form(dict, catalog.RESOURCE_CONFIG_SCHEMA)
