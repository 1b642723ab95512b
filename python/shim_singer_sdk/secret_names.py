"""Secrets by their names: most taps do not say which of their settings are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from python.shim_common.values import Json, mapping

__all__ = ["looks_secret", "marked", "secrets_in"]

_SECRET = re.compile(
    r"(passw(or)?d|pass_?phrase|secret|token|(api|private|access)[_-]?key|credential|authorization|cookie)s?"
    r"(_?(json|value))?$",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret.

    >>> [name for name in ("client_secret", "apiKey", "access_token_url", "primary_keys") if looks_secret(name)]
    ['client_secret', 'apiKey']
    """
    return _SECRET.search(name) is not None


def marked(schema: Json) -> Json:
    """Return a config's JSON Schema in which texts that look secret are marked so, at any depth; it is not changed.

    Of an object that looks secret, such as `api_keys`, each member is one. A mark that is there already, stays.
    """
    properties = mapping(schema.get("properties"))
    if not properties:
        return schema
    return {**schema, "properties": {name: _property(name, mapping(value)) for name, value in properties.items()}}


def secrets_in(config: object, name: str = "") -> Iterator[str]:
    """Yield the texts in `config`, a setting called `name`, which look secret by a name that stands above them."""
    if isinstance(config, dict):
        for member, item in config.items():
            yield from secrets_in(item, name if looks_secret(name) else str(member))
    elif isinstance(config, list):
        for item in config:
            yield from secrets_in(item, name)
    elif isinstance(config, str) and looks_secret(name):
        yield config


def _property(name: str, schema: Json) -> Json:
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if looks_secret(name) and "string" in kinds:
        return {"secret": True, **schema}
    if looks_secret(name) and "object" in kinds and not schema.get("properties"):
        return {**schema, "additionalProperties": {"secret": True, **mapping(schema.get("additionalProperties"))}}
    items = mapping(schema.get("items"))
    return {**marked(schema), "items": marked(items)} if items else marked(schema)
