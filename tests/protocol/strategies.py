"""Any message of any protocol, drawn from the definition of its type."""

from __future__ import annotations

import datetime as dt
import json
import types
from typing import Any, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from python.protocol.wire import Duration, Int64

_DEPTH_MAX = 3  # a collection has a derivation, which has transforms, which have collections

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6
)
json_objects = st.dictionaries(text, json_values, max_size=3)


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: text,
    bool: st.booleans(),
    int: st.integers(0, 2**32 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=8),
    dt.datetime: st.datetimes(timezones=st.just(dt.timezone.utc)),
    Int64: st.integers(-(2**63), 2**64 - 1).map(Int64),
    Duration: st.integers(-(10**15), 10**15).map(lambda nanoseconds: Duration(nanoseconds / 10**9)),
    msgspec.Raw: json_values.map(raw),
}


def values(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Draw a value of the type `kind`, as it stands in the definition of a message."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.none() | st.one_of(*[values(each, depth) for each in arguments if each is not types.NoneType])
    if origin is tuple:
        return st.lists(values(arguments[0], depth), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(text, values(arguments[1], depth), max_size=2)
    return messages(kind, depth + 1)


def messages(kind: type[msgspec.Struct], depth: int = 0) -> st.SearchStrategy[Any]:
    """Draw a message of the type `kind`; a member that has a default is often absent."""
    members = {}
    for field in msgspec.structs.fields(kind):
        wanted = json_objects.map(raw) if field.name == "doc" else st.deferred(_later(field.type, depth))
        if field.required:
            members[field.name] = wanted
        elif depth < _DEPTH_MAX:
            default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
            members[field.name] = st.just(default) | wanted
    return st.builds(kind, **members)


def _later(kind: Any, depth: int) -> Any:
    return lambda: values(kind, depth)
