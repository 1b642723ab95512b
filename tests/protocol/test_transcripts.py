"""Whole conversations, as the protocol reference shows them in its appendix, seen from both ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.protocol import codec
from python.protocol.capture_session import CaptureSession
from python.protocol.derive_session import DeriveSession
from python.protocol.errors import LocalProtocolError, RemoteProtocolError
from python.protocol.materialize_session import MaterializeSession
from python.protocol.session import Role, Session

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.jsonl"))
PROTOCOLS: dict[str, tuple[type[Session], codec.Codec[Any], codec.Codec[Any]]] = {
    "capture": (CaptureSession, codec.CAPTURE_REQUESTS, codec.CAPTURE_RESPONSES),
    "derive": (DeriveSession, codec.DERIVE_REQUESTS, codec.DERIVE_RESPONSES),
    "materialize": (MaterializeSession, codec.MATERIALIZE_REQUESTS, codec.MATERIALIZE_RESPONSES),
}

by_transcript = pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)


def conversation(path: Path) -> type[Session]:
    return PROTOCOLS[path.stem.partition("-")[0]][0]


def exchanged(path: Path) -> Iterator[tuple[msgspec.Struct, bytes, codec.Codec[Any]]]:
    """Yield each message of a transcript with its line and its codec."""
    _, requests, responses = PROTOCOLS[path.stem.partition("-")[0]]
    for text in path.read_bytes().splitlines():
        entry = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        used = requests if bytes(entry["from"]) == b'"runtime"' else responses
        line = bytes(entry["line"])
        yield used.decode(line), line, used


def normal(value: Any) -> Any:
    """`value` with what encoders may leave out, left out, and times in one spelling, wherever Flow types them."""
    if isinstance(value, dict):
        members = {name: normal(item) for name, item in value.items()}
        return {name: item for name, item in members.items() if item not in (0, False, "", [])}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, str):
        value = re.sub(r"^(\d+\.\d*?)0+s$", r"\1s", value)
        return re.sub(r"(T\d\d:\d\d:\d\d)\+00:00$", r"\1Z", value)
    return value


@by_transcript
@pytest.mark.parametrize("ours", Role)
def test_a_transcript_is_legal_from_its_first_line_to_its_end(path: Path, ours: Role) -> None:
    session = conversation(path)(ours)
    for message, _, _ in exchanged(path):
        session.step(message)

    session.end()


@by_transcript
def test_what_was_read_is_written_with_the_same_meaning(path: Path) -> None:
    for message, line, used in exchanged(path):
        assert normal(json.loads(used.encode(message))) == normal(json.loads(line))


@by_transcript
def test_no_message_of_a_transcript_can_be_left_out_or_said_twice_unnoticed_if_it_is_an_answer(path: Path) -> None:
    """The answers to requests: each of them once. What may come any number of times is not among them."""
    messages = [message for message, _, _ in exchanged(path)]
    answers = [index for index, each in enumerate(messages) if type(each).__name__ in ANSWERS]
    assert answers

    for index in answers:
        with pytest.raises((RemoteProtocolError, LocalProtocolError)):
            replay(path, [*messages[: index + 1], *messages[index:]])
        with pytest.raises((RemoteProtocolError, LocalProtocolError)):
            replay(path, [*messages[:index], *messages[index + 1 :]])


ANSWERS = {"SpecResponse", "Discovered", "Validated", "Applied", "Opened", "Flushed", "StartedCommit"}


def replay(path: Path, messages: list[msgspec.Struct]) -> None:
    session = conversation(path)(Role.RUNTIME)
    for message in messages:
        session.step(message)
    session.end()
