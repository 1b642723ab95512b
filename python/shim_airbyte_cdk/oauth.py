"""Airbyte's declarative OAuth as Flow's OAuth2 templates (protocol reference, section 14).

An Airbyte spec says in `advanced_auth` how its platform gets tokens: URLs and parameters with placeholders such as
`{{ client_id_value | urlEncoder }}`. Specs that leave the URLs to Airbyte's own platform cannot be mapped.
"""

from __future__ import annotations

import logging
import re
import urllib.parse

import msgspec
from msgspec import Raw

from python.protocol import document
from python.protocol.flow import OAuth2
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_airbyte_cdk.specification import provider_of
from python.shim_common.values import items

__all__ = ["given", "oauth2_of"]

_logger = logging.getLogger(__name__)

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|\s*(\w+)\s*)?\}\}")
_VARIABLES = {
    "client_id_value": "client_id",
    "client_secret_value": "client_secret",
    "redirect_uri_value": "redirect_uri",
    "auth_code_value": "code",
    "state_value": "state",
}
_KEYS = {
    "client_id_key": "client_id",
    "client_secret_key": "client_secret",
    "redirect_uri_key": "redirect_uri",
    "auth_code_key": "code",
    "scope_key": "scope",
    "state_key": "state",
}
_JOINERS = {"space": " ", "comma": ",", "plus": "+"}
_FORM = "application/x-www-form-urlencoded"


def given(oauth2: object) -> OAuth2 | None:
    """Return what a connector's author gave as `oauth2`: nothing, an OAuth2, or a mapping with Flow's JSON names."""
    return oauth2 if oauth2 is None or isinstance(oauth2, OAuth2) else msgspec.convert(oauth2, OAuth2)


def oauth2_of(spec: Json) -> OAuth2 | None:
    """Return Flow's templates for the declarative OAuth of an Airbyte spec, or None, with a log that says why."""
    config = mapping(mapping(spec.get("advanced_auth")).get("oauth_config_specification"))
    flow = mapping(config.get("oauth_connector_input_specification"))
    if not config:
        return None
    if not flow:
        _logger.debug("the spec leaves OAuth to Airbyte's platform; give CaptureShim an oauth2 of your own")
        return None
    try:
        return _Mapping(flow, config).oauth2(provider_of(spec))
    except _UnsupportedError as error:
        _logger.warning("the spec's OAuth cannot be mapped to Flow's: %s; give CaptureShim an oauth2", error)
        return None


class _UnsupportedError(Exception):
    """Flow has no counterpart for a part of the spec's OAuth."""


class _Mapping:
    """One spec's OAuth: its parameters, and where its inputs and outputs lie in the config."""

    def __init__(self, flow: Json, config: Json) -> None:
        self._flow = flow
        self._inputs = _paths(config.get("oauth_user_input_from_connector_config_specification"))
        self._outputs = _paths(config.get("complete_oauth_output_specification"))

    def oauth2(self, provider: str) -> OAuth2:
        headers = {name: self._template(str(value)) for name, value in self._part("access_token_headers").items()}
        return OAuth2(
            provider=provider,
            auth_url_template=self._template(str(self._flow.get("consent_url", ""))),
            access_token_url_template=self._template(str(self._flow.get("access_token_url", "")), token=True),
            access_token_body=self._body(headers),
            access_token_headers={name: Raw(document.encode(value)) for name, value in headers.items()},
            access_token_response_map={name: Raw(document.encode(at)) for name, at in self._responses()},
        )

    def _body(self, headers: dict[str, str]) -> str:
        parameters = {
            self._template(name): self._template(str(value), token=True)
            for name, value in self._part("access_token_params").items()
        }
        if not parameters:
            return ""
        kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
        if kinds and kinds[0].startswith(_FORM):
            return "&".join(f"{name}={_encoded(value)}" for name, value in parameters.items())
        return document.encode(parameters).decode()

    def _responses(self) -> list[tuple[str, str]]:
        extracted = self._flow.get("extract_output")
        names = [str(name) for name in extracted] if isinstance(extracted, list) else list(self._outputs)
        found = []
        for name in names:
            path = self._outputs.get(name, ["credentials", name])
            if len(path) != 2 or path[0] != "credentials":  # noqa: PLR2004 -- /credentials and a member of it
                raise _UnsupportedError(f"{name} belongs at /{'/'.join(path)}, and Flow fills /credentials alone")
            found.append((path[1], "/" + name.replace(".", "/")))
        return found

    def _template(self, text: str, *, token: bool = False) -> str:
        """Return `text` with Airbyte's placeholders as Flow's. `token` says that it is for the token request."""
        return _PLACEHOLDER.sub(lambda found: self._placeholder(found[1], found[2], token=token), text)

    def _placeholder(self, name: str, encoder: str | None, *, token: bool) -> str:
        if encoder == "codeChallengeS256":
            return "{{{ code_challenge }}}"
        if encoder not in (None, "urlEncoder"):
            raise _UnsupportedError(f"it filters {name} with {encoder}")
        static = self._static(name)
        if static is not None:
            return urllib.parse.quote(static, safe="") if encoder else static
        if name in self._inputs:
            variable = "config." + ".".join(self._inputs[name])
        elif name == "state_value" and token:
            variable = "code_verifier"  # Airbyte verifies with the state; Flow keeps a verifier of its own
        elif name in _VARIABLES:
            variable = _VARIABLES[name]
        else:
            raise _UnsupportedError(f"it uses {name}, which is none of the OAuth variables or inputs")
        template = f"{{{{{{ {variable} }}}}}}"
        return _encoded(template) if encoder else template

    def _static(self, name: str) -> str | None:
        if name in _KEYS:
            return str(self._flow.get(name) or _KEYS[name])
        return self._scope() if name in ("scope_value", "scopes", "optional_scopes") else None

    def _scope(self) -> str:
        if self._flow.get("scope"):
            return str(self._flow["scope"])
        parts = [
            str(mapping(scope).get("scope", ""))
            for name in ("scopes", "optional_scopes")
            for scope in items(self._flow.get(name))
        ]
        return _JOINERS.get(str(self._flow.get("scopes_join_strategy", "space")), " ").join(filter(None, parts))

    def _part(self, name: str) -> Json:
        return mapping(self._flow.get(name))


def _encoded(template: str) -> str:
    return f"{{{{#urlencode}}}}{template}{{{{/urlencode}}}}" if "{{" in template else template


def _paths(schema: object) -> dict[str, list[str]]:
    properties = mapping(mapping(schema).get("properties"))
    found = {name: items(mapping(value).get("path_in_connector_config")) for name, value in properties.items()}
    return {name: [str(part) for part in path] for name, path in found.items() if path}
