"""The `backfill` counters of a spec, held against those that its task was run with before (decision 0085)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from python.runner.problems import CatalogError, Problem, Where

__all__ = ["Counter", "raised"]


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """A counter as the user wrote it. `key` tells it from the task's others over all runs, `what` tells the user."""

    key: str
    backfill: int
    what: str
    where: Where


def raised(asked: Iterable[Counter], known: Mapping[str, int]) -> dict[str, int]:
    """Return the highest counter of each key: those in `known`, and those that are asked for now.

    Raises CatalogError for each one that is lower than it was.
    """
    counters = list(asked)
    lowered = [
        Problem(
            counter.where,
            f"{counter.what} has the `backfill` counter {counter.backfill}, and had {known[counter.key]} before: what "
            f"was done with an earlier counter would count as done again; set it to {known[counter.key]} to go on, or "
            f"to {known[counter.key] + 1} to begin anew",
        )
        for counter in counters
        if counter.backfill < known.get(counter.key, 0)
    ]
    if lowered:
        raise CatalogError(lowered)
    return {**known, **{counter.key: counter.backfill for counter in counters if counter.backfill}}
