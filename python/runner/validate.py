"""Write schemas, compiled: a fast yes or no for each document, and an explanation for the one that violates."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from python.protocol import pointer
from python.runner.schemas import Schema, compile_schema, modernized

__all__ = ["Validator", "Violation"]

_SHOWN_CHARACTERS_MAX = 200
"""Enough of a value to recognise it, and short enough for one line."""


class Violation(msgspec.Struct, frozen=True):
    """Why a document violates its schema: the JSON pointer `at`, the `keyword` that refuses it, and a `problem`.

    The problem says what came and what the schema wants, in words.
    """

    at: str
    keyword: str
    problem: str

    def __str__(self) -> str:
        return f"{self.at or '/'}: {self.problem} (keyword `{self.keyword}`)"


class Validator:
    """A compiled schema. `is_valid` is the hot path: a document as plain values in, a boolean out."""

    def __init__(self, schema: Schema) -> None:
        """Compile `schema`; raises SchemaError where it is none."""
        self._compiled = compile_schema(modernized(schema))  # type: ignore[arg-type] # a schema stays one
        self.is_valid: Callable[[object], bool] = self._compiled.is_valid

    def violation(self, value: object) -> Violation | None:
        """Return the first thing that is wrong with `value`, or None."""
        error = next(iter(self._compiled.iter_errors(value)), None)
        if error is None:
            return None
        problem = error.message.splitlines()[0]
        if len(problem) > _SHOWN_CHARACTERS_MAX:
            problem = f"{problem[: _SHOWN_CHARACTERS_MAX // 2]} … {problem[-_SHOWN_CHARACTERS_MAX // 2 :]}"
        return Violation(pointer.join(error.instance_path), error.kind.name, problem)
