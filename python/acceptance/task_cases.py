"""Rules of validate and apply (39 to 42, 45 to 47)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from python.acceptance.cases import Case, require
from python.acceptance.request_cases import told
from python.acceptance.subject import ApplyingSubject, Subject, raw
from python.acceptance.transcripts import Json
from python.acceptance.verdicts import BlockedError, BrokenError, NotApplicableError
from python.protocol.flow import CaptureSpec, CollectionSpec, MaterializationSpec
from python.protocol.patch import merge
from python.runner.applying import APPLY_ROUNDS_MAX
from python.runner.schemas import SchemaError, compile_schema, modernized

__all__ = ["CASES"]

_ACTION_CHARACTERS_MAX = 262_144


def _refuses(subject: Subject) -> None:
    schema, config = subject.config_schema, subject.wrong_config()
    try:
        admits = compile_schema(modernized(schema)).is_valid(config)  # type: ignore[arg-type] # rule 18 tells
    except SchemaError:
        raise BlockedError("it needs a schema of the config") from None
    if admits:
        raise NotApplicableError("its schema admits every config")
    talk = subject.refused
    require(
        talk.status not in (0, None) and "validated" not in talk.kinds,
        "validate takes a config that its own schema refuses",
        got=talk.kinds if not talk.status else talk.ended,
        want="a non-zero exit status",
        transcript=talk,
    )
    told(talk)


def _nothing_changes(subject: Subject) -> None:
    """It is asked again, with a spec of before that is sealed, has other bindings, and was perhaps never applied."""
    first = subject.one(subject.validation, "validated")
    request = subject.validate(subject.config)
    kind, member = {
        "capture": (CaptureSpec, "last_capture"),
        "materialization": (MaterializationSpec, "last_materialization"),
    }.get(subject.kind, (CollectionSpec, "last_collection"))
    sealed = raw({"image": "acme/unheard:v0", "config": {"password_sops": "ENC[AES256_GCM]", "sops": {"version": "3"}}})
    members = {"name": subject.task.name, **({} if kind is CollectionSpec else {"config": sealed})}
    talk = subject.ask(msgspec.structs.replace(request, **{member: kind(**members), "last_version": "00"}))
    require(
        talk.status == 0 and talk.all("validated") == [first],
        "validate answers otherwise where there is a spec of before",
        got=talk.reason if talk.status else talk.all("validated"),
        want="the same answer",
        transcript=talk,
    )


def _comes_again(subject: ApplyingSubject) -> None:
    request = subject.apply()
    first = subject.one(subject.application, "applied")
    again = subject.ask(request)
    require(
        again.status == 0 and len(again.all("applied")) == 1,
        "the same apply a second time fails",
        got=again.reason or again.kinds,
        want=f"applied, as before: {first!r}",
        transcript=again,
    )


def _converges(subject: ApplyingSubject) -> None:
    state: object = {}
    for _ in range(APPLY_ROUNDS_MAX):
        talk = subject.ask(msgspec.structs.replace(subject.apply(), state=raw(state)))
        update = subject.one(talk, "applied").get("state")
        if not isinstance(update, dict):
            return
        state = merge(state if update.get("mergePatch") else {}, update.get("updated"))
    raise BrokenError(
        "apply does not converge", got=f"state in {APPLY_ROUNDS_MAX} rounds", want="none in the last of them"
    )


def _action(subject: ApplyingSubject) -> None:
    applied = subject.one(subject.application, "applied")
    action = applied.get("actionDescription", "")
    require(
        isinstance(action, str) and len(action) <= _ACTION_CHARACTERS_MAX,
        "the description of what was done is too long",
        got=f"{len(str(action)):,} characters",
        want=f"{_ACTION_CHARACTERS_MAX:,} at most",
    )
    require(
        "state" not in applied or bool(action),
        "apply returns state and does not say what it did",
        got=action,
        want="a description",
    )


def _counted(subject: ApplyingSubject) -> None:
    """Bindings are asked in the other order, and once none."""
    validated = subject.one(subject.validation, "validated")
    request = subject.validate(subject.config)
    turned = msgspec.structs.replace(request, bindings=tuple(reversed(request.bindings)))
    other, none = (subject.ask(each) for each in (turned, msgspec.structs.replace(request, bindings=())))
    paths, turned_paths, no_paths = (
        _paths(each) for each in (validated, subject.one(other, "validated"), subject.one(none, "validated"))
    )
    require(
        len(paths) == len(request.bindings),
        "validate answers another number of bindings",
        got=len(paths),
        want=f"{len(request.bindings)}, as many as were asked about",
        transcript=subject.validation,
    )
    require(
        turned_paths == paths[::-1],
        "answers are not in the order of the request",
        got=turned_paths,
        want=repr(paths[::-1]),
        transcript=other,
    )
    require(no_paths == [], "no bindings have answers", got=no_paths, want="an empty list", transcript=none)


def _paths(validated: Json) -> Sequence[object]:
    found = validated.get("bindings", [])
    return [each.get("resourcePath") for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _distinct(subject: ApplyingSubject) -> None:
    paths = _paths(subject.one(subject.validation, "validated"))
    require(all(paths), "a resource path is empty", got=paths, want="parts that name the resource")
    require(
        len({repr(path) for path in paths}) == len(paths),
        "resource paths are not unique",
        got=paths,
        want="one of its own for each",
    )
    wanted = subject.wanted_paths()
    if wanted is not None:
        require(paths == wanted, "resource paths are not what the pointers of spec say", got=paths, want=repr(wanted))


CASES = (
    Case(39, "as many as asked", _counted),
    Case(40, "resource paths", _distinct),
    Case(41, "a config that cannot be", _refuses),
    Case(42, "a spec of before", _nothing_changes),
    Case(45, "apply again", _comes_again),
    Case(46, "apply converges", _converges),
    Case(47, "what apply did", _action),
)
"""The cases of this module."""
