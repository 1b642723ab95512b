"""What makes a value a message: the bases of all messages, and the scalars that JSON spells in a way of Flow's own.

Protocol reference, section 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Raw, Struct

__all__ = ["ABSENT", "Document", "Duration", "FromConnector", "FromRuntime", "Int64", "decode_hook", "encode_hook"]

ABSENT = Raw()
"""An optional raw JSON member that is not there: empty text, and false. What is read may also be `null`."""

if TYPE_CHECKING:
    Document = Raw | Mapping[str, object]
    """A JSON object: raw text, or a mapping that is written without loss. What is read is always raw."""
else:
    Document = Raw


_INTEGER = re.compile(r"-?[0-9]{1,20}")  # as many digits as 64 bits have
_SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?s")  # 10,000 years, to the nanosecond


class Int64(int):
    """A 64-bit integer, which is a JSON string on the wire (`"12345"`); numbers are accepted when read."""


class Duration(float):
    """Seconds, which are text on the wire: `"300s"`, `"62.250s"`."""


class FromRuntime(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Base of what the runtime sends: unknown members are ignored, since new ones appear regularly (rule 13)."""


class FromConnector(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """Base of what a connector sends: the runtime refuses unknown members (rule 5)."""


def decode_hook(kind: type, value: object) -> object:
    """The hook of msgspec for reading `Int64` and `Duration`; msgspec adds the place to a ValueError."""
    if kind is Int64 and _INTEGER.fullmatch(str(value)):
        return Int64(str(value))
    if kind is Duration and isinstance(value, str) and _SECONDS.fullmatch(value):
        return Duration(value[:-1])
    raise ValueError(f"Expected `{kind.__name__}`, got {value!r}")


def encode_hook(value: object) -> str:
    """The hook of msgspec for writing `Int64` and `Duration`."""
    if isinstance(value, Int64):
        return str(int(value))
    if isinstance(value, Duration):
        return f"{float(value):.9f}".rstrip("0").rstrip(".") + "s"
    raise TypeError(f"a message holds a {type(value).__name__}, which has no place on the wire")
