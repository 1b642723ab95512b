"""Messages to lines and back: one JSON object with one member, which names the kind (protocol reference, section 1)."""

from __future__ import annotations

import json
import operator
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from python.protocol import capture, derive, document, materialize, spelling, wire
from python.protocol.errors import DocumentError, LocalProtocolError, RemoteProtocolError

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
    refuses of a connector: unknown members, a second kind beside the first, duplicate keys, nulls for scalars. `runs`
    names the kinds that come by the thousand, one after the other.
    """

    def __init__(self, kinds: Mapping[str, type[_Message]], *, strict: bool, runs: tuple[str, ...] = ()) -> None:
        self._kinds = kinds
        self._names = {kind: name for name, kind in kinds.items()}
        self._strict = strict
        self._envelope = msgspec.defstruct(
            "Envelope",
            [(f"kind_{name}", kind | None, msgspec.field(default=None, name=name)) for name, kind in kinds.items()],
            forbid_unknown_fields=strict,
        )
        self._decoder = msgspec.json.Decoder(self._envelope, dec_hook=wire.decode_hook)
        self._slots = tuple(f"kind_{name}" for name in kinds)
        self._hot = {name.encode(): _hot_form(name, kind, strict=strict) for name, kind in kinds.items()}
        if strict:
            self._hot = {name: form for name, form in self._hot.items() if form[1]}
        self._runs = {name.encode(): b'{"%b"' % name.encode() for name in runs}

    def name(self, kind: type[_Message]) -> str:
        """Return the name on the wire of the message type `kind`."""
        return self._names[kind]

    def decode(self, line: bytes) -> _Message:
        """Return the message in `line`, which has no newline. Raises RemoteProtocolError, naming the rule."""
        # Nearly every line carries a document or a key: one attempt at its kind costs a third of looking at all kinds.
        decoder, canonical = self._hot.get(_kind(line), _NO_FORM)
        try:
            hot: Any = decoder(line).message
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._decode_any(line)
        if canonical is not None and line != canonical(hot):
            _refuse_duplicate_keys(line, hot.doc)
        only: _Message = hot
        return only

    def decode_run(self, lines: deque[bytes]) -> list[_Message]:
        """Take the line at the front of `lines` off it, and return its message.

        Where it is of a kind that comes in runs, those of its kind that follow it are taken, too: messages of one type,
        at a third of the cost. Raises as `decode`, of the first line that is wrong.
        """
        kind = _kind(lines[0])
        begin = self._runs.get(kind)
        if begin is None:
            return [self.decode(lines.popleft())]
        like = list(map(operator.methodcaller("startswith", begin), lines))
        run = [lines.popleft() for _ in range(like.index(False) if False in like else len(like))]
        decoder, canonical = self._hot[kind]
        try:
            found = [hot.message for hot in map(decoder, run)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return list(map(self.decode, run))
        return found if canonical is None or run == list(map(canonical, found)) else list(map(self.decode, run))

    def _decode_any(self, line: bytes) -> _Message:
        try:
            envelope = self._decoder.decode(line)
        except msgspec.ValidationError as error:
            envelope = self._decode_respelled(line, error)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            rule = 1 if line.strip() else 2
            raise RemoteProtocolError(
                f"a line is not one JSON object: {error}: {self._shown(line)}", rule=rule
            ) from None
        except RecursionError:
            raise RemoteProtocolError(f"a line is nested too deeply: {self._shown(line)}", rule=1) from None
        found = [message for slot in self._slots if (message := getattr(envelope, slot)) is not None]
        if len(found) != 1:
            names = " and ".join(self._names[type(message)] for message in found) or "none"
            raise RemoteProtocolError(
                f"a message has exactly one kind of {', '.join(self._kinds)}, but got {names}: {self._shown(line)}",
                rule=4,
            )
        if self._strict:
            _refuse_duplicate_keys(line, getattr(found[0], "doc", wire.ABSENT))
        only: _Message = found[0]
        return only

    def encode(self, message: _Message) -> bytes:
        """Return `message` as a line, newline included. Raises DocumentError, naming the place in its document."""
        if isinstance(message, capture.Captured):
            return b'{"captured":{"binding":%d,"doc":%b}}\n' % (message.binding, _text(message.doc))
        if isinstance(message, materialize.Loaded):
            return b'{"loaded":{"binding":%d,"doc":%b}}\n' % (message.binding, _text(message.doc))
        name = self._names.get(type(message))
        if name is None:
            raise LocalProtocolError(f"a {type(message).__name__} is none of {', '.join(self._kinds)}", rule=4)
        doc = getattr(message, "doc", wire.ABSENT)
        if doc is not wire.ABSENT:
            message = msgspec.structs.replace(message, doc=msgspec.Raw(_text(doc)))
        line = _encoder.encode({name: message})
        return (line if b"\n" not in line else msgspec.json.format(line, indent=-1)) + b"\n"

    def _shown(self, line: bytes) -> str:
        """Return the start of `line`, for an error. Of a request only its length: it may carry the user's secrets."""
        if not self._strict:
            return f"{len(line):,} bytes"
        text = line[:_SHOWN_BYTES_MAX].decode(errors="replace")
        return text if len(line) <= _SHOWN_BYTES_MAX else text + "…"

    def _decode_respelled(self, line: bytes, error: msgspec.ValidationError) -> msgspec.Struct:
        """Decode once more, with the proto's own field names and nulls for messages, which Flow's codec also takes."""
        try:
            found = document.decode(line)
            respelled = spelling.canonical(found, self._envelope) if isinstance(found, dict) else found
            return self._decoder.decode(document.encode(respelled))
        except msgspec.ValidationError as second:
            error = second if "unknown field" in str(error) else error
            raise RemoteProtocolError(
                f"a message is malformed: {error}: {self._shown(line)}", rule=_rule(str(error))
            ) from None
        except DocumentError as beyond:
            raise RemoteProtocolError(f"a message is malformed: {beyond}: {self._shown(line)}", rule=1) from None


