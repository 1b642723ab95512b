"""The database as the authority: checkpoints that commit with the documents, and fences against older sessions.

The table of checkpoints has a row for each key range of each materialization. The ranges of one materialization never
overlap. A session that opens takes over the ranges that its own overlaps: what lies outside stays, as rows of their
own, and each row gets a fence that no session before has seen. So the commit of an older session finds no row. An
apply raises the fences of all rows wherever it changes a table, so that nothing of the spec before is stored after.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from python.materialize_sql.dialect import CHECKPOINTS
from python.materialize_sql.endpoint import Endpoint
from python.protocol.errors import ConnectorError
from python.protocol.flow import RangeSpec

__all__ = ["Fence", "Held", "fence_off", "raise_fence", "take_over"]


class Held(msgspec.Struct, frozen=True):
    """A row of the table of checkpoints: both ends of the range are inclusive."""

    key_begin: int
    key_end: int
    fence: int
    checkpoint: str


def take_over(rows: Sequence[Held], own: RangeSpec) -> list[Held]:
    """Return what takes the place of `rows`, all of which overlap the range `own`: first the row of `own`.

    Raises ConnectorError where the parts of `own` are at different checkpoints, since no checkpoint speaks for both.
    """
    fence = max((row.fence for row in rows), default=0) + 1
    checkpoints = {row.checkpoint for row in rows}
    covered = sum(min(row.key_end, own.key_end) - max(row.key_begin, own.key_begin) + 1 for row in rows)
    if covered < own.key_end - own.key_begin + 1:
        checkpoints.add("")
    if len(checkpoints) > 1:
        raise ConnectorError(
            f"the shards of {_shown(own.key_begin, own.key_end)} are to be joined, but have not come equally far; run "
            "them once more, split as they were, until all has been read, or raise the backfill counters"
        )
    taken = [Held(own.key_begin, own.key_end, fence, checkpoints.pop() if checkpoints else "")]
    for row in rows:
        if row.key_begin < own.key_begin:
            taken.append(Held(row.key_begin, own.key_begin - 1, fence, row.checkpoint))
        if row.key_end > own.key_end:
            taken.append(Held(own.key_end + 1, row.key_end, fence, row.checkpoint))
    return taken


class Fence:
    """The right of one session to commit for its key range, and where the range stands.

    `checkpoint` is the text that the last transaction committed, or "" where there was none.
    """

    def __init__(self, table: str, materialization: str, held: Held) -> None:
        self._table = table
        self._materialization = materialization
        self._held = held
        self.checkpoint = held.checkpoint

    def write(self, endpoint: Endpoint, checkpoint: str) -> None:
        """Write `checkpoint` in the transaction that has begun. Raises ConnectorError where the range was taken over.

        The row stays locked until the transaction ends: who takes over waits for that.
        """
        held, (text, name, *others) = self._held, (endpoint.dialect.parameter(number) for number in range(1, 6))
        written = endpoint.execute(
            f"update {self._table} set checkpoint = {text} where materialization = {name} "  # noqa: S608 -- quoted names
            f"and key_begin = {others[0]} and key_end = {others[1]} and fence = {others[2]} returning fence",
            (checkpoint, self._materialization, held.key_begin, held.key_end, held.fence),
        )
        if len(written) != 1:
            raise ConnectorError(
                f"another session of {self._materialization} has taken over the key range "
                f"{_shown(held.key_begin, held.key_end)}: this one is fenced off, and its transaction was not stored"
            )


def raise_fence(endpoint: Endpoint, schema: str, materialization: str, own: RangeSpec) -> Fence:
    """Take over the range `own` of `materialization`; sessions of overlapping ranges cannot commit from now on."""
    table, dialect = endpoint.dialect.qualified((schema, CHECKPOINTS)), endpoint.dialect
    parameters = [dialect.parameter(number) for number in range(1, 6)]
    overlapping = (
        f"from {table} where materialization = {parameters[0]} and key_begin <= {parameters[1]} "
        f"and key_end >= {parameters[2]}"
    )
    asked = (materialization, own.key_end, own.key_begin)
    with endpoint.transaction():
        if dialect.lock:
            endpoint.execute(dialect.lock.format(table=table))
        rows = endpoint.execute(f"select key_begin, key_end, fence, checkpoint {overlapping}", asked)
        taken = take_over([Held(*row) for row in rows], own)
        endpoint.execute(f"delete {overlapping}", asked)
        for held in taken:
            values = (materialization, held.key_begin, held.key_end, held.fence, held.checkpoint)
            endpoint.execute(f"insert into {table} values ({', '.join(parameters)})", values)  # noqa: S608 -- same
    return Fence(table, materialization, taken[0])


def fence_off(endpoint: Endpoint, schema: str, materialization: str) -> None:
    """No session of `materialization` that is open can commit any more, once the transaction that has begun commits.

    One that is about to commit waits for that; one that has begun to commit is waited for.
    """
    table, name = endpoint.dialect.qualified((schema, CHECKPOINTS)), endpoint.dialect.parameter(1)
    endpoint.execute(f"update {table} set fence = fence + 1 where materialization = {name}", (materialization,))  # noqa: S608 -- same


def _shown(key_begin: int, key_end: int) -> str:
    return f"{key_begin:08x}-{key_end:08x}"
