"""What becomes of each binding when a connector is opened with a state: judged by what it captures, from outside."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
    UNCLEAR = "unclear"

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
    outcome, why = _verdict(_value(binding, cursor), run, is_kept=kept == cursor and bool(cursor))
    return _of(binding, outcome, _shown(cursor), why)


def _of(binding: Bound, outcome: Outcome, cursor: str, why: str) -> Fate:
    return Fate(name=binding.name, collection=binding.collection, outcome=outcome, cursor=cursor, why=why)


def _verdict(cursor: object, run: tuple[Captured, Captured], *, is_kept: bool) -> tuple[Outcome, str]:
    """Return the outcome, and what shows it."""
    whole, came = run
    told = f"{sum(key in came for key in whole):,} of {len(whole):,} documents came again"
    told += f", and {new:,} new ones" if (new := len(came.keys() - whole.keys())) else ""
    if not whole:
        return Outcome.UNCLEAR, "nothing was captured without the state either, so there is nothing to tell it by"
    missing = [key for key in whole if key not in came]
    if cursor is not None:
        return _held_against(cursor, run, missing, told)
    if not missing:
        return (Outcome.RESUMES, f"{told}, and the state is as it was") if is_kept else (Outcome.RESTARTS, told)
    if any(key in came for key in whole) and missing == list(whole)[: len(missing)]:
        return Outcome.RESUMES, f"{told}: the last ones"
    return Outcome.UNCLEAR, (
        f"{told}, and the state has no value of a cursor field: whether it covers those that did not come, such as "
        f"{missing[0]}, nobody can tell"
    )


def _held_against(cursor: object, run: tuple[Captured, Captured], missing: list[str], told: str) -> tuple[Outcome, str]:
    """Return the outcome where documents can be held against the value that the state has of their cursor field."""
    sides = {key: _compared(value, cursor) for key, value in run[0].items()}
    lost = [key for key in missing if sides[key] == 1]
    if lost:
        return Outcome.LOST, f"{len(lost):,} documents behind the cursor did not come, such as {lost[0]}"
    unclear = [key for key, side in sides.items() if side is None]
    gone = [key for key in missing if sides[key] is None]
    if gone or (unclear and not missing):
        shown = (gone or unclear)[0]
        value = f"{shown} with {_shown(run[0][shown])}"
        what = f"{len(gone):,} that did not come cannot" if gone else f"{len(unclear):,} cannot"
        return Outcome.UNCLEAR, f"{told}, and {what} be held against the cursor, such as {value}"
    if -1 not in sides.values():
        return Outcome.RESUMES, f"{told}: none lies before the cursor"
    if any(sides[key] == -1 for key in missing):
        return Outcome.RESUMES, told
    return Outcome.RESTARTS, f"{told}, all that the state covers among them"


def _value(binding: Bound, cursor: Json) -> object:
    """Return the value that the cursor of a binding stands at, where it is a single one."""
    if not isinstance(cursor, Mapping) or binding.cursor_field is None:
        return None
    value = cursor.get(binding.cursor_field, cursor.get("replication_key_value"))
    return None if isinstance(value, bool | Mapping | list) else value


def _compared(value: object, cursor: object) -> int | None:
    """Return -1, 0 or 1: `value` lies before the cursor, at it, or behind it; None where nobody can say."""
    numbers, moments = ((read(value), read(cursor)) for read in (_number, _moment))
    pairs: list[tuple[Any, Any]] = [numbers] if None not in numbers else []
    if not pairs and None not in moments:
        pairs = [moments]
    elif isinstance(value, str) and isinstance(cursor, str):
        # Of text, the source's order is its own: known only where neither capitals nor numbers make a difference.
        pairs += [(each(value), each(cursor)) for each in _ORDERS]
    orders = {(left > right) - (left < right) for left, right in pairs}
    return orders.pop() if len(orders) == 1 else None


def _number(value: object) -> decimal.Decimal | None:
    """Return the number that `value` is, or that its text is: some sources store their numbers so."""
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal | str):
        return None
    try:
        number = decimal.Decimal(str(value))
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def _natural(text: str) -> list[tuple[str, int, str]]:
    """Return what sorts text with the numbers in it as numbers."""
    return [(plain, int(digits or 0), digits) for plain, digits in _PARTS.findall(text)]


_PARTS = re.compile(r"(\D*)(\d*)", re.ASCII)
_ORDERS: tuple[Callable[[str], Any], ...] = (str, str.casefold, _natural)


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else document.encode(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[: _SHOWN_CHARACTERS_MAX - 1]}…"
