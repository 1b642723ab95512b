"""A version's metadata as an entry of a registry: overrides, names, constants, defaults. Nothing is read here.

The rules are those of Airbyte's registries, so that what reads theirs reads ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from python.protocol.errors import HeadwaterError

__all__ = ["REGISTRIES", "EntryError", "Facts", "Image", "Registry", "entry", "image", "overridden"]

Registry: TypeAlias = Literal["oss", "cloud"]

REGISTRIES: tuple[Registry, ...] = ("oss", "cloud")

_DEFAULTS = {"tombstone": False, "custom": False, "public": True, "supportLevel": "community"}
_INTERNAL_DEFAULTS = {"sl": 100, "ql": 100, "isEnterprise": False, "requireVersionIncrementsInPullRequests": True}
_NOT_IN_ENTRIES = ("registryOverrides", "registries", "connectorType", "connectorSubtype", "definitionId")
_IDENTITIES = {"source": "sourceDefinitionId", "destination": "destinationDefinitionId"}


class EntryError(HeadwaterError):
    """A version cannot become an entry of a registry. Whoever released it must act."""


class Image(NamedTuple):
    """What a registry names as the image of a connector: after overrides, it may be another repository's version."""

    repository: str
    tag: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry holds that its metadata does not say.

    `spec` is the connector's answer to `spec`, as JSON; `source` is `generated.source_file_info`, and `metrics` are
    `generated.metrics`, by platform; `cdk_version` is as `packageInfo` has it, such as `python:6.45.0`.
    """

    spec: msgspec.Raw
    source: Mapping[str, Any]
    icon_url: str | None = None
    cdk_version: str | None = None
    metrics: Mapping[Any, Any] | None = None


def image(data: Mapping[str, Any], registry: Registry) -> Image | None:
    """Return which image the registry names for a metadata's `data`; None where the registry leaves it out.

    >>> image({"dockerRepository": "a/b", "dockerImageTag": "1.0.0", "registries": {"oss": {"enabled": True}}}, "oss")
    Image(repository='a/b', tag='1.0.0')
    """
    overrides = _overrides(data, registry)
    if overrides.get("enabled") is not True:
        return None
    merged = {**data, **_without_nulls(overrides)}
    return Image(merged["dockerRepository"], merged["dockerImageTag"])


def overridden(data: Mapping[str, Any], registry: Registry) -> Mapping[str, tuple[Any, Any]]:
    """Return what a registry's overrides replace, by member: what the metadata says else, None if nothing, and what.

    >>> overridden({"name": "A", "registries": {"oss": {"enabled": True, "name": "B", "license": None}}}, "oss")
    {'name': ('A', 'B')}
    """
    overrides = _without_nulls(_overrides(data, registry))
    return {name: (data.get(name), value) for name, value in overrides.items() if name != "enabled"}


def entry(data: Mapping[str, Any], registry: Registry, facts: Facts) -> dict[str, Any]:
    """Return the entry of a metadata's `data` in a registry that has it enabled (`image` tells).

    A registry's overrides replace whole members. Nothing is null in it but what the spec says so.
    """
    overrides = _without_nulls(_overrides(data, registry))
    merged = {**data, **{name: value for name, value in overrides.items() if name != "enabled"}}
    kind = data["connectorType"]
    made: dict[str, Any] = {_IDENTITIES[kind]: data["definitionId"]}
    made |= {name: value for name, value in merged.items() if name not in _NOT_IN_ENTRIES}
    made["sourceType"] = merged["connectorSubtype"]
    made |= {name: made[name] if made.get(name) is not None else value for name, value in _DEFAULTS.items()}
    made["tombstone"] = made["custom"] = False
    made["ab_internal"] = _INTERNAL_DEFAULTS | _without_nulls(merged.get("ab_internal") or {})
    made["language"] = merged.get("language") or _language(merged.get("tags") or ())
    made["iconUrl"] = facts.icon_url
    made["releases"] = _releases(merged) or None
    counted = {"metrics": facts.metrics} if facts.metrics else {}
    made["generated"] = {**(merged.get("generated") or {}), **counted, "source_file_info": facts.source}
    made["packageInfo"] = {"cdk_version": facts.cdk_version} if facts.cdk_version else None
    return {**_without_nulls(made), "spec": facts.spec}


def _overrides(data: Mapping[str, Any], registry: Registry) -> Mapping[str, Any]:
    of_all = data.get("registryOverrides") or data.get("registries") or {}
    return of_all.get(registry) or {}


def _language(tags: Any) -> str | None:  # noqa: ANN401 -- whatever the metadata says
    return next((tag.partition(":")[2] for tag in tags if tag.startswith("language:")), None)


def _releases(merged: Mapping[str, Any]) -> dict[str, Any]:
    """Return `releases` with the addresses of what to do about each breaking change."""
    said = merged.get("releases") or {}
    made: dict[str, Any] = {}
    if said.get("breakingChanges"):
        guide = f"{merged['documentationUrl']}-migrations"
        made["migrationDocumentationUrl"] = said.get("migrationDocumentationUrl") or guide
        made["breakingChanges"] = {
            version: {
                **change,
                "migrationDocumentationUrl": change.get("migrationDocumentationUrl") or f"{guide}#{version}",
            }
            for version, change in said["breakingChanges"].items()
        }
    if said.get("rolloutConfiguration"):
        made["rolloutConfiguration"] = said["rolloutConfiguration"]
    return made


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `value` without the members that are null, at any depth. Items of lists keep their places."""
    kind = type(value)  # JSON has no subclasses, and `isinstance` of a Mapping takes most of the time
    if kind is dict:
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if kind is list:
        return [_without_nulls(each) for each in value]
    return value
