"""A connector's metadata.yaml, as Airbyte's registry reads it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from python.builder.export.facts import Facts
from python.builder.export.order import ExportError, Form, Order
from python.builder.export.revising import Revision
from python.builder.manifests.documents import DocumentError, of_text
from python.builder.manifests.round_trip import RoundTrip, fresh
from python.runner.spec_edit import block_text

__all__ = ["first", "revised", "tag_of", "title_of"]

_NAMESPACE = "https://headwater.invalid/definitions/"  # definitions are the same wherever a name is exported
_DOCUMENTATION = "https://docs.airbyte.com/integrations/sources/"
_LANGUAGE = {Form.HEADWATER: "manifest-only", Form.MANIFEST_ONLY: "manifest-only", Form.PYTHON: "python"}
_SECRETS = {"type": "GSM", "alias": "airbyte-connector-testing-secret-store"}  # where Airbyte's own CI looks for them


def title_of(name: str) -> str:
    """Return what people call the connector `name`.

    >>> title_of("source-big-data")
    'Big Data'
    """
    return " ".join(word.capitalize() for word in name.removeprefix("source-").split("-") if word)


def tag_of(text: str) -> str:
    """Return the version in the metadata.yaml `text`; "" where there is none. Raises ExportError for no YAML."""
    value = _read(text)
    data = value.get("data") if isinstance(value, dict) else None
    return str(data.get("dockerImageTag") or "") if isinstance(data, dict) else ""


def first(order: Order, facts: Facts, revision: Revision) -> str:
    """Return the metadata.yaml of a connector that has none."""
    short = order.name.removeprefix("source-")
    secret = {"name": f"SECRET_{order.name.upper()}__CREDS", "fileName": "config.json", "secretStore": _SECRETS}
    data: dict[str, Any] = {
        "allowedHosts": {"hosts": list(facts.hosts)},
        "connectorSubtype": "api",
        "connectorType": "source",
        "definitionId": str(uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE + order.name)),
        "dockerImageTag": revision.tag,
        "dockerRepository": f"airbyte/{order.name}",
        "documentationUrl": (order.form is Form.HEADWATER and facts.documentation_url) or f"{_DOCUMENTATION}{short}",
        "githubIssueLabel": order.name,
        "icon": "icon.svg",
        "license": "MIT",
        "name": title_of(order.name),
        "releaseDate": revision.date,
        "releaseStage": "alpha",
        "supportLevel": "community",
        "registryOverrides": {"oss": {"enabled": True}, "cloud": {"enabled": True}},
        "remoteRegistries": {"pypi": {"enabled": False, "packageName": f"airbyte-{order.name}"}},
        "tags": [f"language:{_LANGUAGE[order.form]}", "cdk:low-code"],
        "connectorTestSuitesOptions": [{"suite": "acceptanceTests", "testSecrets": [secret]}],
        "ab_internal": {"ql": 100, "sl": 100},
    }
    if order.form is not Form.PYTHON and order.cdk.release:
        image = f"airbyte/source-declarative-manifest:{order.cdk.version}"
        data["connectorBuildOptions"] = {"baseImage": image}
    return block_text({"metadataSpecVersion": "1.0", "data": dict(sorted(data.items(), key=_folded))})


def _folded(item: tuple[str, Any]) -> str:
    return item[0].casefold()


def revised(text: str, hosts: Sequence[str], revision: Revision) -> str:
    """Return the metadata.yaml `text` of a connector with its next version; what people wrote stays.

    Hosts that the manifest asks are added, and none is taken away. Raises ExportError for no YAML, and where it has no
    object `data`.
    """
    _read(text)
    trip = RoundTrip(text)
    data = trip.value.get("data") if isinstance(trip.value, dict) else None
    if not isinstance(data, dict):
        raise ExportError("metadata.yaml of the connector has no `data`: mend it, or remove the file to have a new one")
    allowed = data.setdefault("allowedHosts", fresh({"hosts": []})).setdefault("hosts", fresh([]))
    missing = [host for host in hosts if host not in allowed]
    if not missing and str(data.get("dockerImageTag", "")) == revision.tag:
        return text
    allowed.extend(missing)
    data["dockerImageTag"] = revision.tag
    _merge(data, "releases", revision.metadata())
    return trip.text()


def _read(text: str) -> Any:  # noqa: ANN401 -- YAML
    try:
        return of_text(text).value
    except DocumentError as error:
        raise ExportError(f"metadata.yaml of the connector cannot be read: {error}") from None


def _merge(data: Any, name: str, wanted: Mapping[str, Any]) -> None:  # noqa: ANN401 -- YAML
    for key, changes in wanted.items():
        data.setdefault(name, fresh({})).setdefault(key, fresh({})).update(fresh(changes))
