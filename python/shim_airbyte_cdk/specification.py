"""An Airbyte connector's specification as Flow's config schema (protocol reference, section 11.1)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from python.protocol import pointer
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_common.schemas import types_of
from python.shim_common.values import items

__all__ = ["config_schema", "oauth_branch", "provider_of"]

_logger = logging.getLogger(__name__)

_DROPPED = frozenset(
    {
        "$schema",
        "airbyte_hidden",
        "airbyte_type",
        "always_show",
        "display_type",
        "group",
        "groups",
        "pattern_descriptor",  # it kept Flow from encrypting the config
    }
)
_MAPS = frozenset({"properties", "patternProperties", "definitions", "$defs"})
_VERBATIM = frozenset({"default", "const", "enum", "examples"})


def config_schema(spec: Json, provider: str) -> Json:
    """Return the schema of the endpoint config that `spec`, a ConnectorSpecification, asks for.

    Titles, descriptions and `order` are kept, secrets are marked as Flow's, Airbyte's own keywords are gone, every
    choice has a discriminator, and the root is open: a config that Flow encrypted has one more member. With
    `provider`, the branch of the config that OAuth fills is marked with it.
    """
    schema = mapping(_translated(mapping(spec.get("connectionSpecification")), ()))
    schema.pop("additionalProperties", None)
    schema["type"] = "object"
    schema["properties"] = mapping(schema.get("properties"))
    if provider:
        _mark_oauth(schema, spec, provider)
    return schema


def provider_of(spec: Json) -> str:
    """Return the stable name of the service behind a spec: `Big Data Spec` gives `big-data`."""
    title = str(mapping(spec.get("connectionSpecification")).get("title", "")).lower()
    words = [word for word in title.replace("-", " ").replace("_", " ").split() if word not in ("spec", "source")]
    return "-".join(words)


def oauth_branch(schema: Json, spec: Json) -> Json | None:
    """Return the part of `schema` below `/credentials` which `spec` says OAuth fills, or None where there is none."""
    credentials = mapping(mapping(schema.get("properties")).get("credentials"))
    branches = [mapping(branch) for branch in items(credentials.get("oneOf"))]
    auth = mapping(spec.get("advanced_auth"))
    path = items(auth.get("predicate_key"))
    if not branches:
        return credentials or None
    for branch in branches:
        chosen = mapping(mapping(branch.get("properties")).get(str(path[-1]))) if path else {}
        if path and chosen.get("const") == auth.get("predicate_value"):
            return branch
    return next((branch for branch in branches if _takes_refresh_token(branch)), None)


def _mark_oauth(schema: Json, spec: Json, provider: str) -> None:
    branch = oauth_branch(schema, spec)
    if branch is None:
        _logger.warning("the spec has no /credentials for the OAuth provider %s to fill", provider)
        return
    branch["x-oauth2-provider"] = provider
    required = items(schema.get("required"))
    schema["required"] = required if "credentials" in required else [*required, "credentials"]


def _takes_refresh_token(branch: Json) -> bool:
    properties = mapping(branch.get("properties"))
    return "client_id" in properties and ("refresh_token" in properties or "access_token" in properties)


def _translated(schema: object, at: tuple[str, ...]) -> object:
    if isinstance(schema, list):
        return [_translated(item, (*at, str(index))) for index, item in enumerate(schema)]
    if not isinstance(schema, dict):
        return schema
    fixed = {name: _translated_member(name, value, (*at, name)) for name, value in schema.items()}
    for name in sorted(_DROPPED & fixed.keys()):
        _logger.debug("spec %s: dropped the keyword %s", pointer.join(at) or "/", name)
        del fixed[name]
    _mark_secret(fixed, at)
    _type_enum(fixed)
    _mark_choice(fixed)
    return fixed


def _translated_member(name: str, value: object, at: tuple[str, ...]) -> object:
    if name in _VERBATIM:
        return value
    if name in _MAPS:
        return {key: _translated(item, (*at, key)) for key, item in mapping(value).items()}
    return _translated(value, at)


def _mark_secret(schema: Json, at: tuple[str, ...]) -> None:
    """Mark a secret as Flow's, which is text; in an object that is secret, each text is.

    What is neither stays unmarked: Flow refuses the mark. Logs mask it all the same (`CaptureShim`).
    """
    if not schema.pop("airbyte_secret", False):
        return
    kinds = [kind for kind in types_of(schema) if kind != "null"]
    properties = mapping(schema.get("properties"))
    for name, value in properties.items():
        mapping(value)["airbyte_secret"] = True
        _mark_secret(mapping(value), (*at, "properties", name))
    if kinds in ([], ["string"]) and not properties:
        schema.update({"type": "string", "secret": True})
    elif not properties:
        _logger.debug("spec %s: a secret is a string, this one is %s: not marked", pointer.join(at) or "/", kinds)


def _type_enum(schema: Json) -> None:
    values = items(schema.get("enum"))
    if values and "type" not in schema and all(isinstance(value, str) for value in values):
        schema["type"] = "string"


def _mark_choice(schema: Json) -> None:
    """Give a `oneOf` the discriminator that Flow's form needs: the property which tells its branches apart."""
    branches = [mapping(branch) for branch in items(schema.get("oneOf"))]
    if not branches or "discriminator" in schema:
        return
    name = next(_telling(branches), None)
    if name is None:
        return
    for branch in branches:
        chosen = mapping(mapping(branch["properties"])[name])
        value = chosen["const"] if "const" in chosen else items(chosen["enum"])[0]
        chosen.pop("enum", None)
        chosen.update({"type": chosen.get("type", "string"), "const": value, "default": value})
    schema["discriminator"] = {"propertyName": name}
    schema.setdefault("type", "object")


def _telling(branches: list[Json]) -> Iterator[str]:
    """Yield the properties which have one value in every branch, and another one in each."""
    properties = [mapping(branch.get("properties")) for branch in branches]
    for name in properties[0]:
        values = [_only_value(mapping(each.get(name))) for each in properties]
        if None not in values and len(set(values)) == len(values):
            yield name


def _only_value(schema: Json) -> str | None:
    values: Iterable[object] = [schema["const"]] if "const" in schema else items(schema.get("enum"))
    found = [value for value in values if isinstance(value, str)]
    return found[0] if len(found) == 1 else None
