"""Rules of what a capture's session brings (49 to 56, 63, 64, 66, 68)."""

from __future__ import annotations

from collections.abc import Iterator

from python.acceptance.capturing import CaptureSubject
from python.acceptance.cases import Case, require
from python.acceptance.subject import raw
from python.acceptance.transcripts import SILENT, Json, kind_of
from python.acceptance.verdicts import BlockedError, BrokenError, NotApplicableError
from python.protocol import capture as wire
from python.protocol import document, pointer
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import FULL_RANGE, RangeSpec
from python.runner.schemas import SchemaError
from python.runner.sourced import check_sourced
from python.runner.validate import Validator

__all__ = ["CASES"]

_STREAMED = ("captured", "sourcedSchema", "checkpoint", "backfillBegin", "backfillComplete")
_DOCUMENT_BYTES_MAX = 16_000_000
_SEQUENCE_BYTES_MAX = 512_000_000
_MARKERS = ("backfillBegin", "backfillComplete")


def _streamed(subject: CaptureSubject) -> list[tuple[str, Json]]:
    """Return the answers after opened, whose values are objects where rule 4 holds."""
    _opened(subject)
    found = subject.session.answers[2:]
    return [(kind, value) for kind, value in found if isinstance(value, dict)]


def _opened(subject: CaptureSubject) -> None:
    subject.one(subject.session, "opened")


def _documents(subject: CaptureSubject) -> Iterator[tuple[int, Json]]:
    """Yield each document with its binding, as far as rules 11 and 50 hold. Some came, or it is not applicable."""
    captured = [value for kind, value in _streamed(subject) if kind == "captured"]
    if not captured:
        raise NotApplicableError("the session brought no documents")
    for value in captured:
        index, doc = value.get("binding", 0), value.get("doc")
        if isinstance(index, int) and 0 <= index < len(subject.bindings) and isinstance(doc, dict):
            yield index, doc


def _kinds(subject: CaptureSubject) -> None:
    _opened(subject)
    bad = [kind for kind in subject.session.kinds[2:] if kind not in _STREAMED]
    require(
        not bad,
        "something else comes amid a session",
        got=bad[:5],
        want=", ".join(_STREAMED),
        transcript=subject.session,
    )


def _valid(subject: CaptureSubject) -> None:
    for kind, value in _streamed(subject):
        doc = value.get("doc") if kind == "captured" else {}
        require(isinstance(doc, dict), "a document is no object", got=doc, want="an object", transcript=subject.session)
    try:
        validators = [Validator(document.decode(each.collection.write_schema)) for each in subject.bindings]  # type: ignore[arg-type] # a schema, or told
    except SchemaError as error:
        raise BlockedError(f"it needs schemas that are valid: {error}") from None
    for index, doc in _documents(subject):
        violation = validators[index].violation(doc)
        require(
            violation is None,
            f"a document of {subject.bindings[index].collection.name} is not valid by its schema",
            got=str(violation),
            want="a valid document",
            transcript=subject.session,
        )


def _keyed(subject: CaptureSubject) -> None:
    for index, doc in _documents(subject):
        for key in subject.bindings[index].collection.key:
            got = pointer.resolve(doc, pointer.parse(key))
            require(
                isinstance(got, (int, str, type(None))),
                f"a document of {subject.bindings[index].collection.name} has no {key}, which is of its key",
                got=repr(got),
                want="an integer, text, a boolean, or null",
                transcript=subject.session,
            )


def _meta(subject: CaptureSubject) -> None:
    for _, doc in _documents(subject):
        got = doc.get("_meta", {})
        sound = isinstance(got, dict) and "uuid" not in got
        require(
            sound, "`_meta` is not as it should be", got=got, want="an object without uuid", transcript=subject.session
        )


def _concluded(subject: CaptureSubject) -> None:
    last = [kind for kind, _ in _streamed(subject) if kind in ("captured", "sourcedSchema", "checkpoint")][-1:]
    require(
        last in ([], ["checkpoint"]) or subject.session.status not in (0, None),
        "the session ended well amid a sequence",
        got=f"{last[0] if last else 'nothing'} at the end",
        want="a checkpoint: what comes after the last one is lost",
        transcript=subject.session,
    )


def _updates(subject: CaptureSubject) -> Iterator[Json]:
    """Yield each state of a checkpoint, with `state` present."""
    for kind, value in _streamed(subject):
        if kind == "checkpoint" and "state" in value:
            state = value["state"]
            require(
                isinstance(state, dict), "a state is no object", got=state, want="an object", transcript=subject.session
            )
            yield state if isinstance(state, dict) else {}


