"""Keeping secrets out of logs and errors, however they were written there (rule 84)."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["MASK", "Scrubber", "secrets_in"]

MASK = "****"
_LINE_CHARACTERS_MIN = 8  # a shorter line of a multi-line secret ("=", "-----") would mask half of every log


class Scrubber:
    """Masks the secrets it has been told of: raw, URL-encoded, base64 and JSON-escaped, longest first.

    A secret of several lines (a private key) is also masked line by line, since logs are read line by line.
    """

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        """From now on `secrets` are masked."""
        found = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
        if found <= self._spellings:
            return
        self._spellings |= found
        longest_first = sorted(self._spellings, key=lambda spelling: (-len(spelling), spelling))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """Return `text` with every secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: object) -> object:
        """Return `value` with every secret masked in its texts, keys and numbers; containers become lists and dicts."""
        if self._pattern is None or value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(item) for item in value]
        if isinstance(value, str):
            return self.text(value)
        shown = str(value) if isinstance(value, (int, float)) else repr(value)  # as it would be written
        masked = self.text(shown)
        return value if masked == shown else masked


def secrets_in(config: object, schema: object) -> Iterator[str]:
    """Yield the values in `config` which `schema`, a JSON Schema, marks with `secret` or `airbyte_secret`.

    Every branch of `oneOf`, `anyOf`, `allOf`, `if` and `$ref` counts, whether it matches or not: a value that only
    might be a secret is one.
    """
    yield from _marked(config, schema, schema, ())


_BRANCHES = ("oneOf", "anyOf", "allOf")
_CONDITIONS = ("if", "then", "else")


def _marked(value: object, schema: object, root: object, seen: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    if schema.get("secret") is True or schema.get("airbyte_secret") is True:
        yield from _leaves(value)
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        yield from _marked(value, _referred(reference, root), root, (*seen, reference))
    branches = [branch for name in _BRANCHES for branch in schema.get(name) or ()]
    branches += [schema[name] for name in _CONDITIONS if name in schema]
    for branch in branches:
        yield from _marked(value, branch, root, seen)
    for item, subschema in _members(value, schema):
        yield from _marked(item, subschema, root, ())


def _members(value: object, schema: Mapping[str, object]) -> Iterator[tuple[object, object]]:
    if isinstance(value, Mapping):
        named, patterns = (_mapping(schema.get(keyword)) for keyword in ("properties", "patternProperties"))
        for name, item in value.items():
            yield item, named.get(name, schema.get("additionalProperties"))
            yield from ((item, subschema) for pattern, subschema in patterns.items() if re.search(pattern, str(name)))
    elif isinstance(value, list):
        first = schema.get("prefixItems")
        for item, subschema in zip(value, first if isinstance(first, list) else (), strict=False):
            yield item, subschema
        for item in value:
            yield item, schema.get("items")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _referred(reference: str, root: object) -> object:
    found = root
    for token in reference.removeprefix("#/").split("/"):
        name = urllib.parse.unquote(token).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _spellings(secret: str) -> Iterator[str]:
    texts = {secret, secret.strip()}
    texts.update(line for line in secret.splitlines() if len(line) >= _LINE_CHARACTERS_MIN)
    for text in texts - {""}:
        yield text
        yield urllib.parse.quote(text)
        yield urllib.parse.quote(text, safe="")
        yield urllib.parse.quote_plus(text)
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield repr(text)[1:-1]
        yield from _base64_spellings(text.encode(errors="surrogatepass"))


def _base64_spellings(secret: bytes) -> Iterator[str]:
    """Yield what base64 makes of `secret`: alone, and inside of a longer text at each of three alignments.

    Basic authentication encodes `user:secret`. The characters at both ends then mix with the neighbours, so that only
    those between are the secret's own; four or fewer of them would match by chance.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(secret).decode()
        yield whole
        for before in range(3):
            padded = encode(b"\0" * before + secret).decode().rstrip("=")
            complete = (before + len(secret)) * 8 // 6
            inner = padded[-(-before * 8 // 6) : complete]
            if len(inner) > 4:  # noqa: PLR2004 -- see above
                yield inner
