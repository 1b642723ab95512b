"""The schema that records have, and how their times are written.

The contract is that of the CDK's own inferrers (builder reference, section 3.4), so that a form which knows those can
use it: every field may be null but the keys, a field that is only ever null is left out, times are looked for in the
fields of the uppermost level. What differs: integers stay integers, and texts that all have one format (`date-time`,
`uuid`, …) say so. Decision 0132.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["inferred"]

_DEPTH_MAX = 100  # deeper values have no schema of their own
_TIMES = (  # the CDK's, in its order, which decides where several would fit; then those that it does not look for
    *("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S.%f%z"),
    *("%Y-%m-%dT%H:%M:%S.%f%z", "%s", "%ms", "%d/%m/%Y %H:%M", "%Y-%m", "%d-%m-%Y"),
    *(
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m-%d %H:%M:%S%z",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.%f",
        "%Y-%m-%d %H:%M:%S.%f",
    ),
    *("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y/%m/%d", "%d/%m/%Y", "%Y%m%dT%H%M%SZ", "%a, %d %b %Y %H:%M:%S %Z"),
)
_EPOCHS = {"%s": range(1_000_000_000, 2_000_000_000), "%ms": range(1_000_000_000_000, 2_000_000_000_000)}
_TIME_CHARACTERS = range(7, 41)  # shorter and longer texts are no times, and need not be tried
_FORMATS = {
    "date-time": re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})"),
    "date": re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"),
    "uuid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "email": re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"),
    "uri": re.compile(r"[a-z][a-z0-9+.-]*://[^\s<>\"]+"),
    "ipv4": re.compile(r"((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)"),
}


def inferred(
    records: Iterable[Mapping[str, Any]], keys: Sequence[Sequence[str]] = ()
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Return the JSON Schema that all `records` obey (None without records), and the formats of their times.

    `keys` are the paths of primary key and cursor: they are required, and not null, where records have them. Formats
    are those of `strptime`, with `%s` and `%ms` for seconds and milliseconds; a field has one if every record has a
    time there, written so. Equal records give equal results, in the order in which fields first came.
    """
    known = _Known()
    times: dict[str, list[str]] | None = None
    for record in records:
        known.see(record, 0)
        times = _still_times(record, times)
    if times is None:
        return None, {}
    schema = known.schema() or {}
    schema["type"] = "object"
    for path in keys:
        _require(schema, path)
    return schema, {name: formats[0] for name, formats in times.items()}


class _Known:
    """What has been seen in one place: types, and what is in them."""

    def __init__(self) -> None:
        self.types: set[str] = set()
        self.properties: dict[str, _Known] = {}
        self.items: _Known | None = None
        self.formats: list[str] | None = None

    def see(self, value: object, depth: int) -> None:
        if value is None:
            self.types.add("null")
        elif isinstance(value, Mapping):
            self.types.add("object")
            for name, item in value.items() if depth < _DEPTH_MAX else ():
                self.properties.setdefault(str(name), _Known()).see(item, depth + 1)
        elif isinstance(value, (list, tuple)):
            self.types.add("array")
            for item in value if depth < _DEPTH_MAX else ():
                self.items = self.items or _Known()
                self.items.see(item, depth + 1)
        elif isinstance(value, str):
            self.types.add("string")
            remaining = _FORMATS if self.formats is None else self.formats
            self.formats = [name for name in remaining if _FORMATS[name].fullmatch(value)]
        else:
            self.types.add(_number_type(value))

    def schema(self) -> dict[str, Any] | None:
        """Return the schema of what has been seen, nullable, or None where that was only null."""
        types = self.types - {"null"}
        if "number" in types:
            types.discard("integer")
        schemas = [self._schema_of(each) for each in sorted(types)]
        if len(schemas) <= 1:
            return schemas[0] if schemas else None
        if types & {"object", "array"}:
            return {"anyOf": schemas}
        return {"type": [*sorted(types), "null"]}

    def _schema_of(self, kind: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": [kind, "null"]}
        if kind == "string" and self.formats:
            schema["format"] = self.formats[0]
        if kind == "array":
            items = None if self.items is None else self.items.schema()
            schema.update({} if items is None else {"items": items})
        if kind == "object":
            found = {name: known.schema() for name, known in self.properties.items()}
            properties = {name: each for name, each in found.items() if each is not None}
            schema.update({"properties": properties} if properties else {})
        return schema


def _number_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number"


def _require(schema: dict[str, Any], path: Sequence[str]) -> None:
    """Make what is at `path` required and not null, and what is above it, as far as records have it."""
    for name in path:
        found = schema.get("properties", {}).get(name)
        if found is None:
            return
        schema["required"] = [*dict.fromkeys([*schema.get("required", []), name])]
        types = [each for each in found.get("type", []) if each != "null"]
        if types:
            found["type"] = types[0] if len(types) == 1 else types
        schema = found


def _still_times(record: Mapping[str, Any], before: Mapping[str, list[str]] | None) -> dict[str, list[str]]:
    """Return the fields that hold times in `record` and in all before, each with the formats that fit all."""
    candidates = {name: [*_TIMES] for name in record} if before is None else before
    fitting = {
        name: [each for each in formats if _is_time(record.get(name), each)] for name, formats in candidates.items()
    }
    return {name: formats for name, formats in fitting.items() if formats}


def _is_time(value: object, written: str) -> bool:
    if written in _EPOCHS and isinstance(value, str):
        value = int(value) if len(value) in _TIME_CHARACTERS and value.isdecimal() else None
    if written in _EPOCHS:
        return isinstance(value, int) and value in _EPOCHS[written]
    if not isinstance(value, str) or len(value) not in _TIME_CHARACTERS or not any(each.isdigit() for each in value):
        return False
    try:
        dt.datetime.strptime(value, written)  # noqa: DTZ007 -- only whether it can be read
    except ValueError:
        return False
    return True
