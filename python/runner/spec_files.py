"""Flow spec files: YAML or JSON, with the file and line of every key, so that errors can say where.

The rules are those of flowctl (protocol reference, section 9): unknown keys are refused, and strings may name files.
"""

from __future__ import annotations

import difflib
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from python.protocol.errors import HeadwaterError

__all__ = ["Place", "Problems", "SpecError", "check_shape", "plain", "read_file"]


class SpecError(HeadwaterError):
    """The Flow spec cannot be used. Every problem found is a line of the message: `file:line: what is wrong`."""


class Place(msgspec.Struct, frozen=True, order=True):
    """Where something stands; `line` counts from 1, 0 is unknown."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def of(self, node: object, key: object = None) -> Place:
        """Return the place of `key` in the mapping or sequence `node`, or that of `node`, in the same file."""
        marks = getattr(node, "lc", None)
        if marks is None:
            return self
        if key is not None and marks.data and key in marks.data:
            return Place(self.file, marks.data[key][0] + 1)
        return Place(self.file, (marks.line or 0) + 1)


class Problems:
    """Collects what is wrong, so that one look at a spec tells everything."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []

    def add(self, place: Place, sentence: str) -> None:
        """`sentence` will be told with `place`."""
        self._found.append((place, sentence))

    def raise_all(self) -> None:
        """Raise SpecError if anything was wrong, sorted by place."""
        if self._found:
            raise SpecError("\n".join(f"{place}: {sentence}" for place, sentence in sorted(set(self._found))))


def read_file(path: pathlib.Path, place: Place) -> Any:  # noqa: ANN401 -- ruamel's tree: mappings, sequences, scalars
    """Return the YAML or JSON in `path`, with marks. `place` names who asked for it, in errors."""
    try:
        return YAML(typ="rt").load(path)
    except FileNotFoundError:
        raise SpecError(f"{place}: the file {path} does not exist") from None
    except OSError as error:
        raise SpecError(f"{place}: the file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SpecError(f"{place}: the file {path} is not UTF-8 text") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SpecError(
            f"{Place(str(path), line)}: is neither YAML nor JSON: {error.problem or error.context}"
        ) from None


def plain(node: object) -> Any:  # noqa: ANN401 -- JSON
    """Return `node` as plain dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    return next((kind(node) for kind in (int, float, str) if isinstance(node, kind)), str(node))


ANY = None
Shape = Any
"""What keys a mapping may have: a dict of keys to shapes, `{"*": shape}` for any key, `[shape]` for a list, or ANY."""

_SHARDS = dict.fromkeys(
    ("disable", "minTxnDuration", "maxTxnDuration", "hotStandbys", "ringBufferSize", "readChannelSize", "logLevel")
)
_ENDPOINT = {"connector": ANY, "local": ANY}
_COMMON = dict.fromkeys(("expectPubId", "delete", "reset", "redactSalt", "secrets"))
_SOURCE = {"name": ANY, "partitions": {"include": ANY, "exclude": ANY}, "notBefore": ANY, "notAfter": ANY}
_CAPTURE = {
    **_COMMON,
    "endpoint": _ENDPOINT,
    "bindings": [{"resource": ANY, "target": ANY, "disable": ANY, "backfill": ANY}],
    "interval": ANY,
    "autoDiscover": {"addNewBindings": ANY, "evolveIncompatibleCollections": ANY},
    "shards": _SHARDS,
}
_TRANSFORM = {
    **dict.fromkeys(("name", "lambda", "priority", "readDelay", "disable", "backfill")),
    "source": _SOURCE,
    "shuffle": {"key": ANY, "lambda": ANY, "any": ANY},
}
_DERIVE = {
    **_COMMON,
    "using": {**_ENDPOINT, "sqlite": ANY, "typescript": ANY, "python": ANY},
    "transforms": [_TRANSFORM],
    "shuffleKeyTypes": ANY,
    "shards": _SHARDS,
}
_COLLECTION = {
    **_COMMON,
    **dict.fromkeys(("schema", "writeSchema", "readSchema", "key", "journals")),
    "projections": {"*": {"location": ANY, "partition": ANY}},
    "derive": _DERIVE,
}
_MATERIALIZATION_BINDING = {
    **dict.fromkeys(("resource", "disable", "priority", "backfill", "onIncompatibleSchemaChange")),
    "source": _SOURCE,
    "fields": dict.fromkeys(("recommended", "require", "include", "exclude", "groupBy")),
}
_MATERIALIZATION = {
    **_COMMON,
    "endpoint": {**_ENDPOINT, "dekaf": ANY},
    "bindings": [_MATERIALIZATION_BINDING],
    **dict.fromkeys(("source", "sourceCapture", "onIncompatibleSchemaChange")),
    "shards": _SHARDS,
}
ROOT: Shape = {
    "$schema": ANY,
    "import": ANY,
    "captures": {"*": _CAPTURE},
    "collections": {"*": _COLLECTION},
    "materializations": {"*": _MATERIALIZATION},
    "tests": {"*": ANY},
}
"""Every key that flowctl knows, as a table."""


def check_shape(node: object, shape: Shape, place: Place, problems: Problems) -> None:
    """Tell `problems` of each key in `node` that `shape` does not know, with a suggestion."""
    if isinstance(shape, list) and isinstance(node, list):
        for item in node:
            check_shape(item, shape[0], place.of(item), problems)
    elif isinstance(shape, dict) and isinstance(node, Mapping):
        for key, value in node.items():
            below = shape.get(key, shape.get("*", Ellipsis))
            if below is Ellipsis:
                problems.add(place.of(node, key), _unknown(str(key), shape))
            else:
                check_shape(value, below, place.of(node, key), problems)


def _unknown(key: str, shape: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, shape, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it may be {', '.join(sorted(shape))}"
    return f"the key {key!r} is unknown here; {hint}"


def names(node: object) -> Iterator[str]:
    """Yield the keys of a mapping as text; nothing for anything else."""
    if isinstance(node, Mapping):
        yield from map(str, node)
