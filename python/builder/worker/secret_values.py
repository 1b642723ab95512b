"""Which values of a config are secrets, and which names: what `masking` masks.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["is_secret_header", "is_secret_name", "plain_name", "secrets_of"]

_NAME = re.compile(
    r"(?:^|_)(?:pass|pwd|passwd|password|passphrase|passcode|secrets?|credentials?|authorization|bearer|jwt|pat"
    r"|(?:api|access|auth|private|secret|shared|subscription|signing|encryption|consumer|app|master|client|account"
    r"|service|storage|security)_?key|(?:access|auth|api|refresh|id|session|bearer|secret|security)?token)$"
)
_HEADER = re.compile(r"auth(?!or(?!iz))|token|secret|session|cookie|signature|credential|passw|(?:^|_)key$|apikey|jwt")
_HARMLESS = re.compile(
    r"(?:page|next|prev|previous|sync|continuation|cursor|pagination|start|resume|delta|scroll|skip)_?token$"
    r"|^www_authenticate$|^proxy_authenticate$|^access_control_|rate_?limit"
)
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


def secrets_of(told: object, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values in `config` that `told` marks, in whichever branch, and those under a name of a secret.

    `told` is a manifest, its `spec`, or the JSON Schema in it. A reference is followed within the manifest, as
    airbyte-cdk does, and within the schema. A value that only might be a secret is one.
    """
    schemas = [told, *_schemas_of(told)]
    seen: set[tuple[int, int]] = set()
    for schema in schemas:
        yield from _marked(config, schema, schemas, seen)
    yield from _named(config, "")


def plain_name(name: str) -> str:
    """Return `name` in lower case, with `_` between its words: `X-Api-Key` and `xApiKey` are `x_api_key`."""
    return _BETWEEN_WORDS.sub("_", name).strip("_").lower()


def is_secret_name(name: str) -> bool:
    """Tell whether what is called `name` looks like a secret: `clientSecret`, but not `token_url` or `page_token`."""
    plain = plain_name(name)
    return bool(_NAME.search(plain)) and not _HARMLESS.search(plain)


def is_secret_header(name: str) -> bool:
    """Tell whether the HTTP header `name` looks like one that authenticates, or carries a session."""
    plain = plain_name(name)
    return bool(_HEADER.search(plain)) and not _HARMLESS.search(plain)


def _schemas_of(told: object) -> list[object]:
    """Return what stands at the places of a config's schema, in a manifest or in its `spec`."""
    roots = [told]
    manifests = list(_followed(told, roots))
    specs = [spec for each in manifests for spec in _followed(_mapping(each).get("spec"), roots)]
    names = ("connection_specification", "connectionSpecification")
    written = [_mapping(each).get(name) for each in [*manifests, *specs] for name in names]
    return [schema for each in written for schema in _followed(each, roots)]


def _named(value: object, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _named(item, str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _named(item, name)
    elif is_secret_name(name):
        yield from _leaves(value)


def _marked(value: object, schema: object, roots: Sequence[object], seen: set[tuple[int, int]]) -> Iterator[str]:
    """Yield the leaves of `value` that `schema` marks; `seen` are the pairs of both that have been looked at."""
    if schema is None or (id(value), id(schema)) in seen:
        return
    seen.add((id(value), id(schema)))
    branches: list[object] = []
    for each in map(_mapping, _followed(schema, roots)):
        if any(_is_mark(each.get(name), roots) for name in ("airbyte_secret", "secret")):
            yield from _leaves(value)
            return
        branches += [branch for keyword in ("oneOf", "anyOf", "allOf") for branch in _list(each.get(keyword), roots)]
        branches += [each.get(keyword) for keyword in ("if", "then", "else")]
        for item, subschema in _members(value, each, roots):
            yield from _marked(item, subschema, roots, seen)
    for branch in branches:
        yield from _marked(value, branch, roots, seen)


def _members(value: object, schema: Mapping[str, Any], roots: Sequence[object]) -> Iterator[tuple[object, object]]:
    if isinstance(value, Mapping):
        named = [_mapping(each) for each in _followed(schema.get("properties"), roots)]
        patterns = [_mapping(each) for each in _followed(schema.get("patternProperties"), roots)]
        others = [schema.get("additionalProperties"), *(subschema for each in patterns for subschema in each.values())]
        for name, item in value.items():
            yield from ((item, each[name]) for each in named if name in each)
            yield from ((item, subschema) for subschema in others)
    elif isinstance(value, list):
        subschemas = [schema.get("items"), *_list(schema.get("items"), roots), *_list(schema.get("prefixItems"), roots)]
        yield from ((item, subschema) for item in value for subschema in subschemas)


def _is_mark(value: object, roots: Sequence[object]) -> bool:
    return any(each is True for each in _followed(value, roots))


def _followed(value: object, roots: Sequence[object]) -> Iterator[object]:
    """Yield `value` and all that its references lead to: `{"$ref": "#/…"}`, or a text `#/…` alone."""
    waiting, seen = [value], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, str):
            waiting += [_referred(each, root) for root in roots if each.startswith("#")]
        else:
            yield each
            waiting.append(_mapping(each).get("$ref"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object, roots: Sequence[object]) -> list[object]:
    return [item for each in _followed(value, roots) if isinstance(each, list) for item in each]


def _referred(reference: str, root: object) -> object:
    """Return what `reference` leads to from `root`, or None. A name that itself has a `/` is found first."""
    found, rest = root, urllib.parse.unquote(reference[2:])
    while rest and found is not None:
        if rest in _mapping(found):
            return _mapping(found)[rest]
        name, _, rest = rest.partition("/")
        if isinstance(found, list):
            found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
        else:
            found = _mapping(found).get(name.replace("~1", "/").replace("~0", "~"))
    return found


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
