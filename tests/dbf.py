"""Writing dBase III files for tests: the few bytes of the format that a reader needs."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Field(NamedTuple):
    name: str
    kind: str
    """C is text, N a number, D a date as YYYYMMDD, L T, F or blank."""
    length: int
    decimals: int = 0


def write_dbf(path: Path, fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
    """`path` is a table of `rows`, whose values are the texts that the format stores."""
    header_bytes = 32 + 32 * len(fields) + 1
    row_bytes = 1 + sum(field.length for field in fields)
    header = struct.pack("<BBBBIHH20x", 0x03, 124, 1, 1, len(rows), header_bytes, row_bytes)
    for field in fields:
        name = field.name.encode().ljust(11, b"\0")
        header += struct.pack("<11sc4xBB14x", name, field.kind.encode(), field.length, field.decimals)
    body = b"".join(b" " + b"".join(_cell(*pair) for pair in zip(fields, row, strict=True)) for row in rows)
    path.write_bytes(header + b"\r" + body + b"\x1a")


def _cell(field: Field, value: str) -> bytes:
    text = value.encode("ascii")
    return text.rjust(field.length) if field.kind == "N" else text.ljust(field.length)
