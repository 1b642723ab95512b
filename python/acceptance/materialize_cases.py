"""Rules of materializations (43, 72 to 79)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from python.acceptance.cases import Case, require, well_ended
from python.acceptance.materializing import KEYS, MaterializationSubject
from python.acceptance.subject import raw
from python.acceptance.target_documents import collection_of
from python.acceptance.target_task import Session, Task
from python.acceptance.verdicts import BlockedError, BrokenError, NotApplicableError
from python.protocol import document
from python.protocol.errors import HeadwaterError

__all__ = ["CASES"]

_TYPES = (
    *("FIELD_REQUIRED", "LOCATION_REQUIRED", "LOCATION_RECOMMENDED", "FIELD_OPTIONAL"),
    *("FIELD_FORBIDDEN", "INCOMPATIBLE", "UNSATISFIABLE"),
)


def _constraints(subject: MaterializationSubject) -> None:
    found = subject.one(subject.validation, "validated").get("bindings")
    for table, answer in zip(subject.asked, found if isinstance(found, list) else (), strict=False):
        constraints = answer.get("constraints")
        require(
            isinstance(constraints, dict) and bool(constraints),
            "there are no constraints",
            got=constraints,
            want="one for each field",
        )
        known = {each.field for each in collection_of(table).projections}
        for field, each in constraints.items():
            kind = each.get("type") if isinstance(each, dict) else each
            require(kind in _TYPES, f"the constraint of {field} has no type", got=kind, want=", ".join(_TYPES))
            require(
                kind == "FIELD_OPTIONAL" or bool(each.get("reason")),
                f"the constraint of {field} gives no reason",
                got=each,
                want="a reason",
            )
            require(
                kind == "FIELD_REQUIRED" or field in known,
                f"{field} is no field, and has a constraint",
                got=each,
                want=", ".join(sorted(known)),
            )


def _segments(subject: MaterializationSubject) -> Iterator[list[str]]:
    """Yield the kinds of the answers of each transaction of the session, up to its startedCommit."""
    subject.one(subject.session, "opened")
    segment: list[str] = []
    for kind in subject.session.kinds[2:]:
        segment.append(kind)
        if kind == "startedCommit":
            yield segment
            segment = []
    yield segment


def _acknowledged(subject: MaterializationSubject) -> None:
    for segment in _segments(subject):
        require(
            segment[:1] == ["acknowledged"] and segment.count("acknowledged") == 1,
            "a transaction does not begin with its one acknowledged",
            got=segment,
            want="acknowledged, before anything is loaded or flushed",
            transcript=subject.session,
        )


def _loaded(subject: MaterializationSubject) -> None:
    subject.one(subject.session, "opened")
    keys: list[object] = []
    for kind, value in [*subject.session.answers, ("flushed", {})]:
        if kind == "flushed":
            require(
                len(keys) == len(set(map(str, keys))),
                "a key is loaded twice",
                got=keys,
                want="once",
                transcript=subject.session,
            )
            keys = []
        if kind == "loaded" and isinstance(value, dict):
            doc = value.get("doc")
            require(
                isinstance(doc, dict),
                "what is loaded is no object",
                got=doc,
                want="an object",
                transcript=subject.session,
            )
            key = doc.get("id") if isinstance(doc, dict) else None
            require(
                key in KEYS,
                "a key is loaded that nobody asked for",
                got=key,
                want=f"one of {KEYS}",
                transcript=subject.session,
            )
            keys.append(key)
    first = next(iter(_segments(subject)), [])
    require(
        "loaded" not in first,
        "documents are loaded before any are stored",
        got=first,
        want="none",
        transcript=subject.session,
    )


def _in_turn(subject: MaterializationSubject) -> None:
    segments = list(_segments(subject))
    for segment in segments[:-1]:
        rest = [kind for kind in segment if kind not in ("acknowledged", "loaded")]
        require(
            rest == ["flushed", "startedCommit"],
            "a transaction has other answers",
            got=segment,
            want="flushed, then startedCommit",
            transcript=subject.session,
        )
    count = len(segments) - 1
    require(count == 3, "transactions are missing", got=count, want="3", transcript=subject.session)  # noqa: PLR2004 -- those of the session


def _held(subject: MaterializationSubject, name: str, talk: Callable[[Task], None], *, delta: bool = False) -> None:
    """Let `talk` store into a table of its own; what breaks the protocol there, or fails, breaks the promise."""
    task = subject.task_of(subject.table(name, delta=delta, backfill=1))
    try:
        talk(task)
    except (BrokenError, BlockedError, NotApplicableError):
        raise
    except HeadwaterError as error:
        raise BrokenError("a session fails", got=str(error), want="what the protocol says") from None
    except AssertionError as error:
        raise BrokenError("a session goes another way", got=str(error), want="what the protocol says") from None


def _same(found: Sequence[bytes], *wanted: object) -> None:
    got = sorted(repr(document.decode(each)) for each in found)
    want = sorted(repr(document.decode(document.encode(each))) for each in wanted)
    require(got == want, "other documents are loaded than were stored", got=got, want=repr(want))


def _repeated(subject: MaterializationSubject) -> None:
    def talk(task: Task) -> None:
        session = task.open()
        session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "b"})
        session.kill()
        state = task.state
        for _ in range(2):
            task.state = state  # that of the first acknowledged is lost
            again = task.open()
            committed = again.checkpoint == task.checkpoint  # an endpoint that is the authority may not have yet
            _same(again.load([1], [2]), *({"id": 1, "name": "a"}, {"id": 2, "name": "b"})[: 2 * committed])
            again.kill()

    _held(subject, "repeated", talk)


def _encoded(subject: MaterializationSubject) -> None:
    def talk(task: Task) -> None:
        docs = [{"id": 2**40, "name": "ü"}, {"id": -3, "name": None}]
        with task.open() as session:
            session.transaction(docs[0], as_tuples=True)
            session.flush()
            session.store(docs[1])
            session.commit(2)
            _same(session.load([2**40], [-3], [7], as_tuples=True), *docs)
            session.commit(3)
            _same(session.load([2**40], [-3]), *docs)
            session.commit(4)

    _held(subject, "encoded", talk)


def _changed(subject: MaterializationSubject) -> None:
    def talk(task: Task) -> None:
        with task.open() as session:
            session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "b"})
            _same(session.load([1], [2], [3]), {"id": 1, "name": "a"}, {"id": 2, "name": "b"})
            session.store({"id": 1, "name": "c"}, exists=True)
            session.store({"id": 2, "name": "gone"}, exists=True, delete=True)
            session.store({"id": 3, "name": "d"})
            session.commit(2)
            after = session.load([1], [3])
            _same(after, {"id": 1, "name": "c"}, {"id": 3, "name": "d"})
            session.commit(3)

    _held(subject, "changed", talk)


def _deltas(subject: MaterializationSubject) -> None:
    def talk(task: Task) -> None:
        with task.open() as session:
            session.transaction({"id": 1, "name": "a"}, {"id": 2, "name": "b"})
            _same(session.flush())
            session.store({"id": 1, "name": "c"})
            session.commit(2)
            _same(session.flush())
            session.commit(3)

    _held(subject, "deltas", talk, delta=True)


def _authority(subject: MaterializationSubject) -> None:
    checkpoint = {"sources": {"a/pivot=00;x": {"readThrough": "123"}}, "n": 1.5}

    def talk(task: Task) -> None:
        older = task.open()
        older.transaction({"id": 1, "name": "a"}, checkpoint=checkpoint)
        older.acknowledged()
        older.kill()
        task.checkpoint = raw("not the endpoint's")
        session = task.open()
        if session.checkpoint == task.checkpoint:
            session.kill()
            raise NotApplicableError("its endpoint keeps no checkpoint")
        wanted = bytes(raw(checkpoint))
        require(
            bytes(session.checkpoint) == wanted,
            "another checkpoint comes back",
            got=bytes(session.checkpoint),
            want=wanted.decode(),
        )
        _fenced(task, session)

    _held(subject, "authority", talk)


def _fenced(task: Task, older: Session) -> None:
    """Two sessions of the same keys do not both commit: the newer is refused, or the older fails."""
    try:
        newer = task.open()
    except HeadwaterError:
        older.kill()
        return
    newer.transaction({"id": 1, "name": "newer"}, checkpoint=2)
    try:
        older.transaction({"id": 1, "name": "older"}, checkpoint=3)
        older.acknowledged()
    except HeadwaterError:
        newer.kill()
        return
    finally:
        older.kill()
    _same(newer.load([1]), {"id": 1, "name": "newer"})
    newer.kill()
    raise BrokenError("an older session commits after a newer one has opened", got="two commits", want="a fence")


def _boundary(subject: MaterializationSubject) -> None:
    subject.one(subject.session, "opened")
    well_ended([subject.session])


CASES = (
    Case(43, "constraints", _constraints),
    Case(72, "acknowledged first", _acknowledged),
    Case(73, "what is loaded", _loaded),
    Case(74, "flushes and commits", _in_turn),
    Case(75, "acknowledge again", _repeated),
    Case(76, "keys as JSON and as tuples", _encoded),
    Case(77, "insert, update, delete", _changed),
    Case(77, "delta updates", _deltas),
    Case(78, "the endpoint's checkpoint", _authority),
    Case(79, "an end at a boundary", _boundary),
)
"""The cases of this module."""
