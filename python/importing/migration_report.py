"""A migration told: as a table for people, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from python.importing.migrating import Fate, Outcome

__all__ = ["FORMS", "Report"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each binding of the capture `name`.

    `form` says whose the state is. `allowed` has the bindings that may start over, and the streams that may be lost.
    `refusal` says why the connector did not run from the state, if it did not.
    """

    name: str
    form: str
    fates: tuple[Fate, ...]
    allowed: frozenset[str]
    refusal: str = ""

    def is_fine(self, fate: Fate) -> bool:
        """Whether `fate` is well, or what the user allowed."""
        may_restart = fate.outcome is Outcome.RESTARTS or (fate.outcome is Outcome.LOST and not fate.collection)
        return fate.outcome.is_well or (may_restart and fate.name in self.allowed)

    @property
    def is_well(self) -> bool:
        """Whether each binding resumes, has nothing to resume, or may start over."""
        return all(map(self.is_fine, self.fates)) and not self.refusal

    @property
    def unclear(self) -> int:
        """Of how many bindings nobody can tell."""
        return sum(fate.outcome is Outcome.UNCLEAR for fate in self.fates)

    @property
    def bad(self) -> int:
        """How many bindings and streams start over, are lost or refused, and may not."""
        return sum(not self.is_fine(fate) for fate in self.fates) - self.unclear


def _table(found: Report) -> str:
    """Return a line for each binding, and a sentence in the end."""
    lines = [f"{found.name} with a state that is {found.form}", ""]
    wide = max((len(fate.name) for fate in found.fates), default=0)
    for fate in found.fates:
        mark = " " if found.is_fine(fate) else "?" if fate.outcome is Outcome.UNCLEAR else "!"
        allowed = " (allowed)" if found.is_fine(fate) and not fate.outcome.is_well else ""
        at = f" from {fate.cursor}" if fate.cursor and fate.outcome is Outcome.RESUMES else ""
        lines.append(f"{mark} {fate.name:{wide}}  {fate.outcome.value}{allowed}{at}: {fate.why}")
        if fate.cursor and not at:
            lines.append(f"  {'':{wide}}  it had {fate.cursor}")
    if found.refusal:
        lines += ["", f"The connector says: {found.refusal}"]
    return "\n".join([*lines, "", *_end(found)])


def _end(found: Report) -> Iterator[str]:
    if found.is_well:
        yield "Nothing is captured again that was captured before."
    if found.bad or found.refusal:
        yield f"{found.bad} of {len(found.fates)} do not go on."
    if found.unclear:
        yield f"Of {found.unclear} of {len(found.fates)} nobody can tell: hold what they capture against what is there."


def _json(found: Report) -> str:
    told = {
        "capture": found.name,
        "form": found.form,
        "bindings": [
            {
                "name": fate.name,
                "collection": fate.collection,
                "outcome": fate.outcome.value,
                "cursor": fate.cursor,
                "why": fate.why,
                "fine": found.is_fine(fate),
            }
            for fate in found.fates
        ],
        "refusal": found.refusal,
        "fine": found.is_well,
    }
    return msgspec.json.encode(told).decode()


FORMS: Mapping[str, Callable[[Report], str]] = {"table": _table, "json": _json}
"""How a report can be told, by name."""
