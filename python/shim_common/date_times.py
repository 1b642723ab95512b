"""Date-times of records made right, as RFC 3339, where a schema promises them.

A schema is compiled once into the places at which it promises a date-time; one without any compiles to None, and its
documents cost nothing. What is right already is left as it is, and so is what cannot be understood, which is told once.
"""

from __future__ import annotations

import datetime as dt
import decimal
import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from python.protocol import pointer
from python.shim_common.schemas import types_of
from python.shim_common.values import Json, items, mapping

__all__ = ["MILLISECONDS_FROM", "DateTimes", "date_times", "rfc3339"]

MILLISECONDS_FROM = 32_503_680_000
"""Unix times from this number on are milliseconds: as seconds, they would lie after the year 3000."""

_SECONDS_FROM = -62_135_596_800  # the beginning of the year 1; what is less can be nothing but milliseconds

_logger = logging.getLogger(__name__)

_RIGHT = re.compile(  # ranges instead of \d, and the usual Z first: a third less time for what nearly every value costs
    r"[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    r"(?:Z|(?:\.[0-9]+)?(?:Z|[+-][0-2][0-9]:[0-5][0-9]))"
).fullmatch
_WRITTEN = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:(?:[Tt_]| +)(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?"
    r"(?: ?(?:[Zz]|UTC|GMT|([+-])(\d\d)(?::?(\d\d))?))?)?",
    re.ASCII,
)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
_UNIX = re.compile(r"-?\d{9,13}(?:\.\d+)?", re.ASCII)  # eight digits may be a date, and 14 a date and a time
_COMBINERS = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("then", "else")
_SHOWN_CHARACTERS_MAX = 60

_At = tuple[str, ...]


def rfc3339(value: object) -> str | None:
    """Return the date-time that `value` means in RFC 3339's form; None where it cannot be understood.

    It takes dates, which begin at midnight; times without an offset, which are UTC; a space for the T; offsets without
    a colon; the basic form without separators; unix seconds and milliseconds, as numbers or as text. No digit of a
    fraction is lost.

    >>> rfc3339("2024-01-02 03:04:05.123456789+0100"), rfc3339(1704164645000), rfc3339("2024-02-30")
    ('2024-01-02T03:04:05.123456789+01:00', '2024-01-02T03:04:05Z', None)
    """
    if isinstance(value, (str, dt.date)):
        text = value.strip() if isinstance(value, str) else value.isoformat()
        if found := _WRITTEN.fullmatch(text):
            return _of_parts(found.groups())
        if found := _BASIC.fullmatch(text):
            return _of_parts((*found.groups(), None, None, None, None))
        return _of_unix(decimal.Decimal(text)) if _UNIX.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)) or not math.isfinite(value):
        return None
    return _of_unix(decimal.Decimal(str(value)))


def _of_parts(parts: Sequence[str | None]) -> str | None:
    *_, fraction, sign, zone_hour, zone_minute = parts
    year, month, day, hour, minute, second = (int(part or 0) for part in parts[:6])
    try:
        time = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.timezone.utc)
        offset = dt.time(int(zone_hour or 0), int(zone_minute or 0))
    except ValueError:
        return None
    zone = f"{sign}{offset:%H:%M}" if sign else "Z"
    return f"{time.isoformat()[:19]}{'.' if fraction else ''}{fraction or ''}{zone}"


def _of_unix(number: decimal.Decimal) -> str | None:
    seconds = number if _SECONDS_FROM <= number < MILLISECONDS_FROM else number.scaleb(-3)
    whole = math.floor(seconds)
    try:
        time = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=whole)
    except OverflowError:
        return None
    fraction = f"{seconds - whole:f}".partition(".")[2].rstrip("0")
    return f"{time.isoformat()[:19]}{'.' if fraction else ''}{fraction}Z"


class _Place:
    """What a schema promises at one place: a date-time, whether a number may stand for it, and the places below."""

    def __init__(self) -> None:
        self.is_time = False
        self.numbers = False
        self.members: dict[str, _Place] = {}
        self.others: _Place | None = None
        self.items: _Place | None = None

    def below(self) -> Iterator[_Place]:
        """Yield the places directly below."""
        yield from self.members.values()
        yield from filter(None, (self.others, self.items))


