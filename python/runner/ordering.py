"""The order of JSON values, and the text of keys that sorts like them.

Two orders, both Flow's: any two JSON values compare in reductions (null, booleans, numbers, strings, arrays, objects);
keys sort as packed tuples do (null, strings, integers, booleans).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from python.protocol import pointer
from python.protocol.pointer import MISSING

__all__ = ["KEY_DIGITS_MAX", "KeyPart", "composite", "natural", "pack_key"]

KeyPart: TypeAlias = "int | str | bool | None"
"""A value that a key may have at one of its locations."""

KEY_DIGITS_MAX = 4_000
"""Digits of the largest integer in a key: Python refuses to write much longer ones, and no source has them."""


def natural(value: object) -> tuple[int, object]:
    """Return what sorts as `value` does: `MISSING` first, then null, booleans, numbers, strings, arrays, objects.

    >>> natural(2) < natural(10) < natural("1") < natural([1]) < natural([1, 0])
    True
    """
    rank = next(rank for rank, types in enumerate(_RANKS) if isinstance(value, types))
    if isinstance(value, list):
        return rank, [natural(item) for item in value]
    if isinstance(value, dict):
        return rank, sorted((name, natural(item)) for name, item in value.items())
    return rank, 0 if value is None or value is MISSING else value


def composite(value: object, keys: Iterable[tuple[str, ...]]) -> list[tuple[int, object]]:
    """Return what sorts as `value` does by the locations `keys`, each the tokens of a JSON pointer."""
    return [natural(pointer.resolve(value, key)) for key in keys]


def pack_key(parts: Iterable[KeyPart]) -> str:
    r"""Return the text of a key: equal exactly for equal parts, and sorting as the parts do, one after the other.

    Null sorts before strings, those before integers, those before booleans. `1`, `True` and `"1"` are three keys.
    The text never has the character U+0000. Raises ValueError for an integer of more than `KEY_DIGITS_MAX` digits.

    >>> pack_key([None]) < pack_key(["10"]) < pack_key(["9"]) < pack_key([-10]) < pack_key([9]) < pack_key([10])
    True
    """
    return "".join([_PACKERS[type(part)](part) for part in parts])  # type: ignore[operator] # the table's keys are the types


_RANKS: tuple[type | tuple[type, ...], ...] = (type(MISSING), type(None), bool, (int, float, Decimal), str, list, dict)


def _pack_null(part: None) -> str:
    del part
    return "\x03"


def _pack_text(part: str) -> str:
    return f"\x04{part if part.isprintable() else _LOW.sub(_escape, part)}\x01"


def _pack_integer(part: int) -> str:
    digits = str(abs(part)) if -_LARGE < part < _LARGE else _many_digits(part)
    length = len(digits)
    if part >= 0:
        return f"{_POSITIVE[length]}{digits}" if length < _LONG else f"q{length:08}{digits}"
    mirrored = digits.translate(_MIRROR)
    return f"{_NEGATIVE[length]}{mirrored}" if length < _LONG else f"\x10{10**8 - length:08}{mirrored}"


def _pack_boolean(part: bool) -> str:  # noqa: FBT001 -- the value itself
    return "y" if part else "x"


def _many_digits(part: int) -> str:
    if abs(part) >= 10**KEY_DIGITS_MAX:
        raise ValueError(f"an integer of more than {KEY_DIGITS_MAX} digits cannot be a key")
    return str(abs(part))


def _escape(found: re.Match[str]) -> str:
    return "\x02" + chr(ord(found[0]) + ord("0"))


# A string ends with U+0001; the characters up to U+0002 are written as U+0002 and a digit, which keeps their order.
_LOW = re.compile("[\x00-\x02]")
# An integer is its number of digits, as one character, then the digits; negative ones count and read backwards.
_LONG = 30
_LARGE = 10**_LONG
_POSITIVE = [chr(ord("@") + length) for length in range(_LONG)]
_NEGATIVE = [chr(ord("?") - length) for length in range(_LONG)]
_MIRROR = str.maketrans("0123456789", "9876543210")
_PACKERS = {type(None): _pack_null, str: _pack_text, int: _pack_integer, bool: _pack_boolean}
