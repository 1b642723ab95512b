"""Rules of how sessions of a capture follow and share each other (57 to 62, 65, 67)."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import msgspec

from python.acceptance.capturing import CaptureSubject, Keys, Step, keys_of
from python.acceptance.cases import Case, require
from python.acceptance.transcripts import TOO_LATE, Transcript
from python.acceptance.verdicts import BrokenError, NotApplicableError
from python.protocol import capture as wire
from python.protocol.flow import FULL_RANGE, RangeSpec

__all__ = ["CASES", "RESUMED_MAX"]

RESUMED_MAX = 4
"""So many checkpoints are resumed from, spread over the session from the first to the last."""

_LATE_SECONDS = 1.0  # acknowledgements come so long after the last message


def _resumes(subject: CaptureSubject) -> None:
    whole = subject.keys
    for step in _chosen(subject):
        talk = subject.capture(subject.open(step.state))
        before = keys_of(subject.session, subject.bindings, step.answers)
        _nothing_missing(whole, [before, keys_of(talk, subject.bindings)], talk, f"after {step.answers} answers")


def _chosen(subject: CaptureSubject) -> Sequence[Step]:
    steps = subject.steps
    if not steps:
        raise NotApplicableError("the session brought no checkpoints")
    places = {round(number * (len(steps) - 1) / max(RESUMED_MAX - 1, 1)) for number in range(RESUMED_MAX)}
    return [steps[place] for place in sorted(places)]


def _nothing_missing(whole: Keys, parts: Sequence[Keys], talk: Transcript, when: str) -> None:
    require(
        talk.status in (0, None) and talk.ended != TOO_LATE,
        f"a session that resumes {when} fails",
        got=talk.reason or talk.ended,
        want="a good end, or silence",
        transcript=talk,
    )
    for name, keys in whole.items():
        missing = keys.difference(*(part.get(name, frozenset()) for part in parts))
        require(
            not missing,
            f"documents of {name} are lost where a session resumes {when}",
            got=f"{len(missing):,} of {len(keys):,} keys are missing, {min(missing, default=b'').decode()}",
            want="all keys, before the checkpoint or after it",
            transcript=talk,
        )


def _state_keys(subject: CaptureSubject) -> None:
    """The first binding with documents gets another state key, and the state entries of a binding that is gone."""
    steps, bindings = subject.steps, list(subject.bindings)
    state = steps[-1].state if steps else None
    if not isinstance(state, dict) or not state:
        raise NotApplicableError("it keeps no state")
    chosen = next((number for number, each in enumerate(bindings) if subject.keys[each.collection.name]), None)
    if chosen is None:
        raise NotApplicableError("the session brought no documents")
    strange = {**state, "unheard": {"of": 1}}
    if isinstance(state.get("bindingStateV1"), dict):
        strange["bindingStateV1"] = {**state["bindingStateV1"], "gone": {"unheard": 1}}
    bindings[chosen] = msgspec.structs.replace(
        bindings[chosen], state_key=bindings[chosen].state_key + ".v1", backfill=1
    )
    talk = subject.capture(subject.open(strange, bindings))
    name = bindings[chosen].collection.name
    found = keys_of(talk, bindings)
    _nothing_missing({name: subject.keys[name]}, [found], talk, f"with another state key for {name}")
    unchanged = keys_of(subject.at_the_end, subject.bindings)
    for other in found.keys() - {name}:
        again = found[other] - unchanged[other]
        require(
            not again,
            f"{other} starts over, since {name} has another state key",
            got=f"{len(again):,} documents more than without it",
            want="what comes without it",
            transcript=talk,
        )


def _empty(subject: CaptureSubject) -> None:
    subject.one(subject.session, "opened")
    with subject.dialogue() as dialogue:
        dialogue.send(subject.spec_request, subject.line(subject.empty_open()))
        talk = dialogue.end(idle=True)
    require(
        "opened" in talk.kinds and talk.status in (0, None) and talk.ended != TOO_LATE,
        "a session without bindings fails",
        got=talk.reason or talk.ended,
        want="opened, and a good end, or silence",
        transcript=talk,
    )
    require(
        "captured" not in talk.kinds,
        "documents come, and nothing is bound",
        got="captured",
        want="none",
        transcript=talk,
    )


def _turned(subject: CaptureSubject) -> None:
    if len(subject.bindings) < 2:  # noqa: PLR2004 -- one binding has one order
        raise NotApplicableError("it has one binding")
    steps = subject.steps
    if not steps:
        raise NotApplicableError("the session brought no checkpoints")
    step, turned = steps[len(steps) // 2], list(reversed(subject.bindings))
    talk = subject.capture(subject.open(step.state, turned))
    before = keys_of(subject.session, subject.bindings, step.answers)
    after = keys_of(talk, turned)
    _nothing_missing(subject.keys, [before, after], talk, "with its bindings in another order")
    for name, keys in after.items():
        strange = keys - subject.keys[name]
        require(
            not strange,
            f"documents of another binding come for {name}",
            got=sorted(strange)[:1],
            want="its own",
            transcript=talk,
        )


def _silent(subject: CaptureSubject) -> None:
    talk = subject.capture(subject.open({}), stdin_ends=False)
    _nothing_missing(subject.keys, [keys_of(talk, subject.bindings)], talk, "with a stdin that stays open")


def _late(subject: CaptureSubject) -> None:
    """Nothing is acknowledged until nothing more comes; then everything is, in one message."""
    if subject.one(subject.session, "opened").get("explicitAcknowledgements") is not True:
        raise NotApplicableError("it wants no acknowledgements")
    done = 0
    with subject.dialogue() as dialogue:
        dialogue.send(subject.spec_request, subject.line(subject.open({})))
        dialogue.until("opened")  # a connector may be long about that
        while dialogue.until("checkpoint", done + 1, subject.limits.quiet_seconds):
            dialogue.silent(_LATE_SECONDS)
            due = dialogue.counts["checkpoint"] - done
            dialogue.send(subject.line(wire.Acknowledge(checkpoints=due)))
            done += due
        talk = dialogue.end(idle=True)
    _nothing_missing(subject.keys, [keys_of(talk, subject.bindings)], talk, "with late acknowledgements")


def _shared(subject: CaptureSubject) -> None:
    half = FULL_RANGE.key_end // 2
    shards = [
        RangeSpec(key_begin=begin, key_end=end, r_clock_end=FULL_RANGE.key_end)
        for begin, end in ((0, half), (half + 1, FULL_RANGE.key_end))
    ]
    whole = subject.keys
    if not any(whole.values()):
        raise NotApplicableError("the session brought no documents")
    talks = [subject.capture(subject.open({}, shard=shard)) for shard in shards]
    low, high = (keys_of(talk, subject.bindings) for talk in talks)
    if low == high == whole:
        raise NotApplicableError("it does not share work between shards, and has to be run as one")
    _nothing_missing(whole, [low, high], talks[1], "as two shards")
    for name in whole:
        twice = low[name] & high[name] if subject.is_keyed(name) else frozenset()
        require(
            not twice,
            f"two shards bring the same documents of {name}",
            got=sorted(twice)[:1],
            want="each once",
            transcript=talks[1],
        )


def _stopped(subject: CaptureSubject) -> None:
    subject.one(subject.session, "opened")
    for number in (signal.SIGTERM, signal.SIGKILL):
        with subject.dialogue() as dialogue:
            dialogue.send(subject.spec_request, subject.line(subject.open({})))
            if not dialogue.until("opened"):
                raise BrokenError(
                    f"a session cannot be opened before {number.name}, as often as they were ended",
                    got=dialogue.end().reason,
                    want="opened: nothing of an earlier session is in the way",
                )
            dialogue.until("checkpoint", seconds=subject.limits.quiet_seconds)
            talk = dialogue.stop(number)
        require(
            talk.ended != TOO_LATE,
            f"it does not end after {number.name}",
            got=f"still there after {subject.limits.stop_seconds:g} s",
            want="an end at the next boundary",
            transcript=talk,
        )
    again = subject.capture(subject.open({}))
    _nothing_missing(subject.keys, [keys_of(again, subject.bindings)], again, "after one that was killed")


CASES = (
    Case(57, "resuming", _resumes),
    Case(58, "state keys", _state_keys),
    Case(59, "an empty state, and no bindings", _empty),
    Case(60, "the order of bindings", _turned),
    Case(61, "a silent stdin", _silent),
    Case(62, "late acknowledgements", _late),
    Case(65, "key ranges", _shared),
    Case(67, "stopping and killing", _stopped),
)
"""The cases of this module."""
