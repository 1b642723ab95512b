"""Everything that can be said of a manifest before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.builder.manifests import rules
from python.builder.manifests.cdk import Cdk
from python.builder.manifests.components import Checker
from python.builder.manifests.config_keys import ConfigKeys
from python.builder.manifests.documents import Document, DocumentError, of_text, of_value
from python.builder.manifests.expressions import texts
from python.builder.manifests.findings import Finding, Severity, finding, placed
from python.builder.manifests.interpolations import Interpolations
from python.builder.manifests.references import Node, Resolver, unused

__all__ = ["Reading", "lint", "opened", "read"]

_Found = Iterator[tuple[Finding, str]]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that was read: as written, with its references followed, and the components in it.

    `found` is what is wrong with references and components; `keys` is what its config may have, or None.
    """

    document: Document
    whole: Node
    resolver: Resolver
    components: tuple[tuple[str, Node], ...]
    found: tuple[tuple[Finding, str], ...]
    keys: ConfigKeys | None


def lint(manifest: str | Mapping[str, Any], cdk: Cdk, spec: Mapping[str, Any] | None = None) -> list[Finding]:
    """Return what is wrong with a manifest, in the order of its text; an empty list where nothing is.

    `manifest` is YAML or JSON text, or a decoded value: only a text gives lines and columns. `spec` is the connection
    specification of a manifest that has none, as it stands in a file beside it. Never raises for what a manifest holds.
    """
    try:
        document = opened(manifest)
    except DocumentError as error:
        line, column = error.place or (None, None)
        return [finding(error.rule, (), error.reason, line=line, column=column)]
    return placed(_found(read(document, cdk, spec), cdk), document)


def opened(manifest: str | Mapping[str, Any]) -> Document:
    """Return a manifest as a document, whose value is an object. Raises DocumentError."""
    document = of_text(manifest) if isinstance(manifest, str) else of_value(manifest)
    if not isinstance(document.value, dict):
        got = "is empty" if document.value is None else f"is a {type(document.value).__name__}"
        raise DocumentError(f"a manifest is an object, and this {got}", rule="type")
    return document


def read(document: Document, cdk: Cdk, spec: Mapping[str, Any] | None = None) -> Reading:
    """Return the manifest in `document`, which is an object, held against the component schema of `cdk`."""
    resolver = Resolver(document.value)
    whole = resolver.resolved()
    checker = Checker(cdk)
    checker.check(whole)
    found = [*resolver.found, *checker.found]
    if checker.is_cut:
        message = "has more values, with its references followed, than can be checked; the others were not checked"
        found.append((finding("size", (), message), ""))
    return Reading(
        document=document,
        whole=whole,
        resolver=resolver,
        components=tuple(checker.components),
        found=tuple(found),
        keys=_keys(whole, checker.components, spec),
    )


def _keys(whole: Node, components: list[tuple[str, Node]], spec: Mapping[str, Any] | None) -> ConfigKeys | None:
    own = (whole.members or {}).get("spec")
    written = (own.members or {}).get("connection_specification") if own else None
    specification = written.plain() if written is not None else spec
    if not isinstance(specification, Mapping):
        return None
    return ConfigKeys(specification, rules.added_to_config(own, components))


def _found(reading: Reading, cdk: Cdk) -> _Found:
    manifest = reading.document.value
    for at, place in reading.document.twice:
        message = f"`{at[-1]}` stands twice in one object, first on line {place.line}, and the last one counts"
        yield finding("duplicate-key", at, message, got=at[-1]), ""
    yield from reading.found
    for each in _by_rules(reading, cdk):
        yield each, ""
    has_code = any(kind.startswith("Custom") for kind, _ in reading.components)
    yield from Interpolations(manifest, cdk, reading.keys, has_code=has_code).found()


def _by_rules(reading: Reading, cdk: Cdk) -> Iterator[Finding]:
    manifest = reading.document.value
    yield from rules.of_version(manifest, cdk)
    yield from rules.of_dialect(texts(manifest))
    yield from unused(manifest, reading.resolver.edges)
    yield from rules.of_schemas(node for kind, node in reading.components if kind == "InlineSchemaLoader")
    yield from rules.of_streams(reading.whole)
    if reading.keys is None:
        message = "there is no connection specification, neither here nor in a file beside: any config is taken"
        yield finding("missing-spec", (), message, severity=Severity.WARNING)
