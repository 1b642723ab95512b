"""What is wrong with a user's specification files: where, and what to do about it, one sentence each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from python.protocol.errors import HeadwaterError

__all__ = ["CatalogError", "Problem", "Where", "suggestion"]


@dataclass(frozen=True, order=True)
class Where:
    """A place in a user's file; `line` counts from 1."""

    file: Path
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake, as one sentence without the place."""

    where: Where
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


class CatalogError(HeadwaterError):
    """The specification cannot be used. Its author must act. `problems` are all that were found, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))

    @classmethod
    def at(cls, where: Where, sentence: str) -> CatalogError:
        """Return the error of a single problem."""
        return cls([Problem(where, sentence)])


def suggestion(got: str, known: Iterable[str]) -> str:
    """Return a clause that names the one of `known` that `got` was perhaps meant to be, or nothing.

    >>> suggestion("captues", ["captures", "collections"])
    "; did you mean 'captures'?"
    """
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(got.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""
