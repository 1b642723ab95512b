"""One collection's documents in the store, and how a transaction's documents get there.

The table has one row a key. A transaction's documents wait in temporary tables of the writer's own connection, which
DuckDB moves to disk when memory ends; so a transaction may be as large as the disk. `apply` moves them into the table,
within the transaction that the caller has begun. There is no index over keys: a batch finds its older rows by one scan.
"""

from __future__ import annotations

import duckdb
import msgspec

from python.runner.collector import Collector
from python.runner.combiner import Combined
from python.runner.journal import Journal
from python.runner.views import INTEGERS, Column, view_sql, width_sql

__all__ = ["Table", "Waiting"]

# A member with 19 digits or an exponent may be an integer beyond BIGINT. In a text this matches next to never.
_LARGE_INTEGER = r":\s*-?([0-9]{19}|[0-9.]+[eE])"


class Table(msgspec.Struct):
    """A collection's table, named by a number of the store's, the view over it, and its journal, if it has readers."""

    number: int
    collection: str
    columns: tuple[Column, ...] = ()
    widths: dict[str, str] = {}
    journal: Journal | None = None

    @property
    def name(self) -> str:
        """The table, as SQL names it."""
        return f"headwater.documents_{self.number}"

    def view_sql(self) -> str:
        """Return the statement that makes the collection's view."""
        return view_sql(self.collection, self.name, self.columns, self.widths)

    def integers(self) -> list[Column]:
        """Return the columns of integers that can still become wider."""
        return [column for column in self.columns if column.integer and self.widths.get(column.name) != INTEGERS[-1]]


class Waiting:
    """Documents of one collection that wait for their commit, in parts as they came."""

    def __init__(self, db: duckdb.DuckDBPyConnection, table: Table, collector: Collector) -> None:
        """Nothing waits yet. `db` is a connection that no other thread uses."""
        self._db = db
        self._table = table
        self._collector = collector
        self._parts = 0

    def add(self, combined: Combined) -> None:
        """These documents wait, too. Call it outside of a transaction."""
        self._load(self._part(self._parts), combined)
        self._parts += 1

    def apply(self, transaction: int, clock: int) -> None:
        """The table has these documents, reduced into what it had; rows are marked with the number `transaction`.

        The journal, if there is one, has them as they are, committed at `clock`.
        """
        for number in range(self._parts):
            if self._table.journal is not None:
                self._table.journal.append(self._db, self._part(number), clock)
            self._apply_part(self._part(number), transaction)

    def settle(self, clock: int) -> None:
        """What was applied has committed."""
        if self._table.journal is not None:
            self._table.journal.settle(clock)

    def forget(self) -> None:
        """Nothing waits any more."""
        for number in range(self._parts):
            self._db.execute(f"drop table if exists {self._part(number)}")
        self._parts = 0

    def _part(self, number: int) -> str:
        """The table of a part. Each has its own: DuckDB works on 2,048 rows at once, and must hold all their texts."""
        return f"temp.waiting_{self._table.number}_{number}"

    def _apply_part(self, part: str, transaction: int) -> None:
        stored = self._table.name
        plan = self._collector.plan
        replaces = self._db.execute(f"select 1 from {stored} limit 1").fetchone() is not None  # noqa: S608 -- every name here is ours
        if plan is not None and (replaces or plan.prunes):
            self._reduce(part, every=plan.prunes)
        if replaces:
            self._db.execute(f"delete from {stored} using {part} p where {stored}.key = p.key")  # noqa: S608 -- same
        self._widen(part)
        self._db.execute(f"insert into {stored} select key, doc, $1 from {part} where doc <> ''", [transaction])  # noqa: S608 -- same

    def _reduce(self, part: str, *, every: bool) -> None:
        """Replace documents of `part` by fully reduced ones, looking at `every` one or at those with a predecessor.

        A deleted one is left as an empty text: its key still removes what is stored.
        """
        join = f"{'left' if every else 'inner'} join {self._table.name} s using (key)"
        rows = self._db.execute(f"select p.key, p.doc, s.doc from {part} p {join}").fetchall()  # noqa: S608 -- same
        changed: Combined = {}
        for key, doc, older in rows:
            newer = doc.encode()
            reduced = self._collector.reduce(None if older is None else older.encode(), newer)
            if reduced is not newer:
                changed[key] = reduced or b""
        if changed:
            self._load("temp.reduced", changed)
            self._db.execute(f"delete from {part} p using temp.reduced r where p.key = r.key")  # noqa: S608 -- same
            self._db.execute(f"insert into {part} from temp.reduced")

    def _load(self, table: str, combined: Combined) -> None:
        """Make the temporary `table` of these documents.

        Two long texts, split by DuckDB, cost half of two lists: keys never hold U+0000, and in a document's text a
        newline can only stand between tokens, where a space is as good.
        """
        texts = list(combined.values())
        docs = b"\n".join(texts)
        if docs.count(b"\n") != len(texts) - 1:
            docs = b"\n".join([text.replace(b"\n", b" ") for text in texts])
        self._db.execute(
            f"create or replace temp table {table} as select unnest(string_split($1, chr(0))) as key, "
            "unnest(string_split($2, chr(10))) as doc",
            ["\0".join(combined), docs.decode()],
        )

    def _widen(self, part: str) -> None:
        """The view's columns of integers are wide enough for what waits."""
        columns = self._table.integers()
        if not columns:
            return
        source = f"(select doc from {part} where regexp_matches(doc, '{_LARGE_INTEGER}'))"  # noqa: S608 -- same
        needed = self._db.execute(width_sql(columns, source)).fetchone() or ()
        wider = {
            column.name: INTEGERS[width]
            for column, width in zip(columns, needed, strict=True)
            if width > INTEGERS.index(self._table.widths.get(column.name, column.type))
        }
        if wider:
            self._table.widths = {**self._table.widths, **wider}
            self._db.execute(
                "update headwater.collections set widths = $1 where id = $2",
                [msgspec.json.encode(self._table.widths).decode(), self._table.number],
            )
            self._db.execute(self._table.view_sql())
