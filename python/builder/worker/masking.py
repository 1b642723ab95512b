"""Keeping secrets out of everything that leaves a worker: results, logs, errors, recordings.

Two rules work together. *By value*: what the specification marks with `airbyte_secret`, and what stands in the config
under a name that looks like a secret, is masked wherever it shows, in every spelling. *By place*: what
stands under such a name, in a header that authenticates, behind `Bearer`, in a URL's user part, is masked whatever it
is; a strong value found so (an access token in a token response) is masked by value from then on.

How far a value reaches depends on how strong it is, since masking `a` or `true` would leave nothing to read:

- 8 characters and more: anywhere, inside of longer words too;
- 4 to 7 characters: as a word of its own;
- fewer, a word of `_COMMON`, or a number below six digits: by place alone.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import secret_values, spellings

__all__ = ["MASK", "Masker"]

MASK = "****"

_ANYWHERE_CHARACTERS_MIN = 8
_WORD_CHARACTERS_MIN = 4
_NUMBER_DIGITS_MIN = 6
_LEARNED_CHARACTERS_MIN = 16  # a value that no specification marks, and that may be an ordinary word of a record
_DEPTH_MAX = 200  # a recursion that ends before Python's does
_TOO_DEEP = "(nested too deeply to be shown)"
_COMMON = frozenset(
    {
        *("true", "false", "null", "none", "test", "demo", "user", "admin", "default"),
        *("basic", "bearer", "token", "password", "secret", "string", "http", "json"),
    }
)
_COOKIE = re.compile(
    r"(?P<name>(?:^|[;,]\s*)(?!(?i:expires|max-age|path|domain|samesite|version)=)[^=;,\s]+=)(?P<value>[^;,\s]+)"
)
_NAME_CHARACTERS_MAX = 60
_VALUE = r"[^\s\"',;\\<>&]"
_BEARER = re.compile(rf"(?i:bearer)(?:\s+|%20|\+)(?P<value>(?=[^\s\"']{{0,200}}[0-9=_]){_VALUE}{{8,}}|{_VALUE}{{20,}})")
_BASIC = re.compile(r"(?i:basic)(?:\s+|%20|\+)(?P<value>[A-Za-z0-9+/_-]{6,}(?:={0,2}|(?:%3[dD]){0,2}))")
_SCHEME = re.compile(rf"(?i:token|negotiate|jwt|oauth|ssws)\s+(?P<value>(?=[^\s\"']{{0,200}}[0-9]){_VALUE}{{16,}})")
_NAMED = re.compile(
    r"(?i:pass|pwd|passwd|password|passphrase|passcode|secrets?|credentials?|authorization|bearer|jwt|pat|key|token"
    r"|cookie|signature|sig)"
    r"(?:"
    r"(?:\\*[\"'])?\s*[:=]\s*(?P<quote>\\*[\"'])(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\\]))*)"
    r"|=(?P<plain>[^\s&;,\"'<>{}()\[\]\\]+)"
    r"|:\s*(?:[A-Za-z-]+\s+)?(?P<shown>(?=[^\s\"']{0,200}[0-9])[^\s&;,\"'<>{}()\[\]\\]{6,})"
    r")",
    re.DOTALL,
)
_BEGINNINGS = re.compile(  # where one of these may match: searched in lower case, which is five times as fast
    "pass|pwd|secret|credential|authorization|bearer|basic|jwt|pat|key|token|cookie|sig|negotiate|oauth|ssws"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<value>.*?)(?:-----END|\Z)", re.DOTALL)
_JWT = re.compile(r"\b(?P<value>eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*)")
_USER_PART = re.compile(r"://[^/\s:@\"']*:(?P<value>[^/\s@\"']+)@")
_PLACED = {"-----BEGIN": _PEM, "eyJ": _JWT, "://": _USER_PART}
_NAME_BEFORE = re.compile(r"[\w.-]*\Z")
_NAME_END = re.compile(r"[^\w.-]")
_SIGNED = ("signature", "sig", "cookie", "set_cookie")  # names of secrets in texts: of a query, of a header shown


class Masker:
    """Masks the secrets of one config. It learns: what it finds by place is known by value afterwards.

    Mask before text is cut: half of a secret is not recognised. `told` is a manifest, its `spec`, its
    `connection_specification`, or None: give the manifest where its `spec` may refer to other parts of it. A branch of
    `oneOf` counts whether it matches the config or not.
    """

    def __init__(self, told: object, config: Mapping[str, Any]) -> None:
        self._spelled: dict[str, tuple[spellings.Spelling, bool]] = {}  # with whether it counts as a word alone
        self._secret_names: dict[str, bool] = {}
        self._add(secret_values.secrets_of(told, config))

    def mask(self, value: Any, *, by_place: bool = True) -> Any:  # noqa: ANN401 -- any JSON value, of the same shape
        """Return `value` with every secret in its texts, keys and numbers as `****`.

        `by_place=False` is for a manifest that goes back to its author, where `api_token: …` must stay as it came.
        """
        known = len(self._spelled)
        value = self._masked(value, self._placed if by_place else _unchanged)
        return value if len(self._spelled) == known else self._masked(value, _unchanged)

    def text(self, text: str) -> str:
        """Return `text` with every secret as `****`: a log line, an error, a body, a header."""
        masked: str = self.mask(text)
        return masked

    def learn(self, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """From now on what stands in `value` in the place of a secret is masked by value."""
        self._masked(value, self._placed)

    def _masked(self, value: Any, change: Callable[[str, str], str]) -> Any:  # noqa: ANN401 -- any JSON value
        """Return `value` without the secrets that are known, and then with `change(name, text)` in place of each text.

        Whole secrets go first: what is found by place may be a part of one.
        """
        patterns = self._patterns(json.dumps(value, ensure_ascii=False, default=str))

        def changed(name: str, text: str) -> str:
            for pattern in patterns:
                text = pattern.sub(MASK, text)
            return change(name, text)

        return _walked(value, changed if patterns else change, "", 0)

    def _add(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            strength = _strength(secret)
            for each in spellings.spellings(secret) if strength else ():
                alone = strength == _WORD_CHARACTERS_MIN and each.text in (secret, secret.strip())
                if len(each.text) >= _WORD_CHARACTERS_MIN:
                    self._spelled[each.text] = each, alone and self._spelled.get(each.text, (each, True))[1]

    def _found(self, secret: str) -> None:
        """Learn what stood in the place of a secret, unless it could be an ordinary word."""
        plain = secret.isalpha() or secret.isdigit() or any(each.isspace() for each in secret)
        least = _LEARNED_CHARACTERS_MIN if plain else _ANYWHERE_CHARACTERS_MIN
        if len(secret) >= least and MASK not in secret and "{{" not in secret and secret not in self._spelled:
            self._add([secret])

    def _patterns(self, dumped: str) -> list[re.Pattern[str]]:
        """Return what finds the secrets that may be in `dumped`, a JSON text; longest first."""
        plain = spellings.without_escaped_words(dumped)
        words = plain != dumped
        lower = (plain + dumped if words else dumped).lower()
        found = [each for each in self._spelled.values() if each[0].run in lower]
        found.sort(key=lambda each: (-len(each[0].text), each[0].text))
        return [each.pattern(words=words, alone=alone) for each, alone in found]

    def _placed(self, name: str, text: str) -> str:
        """Return `text`, which stands under `name`, without what is a secret because of its place."""
        if not text:
            return text
        if name not in self._secret_names:
            in_headers = name.startswith(_IN_HEADERS)
            is_secret = secret_values.is_secret_header if in_headers else secret_values.is_secret_name
            self._secret_names[name] = is_secret(name[len(_IN_HEADERS) :] if in_headers else name)
        if not self._secret_names[name] or "{{" in text:
            return self._in_text(text)
        if "cookie" in name.lower():
            return _COOKIE.sub(self._replaced, text)
        scheme, _, credential = text.rpartition(" ")
        self._found(credential)
        if scheme.lower() == "basic":
            self._found(_password(credential) or "")
        return f"{scheme} {MASK}" if scheme.isalpha() else MASK

    def _in_text(self, text: str) -> str:
        """Return `text` without what its own words show to be a secret."""
        if len(text) < _ANYWHERE_CHARACTERS_MIN:
            return text
        for needle, pattern in _PLACED.items():
            if needle in text:
                text = pattern.sub(self._replaced, text)
        lower = text.lower()
        if len(lower) != len(text):  # a letter that is two in lower case
            lower = "".join(each.lower() if each.isascii() else each for each in text)
        parts, end = [], 0
        for begin in _BEGINNINGS.finditer(lower):
            found = None if begin.start() < end else self._at(text, begin.start())
            if found is not None:
                match, masked = found
                parts += [text[end : match.start()], masked]
                end = match.end()
        return "".join([*parts, text[end:]]) if parts else text

    def _at(self, text: str, start: int) -> tuple[re.Match[str], str] | None:
        """Return what of `text` from `start` on shows a secret, and what is shown instead."""
        if start == 0 or not text[start - 1].isalnum():
            for pattern in (_BEARER, _SCHEME, _BASIC):
                match = pattern.match(text, start)
                if match is not None and (pattern is not _BASIC or self._is_basic(match)):
                    return match, self._replaced(match)
        match = _NAMED.match(text, start)
        masked = None if match is None else self._replaced_named(match)
        return None if match is None or masked is None else (match, masked)

    def _replaced(self, match: re.Match[str], group: str = "value") -> str:
        value = match[group]
        self._found(value)
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return match[0][:start] + MASK + match[0][end:]

    def _is_basic(self, match: re.Match[str]) -> bool:
        password = _password(match["value"])
        self._found(password or "")
        return password is not None

    def _replaced_named(self, match: re.Match[str]) -> str | None:
        group = next(each for each in ("quoted", "plain", "shown") if match[each] is not None)
        before = match.string[max(0, match.start() - _NAME_CHARACTERS_MAX) : match.start()]
        name = _NAME_BEFORE.findall(before)[0] + _NAME_END.split(match[0], maxsplit=1)[0]
        plain = secret_values.plain_name(name)
        in_header = plain.startswith("x_") and secret_values.is_secret_header(name)
        wanted = secret_values.is_secret_name(name) or in_header or plain in _SIGNED
        if not wanted or not match[group] or "{{" in match[group]:
            return None
        return self._replaced(match, group)


_IN_HEADERS = "headers\0"  # before the name of what stands in an object called `headers`


def _walked(value: Any, change: Callable[[str, str], str], name: str, depth: int) -> Any:  # noqa: ANN401 -- JSON
    """Return `value` with `change(name, text)` in place of each text, where `name` is the key above it."""
    if isinstance(value, str):
        return change(name, value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return MASK if change("", str(value)) == MASK else value
    if depth > _DEPTH_MAX:
        return _TOO_DEEP
    if isinstance(value, Mapping):
        within = _IN_HEADERS if name.lower() in ("headers", "request_headers") else ""
        return {
            change("", str(key)): _walked(item, change, within + str(key), depth + 1) for key, item in value.items()
        }
    return [_walked(item, change, name, depth + 1) for item in value]


def _unchanged(_: str, text: str) -> str:
    return text


def _password(credential: str) -> str | None:
    """Return the password in the credential of basic authentication, or None where it is none."""
    with contextlib.suppress(ValueError):
        data = base64.b64decode(urllib.parse.unquote(credential), validate=True)
        _, colon, password = data.decode().partition(":")
        return password if colon else None
    return None


def _strength(secret: str) -> int:
    """Return the length from which secrets like this one are masked by value, or 0 where none is."""
    if len(secret) < _WORD_CHARACTERS_MIN or secret.lower() in _COMMON:
        return 0
    if secret.isdigit() and len(secret) < _NUMBER_DIGITS_MIN:
        return 0
    return _ANYWHERE_CHARACTERS_MIN if len(secret) >= _ANYWHERE_CHARACTERS_MIN else _WORD_CHARACTERS_MIN