def _updated(subject: CaptureSubject) -> None:
    for state in _updates(subject):
        got = state.get("updated")
        require(
            isinstance(got, dict),
            "a state has no `updated`",
            got=state,
            want="an object in `updated`",
            transcript=subject.session,
        )


def _patches(subject: CaptureSubject) -> None:
    for state in _updates(subject):
        got = state.get("mergePatch", False)
        require(
            isinstance(got, bool),
            "`mergePatch` is no boolean",
            got=got,
            want="true or false",
            transcript=subject.session,
        )
    steps = subject.steps
    if not steps:
        raise NotApplicableError("the session brought no checkpoints")
    talk = subject.at_the_end
    require(
        "opened" in talk.kinds and talk.status in (0, None),
        "the state that its patches make cannot be opened",
        got=talk.reason or talk.kinds,
        want="opened, and a good end",
        transcript=talk,
    )


def _nulls(subject: CaptureSubject) -> None:
    for state in _updates(subject):
        if state.get("mergePatch") is not True:
            at = next(_null_places(state.get("updated"), ""), None)
            require(
                at is None, "a state that replaces the one before has nulls", got=at, want="none: they do not survive"
            )


def _null_places(value: object, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if item is None:
                yield f"null at {at}/{name}"
            yield from _null_places(item, f"{at}/{name}")


def _small(subject: CaptureSubject) -> None:
    sequence = 0
    for line in subject.session.lines:
        kind = kind_of(line)
        sequence = 0 if kind == "checkpoint" else sequence + (len(line) if kind == "captured" else 0)
        require(
            len(line) <= _DOCUMENT_BYTES_MAX,
            "a document is too large",
            got=f"{len(line):,} bytes",
            want="16 MB at most",
        )
        require(
            sequence < _SEQUENCE_BYTES_MAX,
            "a sequence is too large",
            got=f"{sequence:,} bytes",
            want="a checkpoint before 512 MB",
        )


def _sourced(subject: CaptureSubject) -> None:
    streamed = _streamed(subject)
    schemas = [value for kind, value in streamed if kind == "sourcedSchema"]
    if not schemas:
        raise NotApplicableError("the session brought no sourced schemas")
    for value in schemas:
        try:
            check_sourced(wire.SourcedSchema(document_schema=raw(value.get("documentSchema"))))
        except RemoteProtocolError as error:  # noqa: PERF203 -- the first one ends the loop
            raise BrokenError("a sourced schema is refused", got=str(error), want="a closed JSON Schema") from None
    kinds = [kind for kind, _ in streamed]
    after = kinds[len(kinds) - kinds[::-1].index("sourcedSchema") :]
    require(
        "checkpoint" in after,
        "no checkpoint follows a sourced schema",
        got=after[:3],
        want="a checkpoint",
        transcript=subject.session,
    )


def _marked(subject: CaptureSubject) -> None:
    markers = [(kind, value.get("binding", 0)) for kind, value in _streamed(subject) if kind in _MARKERS]
    if not markers:
        raise NotApplicableError("the session brought no markers of backfills")
    begun: set[object] = set()
    for kind, binding in markers:
        begun |= {binding} if kind == "backfillBegin" else set()
        require(binding in begun, "a backfill is complete that was not begun", got=binding, want="backfillBegin first")
    upper = RangeSpec(key_begin=FULL_RANGE.key_end // 2 + 1, key_end=FULL_RANGE.key_end, r_clock_end=FULL_RANGE.key_end)
    other = subject.capture(subject.open({}, shard=upper))
    bad = [kind for kind in other.kinds if kind in _MARKERS]
    require(not bad, "another shard than the first marks backfills", got=bad[:3], want="no markers", transcript=other)


def _rests(subject: CaptureSubject) -> None:
    _opened(subject)
    rested = subject.session.ended == SILENT or subject.session.status == 0
    require(
        rested,
        "a session without more to do neither ends well nor stays quiet",
        got=subject.session.reason or subject.session.ended,
        want="exit status 0 after a checkpoint, or silence",
        transcript=subject.session,
    )


CASES = (
    Case(49, "kinds of a session", _kinds),
    Case(50, "valid documents", _valid),
    Case(51, "documents have their keys", _keyed),
    Case(52, "_meta", _meta),
    Case(53, "the last checkpoint", _concluded),
    Case(54, "updated states", _updated),
    Case(55, "patches", _patches),
    Case(56, "nulls in states", _nulls),
    Case(63, "sizes", _small),
    Case(64, "sourced schemas", _sourced),
    Case(66, "markers of backfills", _marked),
    Case(68, "the end of a session", _rests),
)
"""The cases of this module."""
