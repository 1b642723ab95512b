"""What becomes of each binding when a connector is opened with a state: judged by what it captures, from outside."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from python.importing.snapshots import Json
from python.importing.stored_states import Bound, Stored, inner, stored_in
from python.protocol import document

__all__ = ["Captured", "Fate", "Outcome", "judged", "lost_parts"]

Captured = Mapping[str, Json]
"""The documents that came of a binding: the value of its cursor field, by what tells one document from another."""

_SHOWN_CHARACTERS_MAX = 80  # enough of a cursor to recognise it


class Outcome(enum.Enum):
    """What becomes of a binding (decision 0098)."""

    RESUMES = "resumes"
    RESTARTS = "restarts"
    LOST = "lost"
    REFUSED = "refused"
    REFRESHES = "refreshes"
    BEGINS = "begins"

    @property
    def is_well(self) -> bool:
        """Whether nothing that was captured before has to be captured again, or is never captured."""
        return self in (Outcome.RESUMES, Outcome.REFRESHES, Outcome.BEGINS)


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the binding `name`: `cursor` is the state it had, as text, `why` a clause that shows it."""

    name: str
    collection: str
    outcome: Outcome
    cursor: str = ""
    why: str = ""


def judged(
    bindings: Sequence[Bound], states: tuple[Json, Json], runs: Sequence[tuple[Captured, Captured]]
) -> list[Fate]:
    """Return what becomes of each of `bindings`.

    `states` are the state that the connector was opened with, and the one it ended with. `runs` are, for each binding,
    the documents that came from nothing, and those that came from the state.
    """
    before, after = (stored_in(state, bindings) for state in states)
    return [_fate(each, (before, after), run) for each, run in zip(bindings, runs, strict=True)]


def lost_parts(bindings: Sequence[Bound], state: Json) -> list[Fate]:
    """Return what `state` has of streams that none of `bindings` captures; all of it where it is of no known form."""
    stored = stored_in(state, bindings)
    why = "the state has it, and no binding captures it"
    fates = [Fate(name=name, collection="", outcome=Outcome.LOST, why=why) for name in stored.unclaimed]
    if state and not stored.parts and not fates:
        empty = isinstance(state, Mapping) and not any(state.values())
        whole = Fate(name="", collection="", outcome=Outcome.LOST, cursor=_shown(state), why="nobody knows its form")
        return [] if empty or stored.form != "of no known form" else [whole]
    return fates


def _fate(binding: Bound, stored: tuple[Stored, Stored], run: tuple[Captured, Captured]) -> Fate:
    before, after = (each.parts.get(binding.state_key) for each in stored)
    if binding.refreshed:
        return _of(binding, Outcome.REFRESHES, "", "it is read whole each time")
    if before is None:
        return _of(binding, Outcome.BEGINS, "", "the state has nothing of it")
    cursor = inner(before, binding.streams[0])
    kept = inner(after, binding.streams[0]) if after is not None else None
    outcome, why = next(_verdicts(_value(binding, cursor), run, is_kept=kept == cursor and bool(cursor)))
    return _of(binding, outcome, _shown(cursor), why)


def _of(binding: Bound, outcome: Outcome, cursor: str, why: str) -> Fate:
    return Fate(name=binding.name, collection=binding.collection, outcome=outcome, cursor=cursor, why=why)


def _verdicts(cursor: object, run: tuple[Captured, Captured], *, is_kept: bool) -> Iterator[tuple[Outcome, str]]:
    """Yield outcomes, the first of which holds; each with what shows it."""
    whole, came = run
    told = f"{sum(key in came for key in whole):,} of {len(whole):,} documents came again"
    told += f", and {new:,} new ones" if (new := len(came.keys() - whole.keys())) else ""
    if cursor is not None:
        sides = {key: _compared(value, cursor) for key, value in whole.items()}
        missed = [key for key, side in sides.items() if side == 1 and key not in came]
        if missed:
            yield Outcome.LOST, f"{len(missed):,} documents behind the cursor did not come, such as {missed[0]}"
        covered = [key for key, side in sides.items() if side == -1]
        if covered and None not in sides.values():
            if any(key not in came for key in covered):
                yield Outcome.RESUMES, told
            yield Outcome.RESTARTS, f"{told}, all that the state covers among them"
        elif None not in sides.values() and whole:
            yield Outcome.RESUMES, f"{told}: none lies before the cursor"
    if whole and any(key not in came for key in whole):
        yield Outcome.RESUMES, told
    if is_kept:
        yield Outcome.RESUMES, f"{told}, and the state is as it was"
    yield Outcome.RESTARTS, told


def _value(binding: Bound, cursor: Json) -> object:
    """Return the value that the cursor of a binding stands at, where it is a single one."""
    if not isinstance(cursor, Mapping) or binding.cursor_field is None:
        return None
    value = cursor.get(binding.cursor_field, cursor.get("replication_key_value"))
    return None if isinstance(value, bool | Mapping | list) else value


def _compared(value: object, cursor: object) -> int | None:
    """Return -1, 0 or 1: `value` lies before the cursor, at it, or behind it; None where nobody can say."""
    left, right = _comparable(value), _comparable(cursor)
    if left is None or right is None or type(left) is not type(right):
        return None
    return (left > right) - (left < right)  # type: ignore[operator] # of one type, which has an order


def _comparable(value: object) -> decimal.Decimal | dt.datetime | str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | decimal.Decimal):
        return decimal.Decimal(str(value))
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else document.encode(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[: _SHOWN_CHARACTERS_MAX - 1]}…"
