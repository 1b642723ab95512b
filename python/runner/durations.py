"""Durations as people write them in specifications: `5m`, `1h 30m`, `1day 2h` (protocol reference, section 9)."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["parse_seconds"]

_DAY = 86_400
_SPELLINGS: tuple[tuple[Fraction, str], ...] = (
    (Fraction(1, 10**9), "nanos nsec ns"),
    (Fraction(1, 10**6), "usec us µs"),
    (Fraction(1, 1000), "millis msec ms"),
    (Fraction(1), "seconds second secs sec s"),
    (Fraction(60), "minutes minute mins min m"),
    (Fraction(3600), "hours hour hrs hr h"),
    (Fraction(_DAY), "days day d"),
    (Fraction(7 * _DAY), "weeks week wks wk w"),
    (Fraction("30.44") * _DAY, "months month M"),
    (Fraction("365.25") * _DAY, "years year yrs yr y"),
)
_UNITS = {name: seconds for seconds, names in _SPELLINGS for name in names.split()}
_PART = re.compile(r"([0-9]+)\s*([A-Za-zµ]+)\s*")


def parse_seconds(text: str) -> float:
    """Return the seconds that `text` names: whole numbers with units, added up. A bare `0` is none at all.

    Months have 30.44 days and years 365.25. Raises ValueError with a sentence.

    >>> parse_seconds("1h 30m")
    5400.0
    """
    if text.strip() == "0":
        return 0.0
    total = Fraction(0)
    position = len(text) - len(text.lstrip())
    while position < len(text):
        part = _PART.match(text, position)
        unit = _UNITS.get(part[2]) if part else None
        if part is None or unit is None:
            raise ValueError(f"{text!r} is no duration; write numbers with units, such as 30s, 5m or '1h 30m'")
        total += int(part[1]) * unit
        position = part.end()
    if not text.strip():
        raise ValueError("an empty text is no duration; write numbers with units, such as 30s, 5m or '1h 30m'")
    return float(total)
