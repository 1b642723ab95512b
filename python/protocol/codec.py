"""Messages to lines and back: one JSON object with one member, which names the kind (protocol reference, section 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, get_args

import msgspec

from python.protocol import capture, derive, document, materialize, wire
from python.protocol.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "CAPTURE_REQUESTS",
    "CAPTURE_RESPONSES",
    "DERIVE_REQUESTS",
    "DERIVE_RESPONSES",
    "MATERIALIZE_REQUESTS",
    "MATERIALIZE_RESPONSES",
    "Codec",
]

_Message = TypeVar("_Message", bound=msgspec.Struct)
_encoder = msgspec.json.Encoder(enc_hook=wire.encode_hook)
_SHOWN_BYTES_MAX = 160  # of a line, in an error: enough to recognise it in a log


class Codec(Generic[_Message]):
    """Reads and writes the messages of one direction of one protocol.

    `kinds` maps the name on the wire to the type, the most frequent first. A `strict` codec refuses what Flow's runtime
    refuses of a connector: unknown members, a second kind beside the first, duplicate keys, nulls for scalars.
    """

    def __init__(self, kinds: Mapping[str, type[_Message]], *, strict: bool) -> None:
        self._kinds = kinds
        self._names = {kind: name for name, kind in kinds.items()}
        self._strict = strict
        envelope = msgspec.defstruct(
            "Envelope",
            [(f"kind_{name}", kind | None, msgspec.field(default=None, name=name)) for name, kind in kinds.items()],
            forbid_unknown_fields=strict,
        )
        self._decoder = msgspec.json.Decoder(envelope, dec_hook=wire.decode_hook)
        self._slots = tuple(f"kind_{name}" for name in kinds)
        name, kind = next(iter(kinds.items()))
        hot = msgspec.defstruct("Hot", [("message", kind, msgspec.field(name=name))], forbid_unknown_fields=True)
        self._hot_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(hot, dec_hook=wire.decode_hook)

    def name(self, kind: type[_Message]) -> str:
        """Return the name on the wire of the message type `kind`."""
        return self._names[kind]

    def decode(self, line: bytes) -> _Message:
        """Return the message in `line`, which has no newline. Raises RemoteProtocolError, naming the rule."""
        try:  # nearly every line is of the first kind: one attempt at it costs a third of looking at all of them
            hot: _Message = self._hot_decoder.decode(line).message
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._decode_any(line)
        return hot

    def _decode_any(self, line: bytes) -> _Message:
        try:
            envelope = self._decoder.decode(line)
        except msgspec.ValidationError as error:
            envelope = self._decode_snake_case(line, error)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RemoteProtocolError(f"a line is not one JSON object: {error}: {self._shown(line)}", rule=1) from None
        found = [message for slot in self._slots if (message := getattr(envelope, slot)) is not None]
        if len(found) != 1:
            names = " and ".join(self._names[type(message)] for message in found) or "none"
            raise RemoteProtocolError(
                f"a message has exactly one kind of {', '.join(self._kinds)}, but got {names}: {self._shown(line)}",
                rule=4,
            )
        if self._strict and not hasattr(found[0], "doc"):
            _refuse_duplicate_keys(line)
        only: _Message = found[0]
        return only

    def encode(self, message: _Message) -> bytes:
        """Return `message` as a line, newline included. Raises DocumentError, naming the place in its document."""
        if isinstance(message, capture.Captured):
            return b'{"captured":{"binding":%d,"doc":%b}}\n' % (message.binding, _text(message.doc))
        name = self._names.get(type(message))
        if name is None:
            raise LocalProtocolError(f"a {type(message).__name__} is none of {', '.join(self._kinds)}", rule=4)
        doc = getattr(message, "doc", None)
        if doc is not None:
            message = msgspec.structs.replace(message, doc=msgspec.Raw(_text(doc)))
        line = _encoder.encode({name: message})
        return (line if b"\n" not in line else msgspec.json.format(line, indent=-1)) + b"\n"

    def _shown(self, line: bytes) -> str:
        """Return the start of `line`, for an error. Of a request only its length: it may carry the user's secrets."""
        if not self._strict:
            return f"{len(line):,} bytes"
        text = line[:_SHOWN_BYTES_MAX].decode(errors="replace")
        return text if len(line) <= _SHOWN_BYTES_MAX else text + "…"

    def _decode_snake_case(self, line: bytes, error: msgspec.ValidationError) -> msgspec.Struct:
        """Decode once more with proto's own field names renamed, which Flow's runtime also accepts."""
        try:
            return self._decoder.decode(_encoder.encode(_camel(document.decode(line), self._kinds)))
        except msgspec.ValidationError:
            rule = 5 if "unknown field" in str(error) else 7 if "got `null`" in str(error) else 4
            raise RemoteProtocolError(f"a message is malformed: {error}: {self._shown(line)}", rule=rule) from None


def _text(doc: object) -> bytes:
    return document.one_line(doc) if isinstance(doc, msgspec.Raw) else document.encode(doc)


def _refuse_duplicate_keys(line: bytes) -> None:
    def unique(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            raise RemoteProtocolError(f"the key {twice!r} comes twice in one object", rule=6)

    json.loads(line, object_pairs_hook=unique)


_PROTO_NAMES = {"schema_json": "documentSchema"}  # the one whose JSON name is not its own name in camelCase


def _camel(envelope: object, kinds: Mapping[str, type[msgspec.Struct]]) -> object:
    if not isinstance(envelope, dict):
        return envelope
    renamed = {_camel_name(name): value for name, value in envelope.items()}
    return {name: _camel_members(value, kinds[name]) if name in kinds else value for name, value in renamed.items()}


def _camel_members(value: object, kind: object) -> object:
    """Rename at typed levels only: raw JSON members keep their keys."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(value, (list, tuple)) and get_args(candidate)[1:] == (...,):
            return [_camel_members(item, get_args(candidate)[0]) for item in value]
        if isinstance(value, dict) and isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            types = {field.encode_name: field.type for field in msgspec.structs.fields(candidate)}
            renamed = {_camel_name(name): item for name, item in value.items()}
            return {name: _camel_members(item, types.get(name)) for name, item in renamed.items()}
    return value


def _camel_name(name: str) -> str:
    stem = re.sub(r"_json(_map|_vec)?$", "", _PROTO_NAMES.get(name, name))
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), stem)


CAPTURE_REQUESTS = Codec(capture.REQUESTS, strict=False)
CAPTURE_RESPONSES = Codec(capture.RESPONSES, strict=True)
DERIVE_REQUESTS = Codec(derive.REQUESTS, strict=False)
DERIVE_RESPONSES = Codec(derive.RESPONSES, strict=True)
MATERIALIZE_REQUESTS = Codec(materialize.REQUESTS, strict=False)
MATERIALIZE_RESPONSES = Codec(materialize.RESPONSES, strict=True)
