"""What is wrong with a metadata file: a value that tells where, what came, what was wanted and what to do."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

__all__ = ["Finding", "Severity", "errors", "told"]


class Severity(enum.Enum):
    """An error keeps a file from being uploaded; a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    `rule` is its name, stable for tools; `pointer` the JSON pointer of the value, "" for the whole file; `line` and
    `column` count from 1, 0 where the value stands in no file. `fix` says what to do, in one sentence.
    """

    rule: str
    pointer: str
    message: str
    fix: str
    severity: Severity = Severity.ERROR
    line: int = 0
    column: int = 0

    def told(self, name: str) -> str:
        """Return it as compilers write: the file called `name`, the place, then what is wrong and what to do."""
        place = f"{name}:{self.line}:{self.column}" if self.line else name
        return _one_line(
            f"{place}: {self.severity.value}: {self.pointer or '/'}: {self.message}. {self.fix} [{self.rule}]"
        )


def _one_line(text: str) -> str:
    """Return `text` with escapes for what would break its line, or the terminal: a file may name anything so."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those that keep a file from being uploaded."""
    return tuple(each for each in findings if each.severity is Severity.ERROR)


def told(name: str, findings: Iterable[Finding]) -> str:
    """Return all of them about the file `name`, a line each, in the order of the file."""
    ordered = sorted(findings, key=lambda each: (each.line, each.column, each.pointer, each.rule))
    return "\n".join(each.told(name) for each in ordered)
