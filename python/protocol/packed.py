"""FoundationDB tuples: the keys and values of documents, packed so that their bytes sort as the values do.

Flow packs JSON scalars by the tuple layer's specification (protocol reference, section 5.1; the layout is that of
FoundationDB's `design/tuple.md`), and arrays and objects as byte strings of JSON text. It writes keys and values so
for connectors of its older runtime, also where the rest is JSON.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from python.protocol import document
from python.protocol.errors import RemoteProtocolError

__all__ = ["pack", "unpack"]

_NULL, _BYTES, _STRING, _DOUBLE, _FALSE, _TRUE = 0x00, 0x01, 0x02, 0x21, 0x26, 0x27
_ZERO = 0x14  # the codes beside it count the bytes of an integer: above for positive ones, below for negative ones
_BYTES_MAX = 8  # of an integer without a length byte of its own
_SIGN = 1 << 63
_decode = msgspec.json.Decoder(float_hook=document.number).decode


def unpack(data: bytes) -> tuple[Any, ...]:
    """Return the JSON values in `data`. Raises RemoteProtocolError where it is no packed tuple.

    >>> unpack(pack([None, True, "a", -3, 2.5, {"b": [1]}]))
    (None, True, 'a', -3, 2.5, {'b': [1]})
    """
    values: list[Any] = []
    at = 0
    try:
        while at < len(data):
            value, at = _READERS[data[at]](data, at + 1)
            values.append(value)
    except (KeyError, IndexError, ValueError, RecursionError, struct.error) as error:
        raise RemoteProtocolError(f"a packed tuple is malformed at byte {at}: {data.hex()}: {error}", rule=76) from None
    return tuple(values)


def pack(values: Iterable[object]) -> bytes:
    """Return `values`, JSON values, as a packed tuple."""
    return b"".join(map(_packed, values))


def _packed(value: object) -> bytes:
    if value is None:
        return bytes((_NULL,))
    if isinstance(value, bool):
        return bytes((_TRUE if value else _FALSE,))
    if isinstance(value, int):
        return _packed_integer(value)
    if isinstance(value, float):
        (bits,) = struct.unpack(">Q", struct.pack(">d", value))
        return struct.pack(">BQ", _DOUBLE, bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits & _SIGN else _SIGN))
    if isinstance(value, str):
        return _packed_text(_STRING, value.encode())
    return _packed_text(_BYTES, document.encode(value if isinstance(value, Mapping) else list(value)))  # type: ignore[call-overload] # JSON has no other type


def _packed_text(code: int, text: bytes) -> bytes:
    return bytes((code,)) + text.replace(b"\x00", b"\x00\xff") + b"\x00"


def _packed_integer(value: int) -> bytes:
    size = (abs(value).bit_length() + 7) // 8
    stored = value if value >= 0 else value + (1 << 8 * size) - 1
    text = stored.to_bytes(size, "big")
    if size <= _BYTES_MAX:
        return bytes((_ZERO + size if value >= 0 else _ZERO - size,)) + text
    return (bytes((_ZERO + 9, size)) if value >= 0 else bytes((_ZERO - 9, size ^ 0xFF))) + text


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.index(0, at)
    while data[end + 1 : end + 2] == b"\xff":
        end = data.index(0, end + 2)
    return data[at:end].replace(b"\x00\xff", b"\x00"), end + 1


def _string(data: bytes, at: int) -> tuple[str, int]:
    text, end = _text(data, at)
    return text.decode(), end


def _json(data: bytes, at: int) -> tuple[Any, int]:
    text, end = _text(data, at)
    return _decode(text), end


def _double(data: bytes, at: int) -> tuple[float, int]:
    (bits,) = struct.unpack_from(">Q", data, at)
    (value,) = struct.unpack(">d", struct.pack(">Q", bits ^ (_SIGN if bits & _SIGN else 0xFFFF_FFFF_FFFF_FFFF)))
    return value, at + 8


def _integer(size: int, *, negative: bool) -> Callable[[bytes, int], tuple[int, int]]:
    def read(data: bytes, at: int) -> tuple[int, int]:
        length, start = size, at
        if size > _BYTES_MAX:
            length, start = (data[at] ^ 0xFF if negative else data[at]), at + 1
        text = data[start : start + length]
        if len(text) < length:
            raise ValueError(f"an integer of {length} bytes ends after {len(text)}")
        value = int.from_bytes(text, "big")
        return (value - (1 << 8 * length) + 1 if negative else value), start + length

    return read


_READERS: Mapping[int, Callable[[bytes, int], tuple[Any, int]]] = {
    _NULL: lambda _data, at: (None, at),
    _FALSE: lambda _data, at: (False, at),
    _TRUE: lambda _data, at: (True, at),
    _BYTES: _json,
    _STRING: _string,
    _DOUBLE: _double,
    _ZERO: lambda _data, at: (0, at),
    **{_ZERO + size: _integer(size, negative=False) for size in range(1, _BYTES_MAX + 2)},
    **{_ZERO - size: _integer(size, negative=True) for size in range(1, _BYTES_MAX + 2)},
}
