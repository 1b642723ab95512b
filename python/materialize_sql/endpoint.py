"""The connection to a database, as the base of SQL materializations uses it."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from python.materialize_sql.dialect import Dialect
from python.materialize_sql.planner import Action, Found
from python.materialize_sql.tables import Column, Place
from python.protocol.errors import ConnectorError

__all__ = ["Endpoint", "sentence"]


class Endpoint(abc.ABC):
    """One session with a database. Outside of `transaction`, each statement commits by itself.

    Its methods are called by one thread at a time, which need not be the same one. `failures` are the exceptions of
    its driver.
    """

    dialect: Dialect
    failures: ClassVar[tuple[type[Exception], ...]]

    @abc.abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows, if it has any."""

    @abc.abstractmethod
    def inspect(self, places: Sequence[Place]) -> Found:
        """Return what the database has of the tables at `places`, by these very places, and all its schemas."""

    @abc.abstractmethod
    def copy(self, table: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> None:
        """Add rows to the temporary `table`, as SQL names it; `values` are converted, a list for each column."""

    @abc.abstractmethod
    def documents(self, query: str) -> Iterator[bytes]:
        """Yield the JSON text in the one column of the rows of `query`, byte for byte, without holding them all."""

    @abc.abstractmethod
    def close(self) -> None:
        """End the session; what is not committed is gone."""

    def begin(self) -> None:
        """Begin a transaction that writes."""
        self.execute(self.dialect.begin)

    def commit(self) -> None:
        """Commit the transaction."""
        self.execute("commit")

    def roll_back(self) -> None:
        """Undo the transaction, as far as there is one left to undo."""
        with contextlib.suppress(*self.failures):
            self.execute("rollback")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Within, all statements are one transaction, which is undone if they fail."""
        self.begin()
        try:
            yield
        except BaseException:
            self.roll_back()
            raise
        self.commit()

    def perform(self, action: Action) -> None:
        """Do what a plan says, in the transaction that has begun."""
        for statement in action.statements:
            self.execute(statement)

    @contextlib.contextmanager
    def telling(self, doing: str) -> Iterator[None]:
        """Within, what the database refuses becomes a ConnectorError that says what was being done."""
        try:
            yield
        except self.failures as failure:
            raise ConnectorError(f"cannot {doing}: {sentence(failure)}") from None


def sentence(failure: Exception) -> str:
    """Return what a driver says, on one line."""
    return " ".join(str(failure).split()) or type(failure).__name__
