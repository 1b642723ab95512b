"""How a secret may be written: each of its characters as it is or escaped, and the whole of it in base64 or in hex.

Who writes a text escapes more or less of it (PHP a slash, .NET a plus, Go an ampersand), and texts stand in texts: so a
spelling is found by a pattern in which every character may have any of its forms, whatever the others have.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import base64
import html.entities
import itertools
import re
import urllib.parse
from collections.abc import Iterator

__all__ = ["Spelling", "spellings", "without_escaped_words"]

_LINE_CHARACTERS_MIN = 8  # a shorter line of a private key ("=", "-----") would mask half of every log
_INNER_CHARACTERS_MIN = 6  # fewer characters of base64 would be found by chance

_ESCAPED_CHARACTERS_MAX = (
    4096  # a pattern takes up to 0.2 ms for each; a longer text is found as it is, and line by line
)
_LATIN_CODES = 0x100  # Python writes these as `\xe9`

_WORD = re.compile("[A-Za-z0-9]+")
_QUOTED = "%(?:25){0,3}"  # a text may be quoted for a URL four times
_BACKSLASHES = (  # as many as a text has that is JSON in JSON in JSON in JSON; in a query too
    r"\\\\{0,14}",
    rf"{_QUOTED}5[cC](?:{_QUOTED}5[cC]){{0,6}}",
)
_WORD_CODE = "(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])"  # of 0-9, A-Z and a-z
_ESCAPED_WORD = re.compile(  # each branch begins with the character that it begins with, which makes it fast
    rf"{_QUOTED}{_WORD_CODE}|{_BACKSLASHES[0]}(?:u00|x){_WORD_CODE}|{_BACKSLASHES[1]}(?:u00|x){_WORD_CODE}"
    rf"|&(?:amp;){{0,3}}#[xX]0{{0,6}}{_WORD_CODE};?"
    r"|&(?:amp;){0,3}#0{0,6}(?:4[89]|5[0-7]|6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2])(?![0-9]);?"
)
_SHORT = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


class Spelling:
    """One text to be found, in whatever way its characters are escaped; in any case, unless it is `exact`."""

    def __init__(self, text: str, *, exact: bool = False) -> None:
        """Find `text`."""
        self.text = text
        self.run = max(_WORD.findall(text), key=len, default="").lower()
        self._exact = exact
        self._patterns: dict[tuple[bool, bool], re.Pattern[str]] = {}

    def pattern(self, *, words: bool, alone: bool) -> re.Pattern[str]:
        """Return what finds it: letters and digits escaped too if `words`, as a word of its own only if `alone`."""
        if (words, alone) not in self._patterns:
            found = _pattern(self.text, words=words, exact=self._exact)
            self._patterns[words, alone] = re.compile(
                rf"(?<![A-Za-z0-9])(?:{found})(?![A-Za-z0-9])" if alone else found
            )
        return self._patterns[words, alone]


def without_escaped_words(text: str) -> str:
    """Return `text` with each letter and each digit as it is, which hardly anybody escapes; all else stays escaped.

    The `run` of a spelling is in lower case in it, or in `text`, wherever the spelling is in `text`.
    """
    return _ESCAPED_WORD.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    number = match[0].rstrip(";").rpartition("#")[2]
    return chr(int(number) if number.isdecimal() else int(number[-2:], 16))


def spellings(secret: str) -> Iterator[Spelling]:
    """Yield what tells `secret`: itself, in hex and in base64, and these two of what URLs make of it.

    A secret of several lines (a private key) also counts line by line, since logs are read so.
    """
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= _LINE_CHARACTERS_MIN]
    for text in {secret, secret.strip(), *lines, "".join(lines)} - {""}:
        yield Spelling(text)
        for encoded in {
            text,
            urllib.parse.quote(text),
            urllib.parse.quote(text, safe=""),
            urllib.parse.quote_plus(text),
        }:
            data = encoded.encode(errors="surrogatepass")
            yield Spelling(data.hex())
            yield from (Spelling(each, exact=True) for each in {*_base64_spellings(data)})


def _base64_spellings(secret: bytes) -> Iterator[str]:
    """Yield `secret` in base64: alone, and inside of a longer text at each of three alignments (`user:secret`).

    The characters at both ends mix with the neighbours, so only those between are the secret's own.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode()
        yield encode(secret).decode().rstrip("=")
        for before in range(3):
            padded = encode(b"\0" * before + secret).decode().rstrip("=")
            inner = padded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
            if len(inner) >= _INNER_CHARACTERS_MIN:
                yield inner


def _pattern(text: str, *, words: bool, exact: bool) -> str:
    r"""Return the pattern of a text. Where backslashes stand in it, those of the next character's escape are theirs.

    So there is one way alone to match a text, and a search takes no longer than the text is long.
    """
    if len(text) > _ESCAPED_CHARACTERS_MAX:
        return re.escape(text)
    parts, after_backslash = [], False
    for character, same in itertools.groupby(text):
        count = len(list(same))
        if character == "\\":
            parts.append(_backslashes(count))
        else:
            first = _character(character, words=words, exact=exact, after_backslash=after_backslash)
            rest = _character(character, words=words, exact=exact, after_backslash=False) if count > 1 else ""
            parts.append(first + rest * (count - 1))
        after_backslash = character == "\\"
    return "".join(parts)


def _backslashes(count: int) -> str:
    return rf"(?:\\{{1,15}}u005[cC]|{_QUOTED}5[cC]|&(?:amp;){{0,3}}#0{{0,6}}92;|\\){{{count},{16 * count}}}"


def _character(character: str, *, words: bool, exact: bool, after_backslash: bool) -> str:
    cases = sorted({character} if exact else {character, character.lower(), character.upper()})
    is_word = _WORD.fullmatch(character) is not None
    if is_word and not words:
        return f"[{''.join(cases)}]"
    alone = "|".join([form for each in cases for form in _escapes(each)] + [re.escape(each) for each in cases])
    after = "|".join(form for each in cases for form in _escapes_of_backslash(each))
    if not is_word:
        after += "|" + alone
    before = ("",) if after_backslash else _BACKSLASHES
    return f"(?:{'|'.join(f'{each}(?:{after})' for each in before)}|{alone})"


def _escapes(text: str) -> Iterator[str]:
    """Yield the patterns of `%2F` and `&#47;`, of a character (or of two: `ß` in capitals)."""
    yield "".join(_QUOTED + _hex(byte, 2) for byte in text.encode(errors="surrogatepass"))
    if len(text) == 1:
        code = ord(text)
        name = "apos" if text == "'" else html.entities.codepoint2name.get(code, f"#{code}")
        yield rf"&(?:amp;){{0,3}}(?:{name}|#0{{0,6}}{code}|#[xX]0{{0,6}}{_hex(code, 1)});"
    if text == " ":
        yield from (r"\+", f"{_QUOTED}2[bB]")


def _escapes_of_backslash(text: str) -> Iterator[str]:
    r"""Yield the patterns of what stands behind the backslashes in `\u002F`, `\x2f` and `\n`."""
    data = text.encode("utf-16-be", errors="surrogatepass")
    units = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
    yield "u" + rf"(?:{'|'.join(_BACKSLASHES)})u".join(_hex(unit, 4) for unit in units)
    if len(text) == 1:
        yield f"x{_hex(ord(text), 2)}" if ord(text) < _LATIN_CODES else f"U{_hex(ord(text), 8)}"
    if text in _SHORT:
        yield _SHORT[text]


def _hex(number: int, digits: int) -> str:
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else each for each in f"{number:0{digits}x}")
