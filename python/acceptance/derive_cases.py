"""Rules of derivations (44, 69 to 71)."""

from __future__ import annotations

from urllib.parse import urlsplit

from python.acceptance.cases import Case, require, well_ended
from python.acceptance.deriving import DerivationSubject
from python.acceptance.verdicts import NotApplicableError
from python.protocol import derive as wire
from python.protocol import document, pointer

__all__ = ["CASES"]

_QUIET_SECONDS = 0.5  # long enough for an answer that must not come


def _answered(subject: DerivationSubject) -> None:
    validated = subject.one(subject.validation, "validated")
    found = validated.get("transforms", [])
    asked = len(subject.validate(subject.config).transforms)
    got = len(found) if isinstance(found, list) else found
    require(got == asked, "validate answers another number of transforms", got=got, want=str(asked))
    files = validated.get("generatedFiles", {})
    for url in files if isinstance(files, dict) else ():
        require(bool(urlsplit(url).scheme), "a generated file has no absolute URL", got=url, want="an absolute URL")


def _in_turn(subject: DerivationSubject) -> None:
    """Nothing is flushed before the flush; every flush and every commit gets its one answer."""
    with subject.opened() as dialogue:
        dialogue.send(*subject.reads)
        dialogue.silent(_QUIET_SECONDS)
        early = [kind for kind in ("flushed", "startedCommit") if dialogue.counts[kind]]
        dialogue.send(subject.line(wire.Flush()))
        dialogue.until("flushed")
        dialogue.silent(_QUIET_SECONDS)
        early += ["startedCommit"] if dialogue.counts["startedCommit"] else []
        talk = dialogue.stop_now()
    require(
        not early,
        "an answer comes before it is asked for",
        got=early,
        want="after flush, or startCommit",
        transcript=talk,
    )
    kinds = [kind for kind in subject.session.kinds if kind not in ("spec", "published")]
    wanted = ["opened", *["flushed", "startedCommit"] * 3]
    require(
        kinds == wanted,
        "answers to flush and startCommit are others",
        got=kinds,
        want=", ".join(wanted),
        transcript=subject.session,
    )
    well_ended([subject.session])


def _published(subject: DerivationSubject) -> None:
    """After a flushed comes nothing but startedCommit, and then nothing before the next reads."""
    with subject.opened() as dialogue:
        dialogue.send(*subject.reads, subject.line(wire.Flush()))
        dialogue.until("flushed")
        dialogue.silent(_QUIET_SECONDS)
        dialogue.send(subject.line(wire.StartCommit()))
        dialogue.until("startedCommit")
        dialogue.silent(_QUIET_SECONDS)
        talk = dialogue.stop_now()
    after = talk.kinds[talk.kinds.index("flushed") + 1 :] if "flushed" in talk.kinds else ["no flushed"]
    require(
        after == ["startedCommit"],
        "after flushed comes something else than startedCommit",
        got=after[:5],
        want="startedCommit: all documents before flushed",
        transcript=talk,
    )


def _keyed_and_forgotten(subject: DerivationSubject) -> None:
    keys = [pointer.parse(key) for key in subject.collection.key]
    with subject.opened() as dialogue:
        first = subject.transaction(dialogue, subject.reads)
        for doc in first:
            parts = [pointer.resolve(doc, key) for key in keys] if isinstance(doc, dict) else [pointer.MISSING]
            require(
                all(isinstance(part, (int, str, type(None))) for part in parts),
                "a document has not the key of its collection",
                got=doc,
                want=", ".join(subject.collection.key),
            )
        dialogue.send(subject.line(wire.Reset()))
        again = subject.transaction(dialogue, subject.reads)
        talk = dialogue.end()
    if not first:
        raise NotApplicableError("its tests' documents give none")
    same = sorted(map(document.encode, first)) == sorted(map(document.encode, again))
    require(same, "after reset the same documents give others", got=again[:3], want=f"{first[:3]}", transcript=talk)


CASES = (
    Case(44, "as many transforms as asked", _answered),
    Case(69, "flushes and commits", _in_turn),
    Case(70, "published in time", _published),
    Case(71, "keys, and reset", _keyed_and_forgotten),
)
"""The cases of this module."""
