"""The proto's own field names, which Flow's runtime accepts beside the JSON names (protocol reference, section 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import get_args, get_origin

import msgspec

from python.protocol.errors import RemoteProtocolError

__all__ = ["camel_case", "canonical"]

_JSON_NAMES = {
    "schema_json": "documentSchema",
    "access_token_response_json_map": "accessTokenResponseMap",
    "refresh_token_response_json_map": "refreshTokenResponseMap",
}
"""The proto names whose JSON name is not their own in camelCase."""


def camel_case(name: str) -> str:
    """Return the JSON name of a proto field.

    >>> camel_case("resource_config_json"), camel_case("lastCapture"), camel_case("schema_json")
    ('resourceConfig', 'lastCapture', 'documentSchema')
    """
    if name in _JSON_NAMES:
        return _JSON_NAMES[name]
    stem = re.sub(r"_json(_map|_vec)?$", "", name)
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), stem)


def canonical(value: object, kind: object) -> object:
    """Return `value`, read from JSON as the type `kind`, with JSON names for proto names and without nulls.

    Only typed levels are renamed: the members of raw JSON and the keys of maps belong to users. A null is dropped
    where it stands for an absent message (rule 7 has nothing to say of those); one for a scalar stays, to be refused.
    Raises RemoteProtocolError where two spellings of one member meet (rule 6).
    """
    if isinstance(value, dict) and (struct := _struct_in(kind)):
        return _canonical_members(value, struct)
    for candidate in (kind, *get_args(kind)):
        origin, arguments = get_origin(candidate), get_args(candidate)
        if isinstance(value, list) and origin is tuple:
            return [canonical(item, arguments[0]) for item in value]
        if isinstance(value, dict) and origin is dict:
            return {key: canonical(item, arguments[1]) for key, item in value.items()}
    return value


def _canonical_members(value: Mapping[str, object], struct: type[msgspec.Struct]) -> dict[str, object]:
    types = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    members: dict[str, object] = {}
    for spelled, item in value.items():
        name = camel_case(spelled)
        if name in members:
            raise RemoteProtocolError(f"the key {name!r} comes twice in one object, once as {spelled!r}", rule=6)
        if item is not None or not _struct_in(types.get(name)):
            members[name] = canonical(item, types.get(name))
    return members


def _struct_in(kind: object) -> type[msgspec.Struct] | None:
    """Return the message type in `kind`, which is it, or it or None."""
    candidates: Sequence[object] = (kind, *(() if get_origin(kind) in (tuple, dict) else get_args(kind)))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, msgspec.Struct)), None)