class DateTimes:
    """Makes the date-times of one stream's records right, at the places that were compiled from its schema."""

    def __init__(self, root: _Place, stream: str) -> None:
        self._root = root
        self._stream = stream
        self._told: set[_At] = set()
        leaves = all(place.is_time and not any(place.below()) for place in root.members.values())
        self._names = tuple(root.members) if leaves and root.others is None else None

    def repaired(self, data: Json) -> Json:
        """Return `data` with its date-times made right; itself where all are. `data` is never changed."""
        if self._names is not None:
            for name in self._names:
                value = data.get(name)
                if value is not None and not (type(value) is str and _RIGHT(value)):
                    break
            else:  # the usual case, without a call for each value
                return data
        right = self._value(self._root, data, ())
        return right if isinstance(right, dict) else data

    def _value(self, place: _Place, value: object, at: _At) -> object:
        if isinstance(value, Mapping):
            return self._object(place, value, at)
        if isinstance(value, (list, tuple)):
            return self._list(place, value, at)
        return self._time(place, value, at) if place.is_time and value is not None else value

    def _time(self, place: _Place, value: object, at: _At) -> object:
        if _RIGHT(value) if isinstance(value, str) else place.numbers and not isinstance(value, dt.date):
            return value
        right = rfc3339(value)
        if right is None and at not in self._told:
            self._told.add(at)
            _logger.warning(
                "stream %s: %s is %s, which is no date-time, though its schema says so; such values are left as is",
                self._stream,
                pointer.join(at),
                repr(value)[:_SHOWN_CHARACTERS_MAX],
            )
        return value if right is None else right

    def _object(self, place: _Place, value: Mapping[str, object], at: _At) -> Mapping[str, object]:
        changed: dict[str, object] | None = None
        for name in place.members if place.others is None else value:
            old = value.get(name)
            below = place.members.get(name) or place.others
            new = self._value(below, old, (*at, name)) if below and old is not None else old
            if new is not old:
                changed = dict(value) if changed is None else changed
                changed[name] = new
        return value if changed is None else changed

    def _list(self, place: _Place, value: Sequence[object], at: _At) -> Sequence[object]:
        below = place.items
        if below is None:
            return value
        right = [self._value(below, item, (*at, "*")) for item in value]
        same = all(new is old for new, old in zip(right, value))  # noqa: B905 -- of one length; `strict` is dear
        return value if same else right


def date_times(schema: Json, stream: str) -> DateTimes | None:
    """Return what makes the date-times right that `schema` promises; None where it promises none.

    `stream` is for the log. References inside of `schema` are followed, recursive ones too.
    """
    compiler = _Compiler(schema)
    root = compiler.place([schema])
    useful = {id(place) for place in compiler.places if place.is_time}
    while more := [place for place in compiler.places if id(place) not in useful and _leads(place, useful)]:
        useful.update(map(id, more))
    for place in compiler.places:
        place.members = {name: below for name, below in place.members.items() if id(below) in useful}
        place.others = place.others if id(place.others) in useful else None
        place.items = place.items if id(place.items) in useful else None
    return DateTimes(root, stream) if id(root) in useful else None


def _leads(place: _Place, useful: set[int]) -> bool:
    return any(id(below) in useful for below in place.below())


class _Compiler:
    """Makes places of a schema: several subschemas which hold for the same value, such as an allOf, are one place."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._made: dict[frozenset[int], _Place] = {}

    @property
    def places(self) -> list[_Place]:
        return list(self._made.values())

    def place(self, schemas: Sequence[object]) -> _Place:
        """Return the place at which all of `schemas` hold; made before, where they are those of an outer place."""
        parts: dict[int, Json] = {}
        for schema in schemas:
            self._collect(mapping(schema), parts)
        key = frozenset(parts)
        if key in self._made:
            return self._made[key]
        made = self._made[key] = _Place()
        found = parts.values()
        made.is_time = any(part.get("format") == "date-time" for part in found)
        made.numbers = any({"integer", "number"} & set(types_of(part)) for part in found)
        below: dict[str, list[object]] = {}
        for part in found:
            for name, schema in mapping(part.get("properties")).items():
                below.setdefault(name, []).append(schema)
        made.members = {name: self.place(schemas) for name, schemas in below.items()}
        others = [part["additionalProperties"] for part in found if mapping(part.get("additionalProperties"))]
        others += [schema for part in found for schema in mapping(part.get("patternProperties")).values()]
        made.others = self.place(others) if others else None
        elements = [part["items"] for part in found if mapping(part.get("items"))]
        elements += [schema for part in found for schema in items(part.get("prefixItems"))]
        made.items = self.place(elements) if elements else None
        return made

    def _collect(self, schema: Json, parts: dict[int, Json]) -> None:
        """Add `schema`, and what holds for the same value by references and combinations, to `parts`."""
        if not schema or id(schema) in parts:
            return
        parts[id(schema)] = schema
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith("#"):
            self._collect(mapping(pointer.resolve(self._root, _tokens(target))), parts)
        for branch in [each for name in _COMBINERS for each in items(schema.get(name))]:
            self._collect(mapping(branch), parts)
        for name in _BRANCHES:
            self._collect(mapping(schema.get(name)), parts)


def _tokens(reference: str) -> tuple[str, ...]:
    """Return where a local reference points to; nowhere for one by an anchor, which Airbyte's schemas do not use."""
    return pointer.parse(reference[1:]) if reference[1:2] in ("", "/") else ("$anchor", reference)
