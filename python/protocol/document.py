"""Documents as JSON text, without loss.

Integers of any size, decimals and floats come out as they went in. What JSON cannot hold is an error that names the
place. orjson writes what it can write exactly; the rest goes through msgspec, which knows big integers and decimals.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import enum
import json
import math
import uuid
from collections.abc import Callable, Iterator, Mapping

import msgspec
import orjson

from python.protocol import pointer
from python.protocol.errors import DocumentError

__all__ = ["DEPTH_MAX", "Number", "decode", "encode", "number", "one_line"]

DEPTH_MAX = 200
"""The deepest nesting that is always written; from 254 on, where orjson ends, none is, and so no cyclic value."""

_NEWLINE = 10  # a number, see `encode`
_FLOAT_CHARACTERS_MAX = 16  # a point and 15 digits: what any float holds exactly
_INTEGER_DIGITS_MAX = 4300  # the default bound of the interpreter
_INTEGER_BITS_MAX = 14_000  # as many bits are surely fewer digits than that
_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_PASSTHROUGH_DATACLASS
_At = tuple[str | int, ...]  # the way to a value: member names and indexes

_exact = msgspec.json.Decoder(float_hook=decimal.Decimal)
_writer = msgspec.json.Encoder(decimal_format="number")


class Number(float):
    """A float that was read from `text`, a number in JSON's spelling which says more than a float can hold.

    It calculates as a float, also in code that knows nothing of it; `encode` writes `text`.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Number:  # noqa: PYI034 -- `Self` needs Python 3.11
        """Return the float that is nearest to `text`."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def number(text: str) -> float:
    """Return the number in `text`, a float in JSON's spelling, as a float that is written back without loss.

    >>> number("1.10"), number("12345678901234567.8").text
    (1.1, '12345678901234567.8')
    """
    value = float(text)
    if len(text) <= _FLOAT_CHARACTERS_MAX and "e" not in text and "E" not in text:
        return value
    try:
        kept = decimal.Decimal(text) == decimal.Decimal(repr(value))
    except decimal.InvalidOperation:  # an exponent beyond decimals
        kept = False
    return value if kept else Number(text)


def decode(text: bytes | msgspec.Raw) -> object:
    """Return the JSON value in `text`: integers as `int`, other numbers as `Decimal` with every digit kept.

    An integer of more than 4300 digits is a Decimal, too: Python bounds the digits of an `int` for its time's sake.
    Raises DocumentError where `text` is not one JSON value.
    """
    try:
        return _exact.decode(text)
    except msgspec.ValidationError:
        return _decode_long_integers(bytes(text))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(at="", problem=f"is not JSON: {error}") from None
    except decimal.InvalidOperation:
        raise DocumentError(at="", problem="has a number with an exponent beyond 18 digits") from None
    except RecursionError:
        raise DocumentError(at="", problem="is nested too deeply") from None


def _decode_long_integers(text: bytes) -> object:
    try:
        return json.loads(  # its NaN and Infinity are no integers, either
            text, parse_int=_long_integer, parse_float=decimal.Decimal, parse_constant=int
        )
    except (ValueError, RecursionError, decimal.InvalidOperation) as error:
        raise DocumentError(at="", problem=f"is not JSON: {error}") from None


def _long_integer(digits: str) -> int | decimal.Decimal:
    return int(digits) if len(digits) < _INTEGER_DIGITS_MAX else decimal.Decimal(digits)


def encode(value: object) -> bytes:
    r"""Return `value` as JSON text on one line, with nothing lost.

    Beside JSON's own types it takes Decimal (as a number), bytes (base64), aware and naive (read as UTC) datetimes
    (RFC 3339), dates, times, UUIDs, enums, other mappings, tuples and `msgspec.Raw`. NaN, infinity and any other type
    raise DocumentError naming the JSON pointer. `encode` never changes `value`.

    >>> encode({"id": 2**64 + 1, "price": decimal.Decimal("1.10")})
    b'{"id":18446744073709551617,"price":1.10}'
    """
    try:
        text = orjson.dumps(value, _fragment, _OPTIONS)
    except orjson.JSONEncodeError:
        return _writer.encode(_plain(value, ()))
    # `count`, since `in` first tries bytes as the number of one byte: the exception costs as much as all the rest.
    if text.count(b"null") and not _nulls_are_none(value, text):
        _refuse_non_finite(value)
    return text


def _fragment(value: object) -> object:
    """The hook of orjson: exact text for decimals, plain values for the rest; a TypeError sends it all to `_plain`."""
    if isinstance(value, decimal.Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    if isinstance(value, Number):
        return orjson.Fragment(value.text)
    if isinstance(value, msgspec.Raw):
        return orjson.Fragment(one_line(value))
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    raise TypeError


def one_line(raw: msgspec.Raw) -> bytes:
    """Return raw JSON as bytes on one line: the framing would take a newline inside for the end of the message.

    Raises DocumentError where that shows that `raw` is not JSON. Raw text on one line is taken as it is.
    """
    text = bytes(raw)
    if text and _NEWLINE not in text:
        return text
    try:
        return msgspec.json.format(text, indent=-1)
    except msgspec.DecodeError as error:
        raise DocumentError(at="", problem=f"raw text is not JSON: {error}") from None


def _nulls_are_none(value: object, text: bytes) -> bool:
    """Whether each `null` in `text` surely stands for None, and none for a NaN, which orjson writes so, too.

    For nearly every document there are as many of one as of the other. Texts may hold more of them, and what is neither
    a dict nor a list is not looked into: then it tells that NaN does not come back from its text, and None does.
    """
    if isinstance(value, (dict, list)) and text.count(b"null") == _nones(value):
        return True
    try:
        return bool(orjson.loads(text) == value)
    except orjson.JSONDecodeError:  # raw text that is not JSON, or a Decimal beyond floats
        return False


def _nones(value: dict[object, object] | list[object]) -> int:
    found = 0
    for item in value.values() if isinstance(value, dict) else value:
        if item is None:
            found += 1
        elif type(item) is dict or type(item) is list:
            found += _nones(item)
    return found


def _refuse_non_finite(value: object) -> None:
    for at, number in _floats(value, ()):
        if not math.isfinite(number):
            raise _non_finite(at, number)


def _floats(value: object, at: _At) -> Iterator[tuple[_At, float]]:
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, float) and not isinstance(value, Number):
        yield at, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _floats(item, (*at, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _floats(item, (*at, index))


def _non_finite(at: tuple[str | int, ...], number: object) -> DocumentError:
    return DocumentError(at=pointer.join(at), problem=f"{number} is not a JSON number; send null or leave it out")


def _plain(value: object, at: _At) -> object:
    """Return `value` built of types that msgspec writes exactly, or raise DocumentError naming the place."""
    if value is None or isinstance(value, bool):
        return value
    if len(at) > DEPTH_MAX:
        raise DocumentError(at=pointer.join(at[:5]) + "/…", problem=f"is nested deeper than {DEPTH_MAX} levels")
    for types, write in _WRITERS:
        if isinstance(value, types):
            return write(value, at)
    raise DocumentError(
        at=pointer.join(at), problem=f"a {type(value).__name__} is not JSON; convert it to text, a number or an object"
    )


def _plain_text(value: str, at: _At) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DocumentError(at=pointer.join(at), problem="has text with a lone surrogate, which UTF-8 lacks") from None
    return value[:]  # of a subclass, this is the text itself


def _plain_integer(value: int, at: _At) -> int | decimal.Decimal:
    del at
    return int(value) if value.bit_length() < _INTEGER_BITS_MAX else decimal.Decimal(value)


def _plain_number(value: float | decimal.Decimal, at: _At) -> float | decimal.Decimal | msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    if not value.is_finite() if isinstance(value, decimal.Decimal) else not math.isfinite(value):
        raise _non_finite(at, value)
    return value if isinstance(value, decimal.Decimal) else float(value)


def _plain_object(value: Mapping[object, object], at: _At) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key, item in value.items():
        bare = key.value if isinstance(key, enum.Enum) else key
        if isinstance(bare, bool) or not isinstance(bare, (str, int)):
            raise DocumentError(at=pointer.join(at), problem=f"has the key {key!r}; object keys are text")
        name = _plain_text(str(bare), at)
        if name in plain:
            raise DocumentError(at=pointer.join((*at, name)), problem="comes twice, as text and as a number")
        plain[name] = _plain(item, (*at, name))
    return plain


def _plain_list(value: list[object] | tuple[object, ...], at: _At) -> list[object]:
    return [_plain(item, (*at, index)) for index, item in enumerate(value)]


def _plain_time(value: dt.datetime | dt.date | dt.time, at: _At) -> str:
    del at
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=dt.timezone.utc)
    return value.isoformat()


def _plain_raw(value: msgspec.Raw, at: _At) -> msgspec.Raw:
    try:
        return msgspec.Raw(one_line(value))
    except DocumentError as error:
        raise DocumentError(at=pointer.join(at), problem=error.problem) from None


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[..., object]], ...] = (
    (enum.Enum, lambda value, at: _plain(value.value, at)),
    (int, _plain_integer),
    (str, _plain_text),
    ((float, decimal.Decimal), _plain_number),
    (Mapping, _plain_object),
    ((list, tuple), _plain_list),
    ((dt.datetime, dt.date, dt.time), _plain_time),
    (uuid.UUID, lambda value, at: str(value)),  # noqa: ARG005 -- one shape for the whole table
    (msgspec.Raw, _plain_raw),
    ((bytes, bytearray, memoryview), lambda value, at: base64.b64encode(value).decode()),  # noqa: ARG005 -- same
)