def _kind(line: bytes) -> bytes:
    """Return the name of the kind in a line as encoders write it; nothing known, for one that is written otherwise."""
    return line[2 : line.find(b'"', 2)]


def _text(doc: object) -> bytes:
    return document.one_line(doc) if isinstance(doc, msgspec.Raw) else document.encode(doc)


_RULES = (
    (r"unknown field `\$internal`", 10),
    (r"unknown field `[^`]*`$", 4),
    (r"unknown field", 5),
    (r"got `null`", 7),
    (r"required field `doc`", 50),
    (r"required field `updated`", 54),
    (r"required field .*`\$\.spec`", 18),
    (r"required field .*`\$\.discovered", 31),
    (r"\.(binding|transform)`", 11),
)
"""Which conformance rule a sentence of msgspec's speaks of; the first match counts, and none is rule 4."""


def _rule(sentence: str) -> int:
    return next((rule for pattern, rule in _RULES if re.search(pattern, sentence)), 4)


_Form = tuple[Callable[[bytes], Any], Callable[[Any], bytes] | None]


def _hot_form(name: str, kind: type[msgspec.Struct], *, strict: bool) -> _Form:
    """Return how to read a line of one kind alone, and, for a strict response with a document, how encoders write it.

    A line that is written like that has each key once.
    """
    hot = msgspec.defstruct("Hot", [("message", kind, msgspec.field(name=name))], forbid_unknown_fields=True, gc=False)
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(hot, dec_hook=wire.decode_hook)
    if not strict or "doc" not in kind.__struct_fields__:
        return decoder.decode, None
    forms = {"binding": b'"binding":%d', "doc": b'"doc":%b'}
    members = [member for member in forms if member in kind.__struct_fields__]
    line = b'{"%b":{%b}}' % (name.encode(), b",".join(forms[member] for member in members))
    values = operator.attrgetter(*members)
    return decoder.decode, lambda message: line % values(message)


def _no_form(line: bytes) -> NoReturn:
    raise msgspec.DecodeError(line)


_NO_FORM: _Form = (_no_form, None)


def _refuse_duplicate_keys(line: bytes, doc: msgspec.Raw) -> None:
    """Refuse what msgspec lets pass: it keeps the last of two like keys. Those in a document are its readers' care."""

    def unique(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            raise RemoteProtocolError(f"the key {twice!r} comes twice in one object", rule=6)

    typed = line.replace(doc, b"0", 1) if doc else line
    try:
        json.loads(typed, object_pairs_hook=unique, parse_int=len, parse_float=len)  # digits are of no interest here
    except UnicodeDecodeError as error:
        raise RemoteProtocolError(f"a line is not UTF-8: {error.reason} at byte {error.start}", rule=12) from None
    except (ValueError, RecursionError) as error:  # raw JSON, which msgspec has only skimmed
        raise RemoteProtocolError(f"a line is not one JSON object: {error}", rule=1) from None


CAPTURE_REQUESTS = Codec(capture.REQUESTS, strict=False)
CAPTURE_RESPONSES = Codec(capture.RESPONSES, strict=True)
DERIVE_REQUESTS = Codec(derive.REQUESTS, strict=False)
DERIVE_RESPONSES = Codec(derive.RESPONSES, strict=True)
MATERIALIZE_REQUESTS = Codec(materialize.REQUESTS, strict=False, runs=("store", "load"))
MATERIALIZE_RESPONSES = Codec(materialize.RESPONSES, strict=True, runs=("loaded",))
