"""The grammar of Flow specifications as tables: which keys each section may have, and what they hold.

Flow protocol, section 9. `grammar_check` holds a file against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from python.runner.durations import parse_seconds

__all__ = ["ROOT", "TASK_KINDS", "Choice", "Items", "Leaf", "Members", "Rule", "Section"]

TASK_KINDS = ("captures", "collections", "materializations", "tests")
"""The sections of a file that map catalog names to specifications."""


@dataclass(frozen=True)
class Leaf:
    """A value that `accepts` tells; `want` says in words what is accepted."""

    want: str
    accepts: Callable[[object], bool]


@dataclass(frozen=True)
class Items:
    """A list of at least `least` values that follow `rule`."""

    rule: Rule
    least: int = 0


@dataclass(frozen=True)
class Members:
    """An object with any keys that `names` accepts, whose values follow `rule`."""

    names: Leaf
    rule: Rule


@dataclass(frozen=True)
class Section:
    """An object with the keys of `members`, of which `required` must be there.

    With `one_of` exactly one of those keys is there. An `open` section tolerates other keys.
    """

    name: str
    members: Mapping[str, Rule]
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    open: bool = False


@dataclass(frozen=True)
class Choice:
    """One of `rules`, chosen by the JSON type of the value: at most one each for text, lists and objects."""

    want: str
    rules: tuple[Rule, ...]


Rule = Leaf | Items | Members | Section | Choice


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def _is_duration(value: object) -> bool:
    try:
        return isinstance(value, str) and parse_seconds(value) >= 0
    except ValueError:
        return False


def _matching(pattern: str) -> Callable[[object], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _word(*words: str) -> Leaf:
    return Leaf(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


_ANY = Leaf("any JSON value", lambda value: True)  # noqa: ARG005 -- a table of predicates has one shape
_OBJECT = Leaf("an object", lambda value: isinstance(value, dict))
_CONFIG = Leaf("an object, or the name of a file", lambda value: isinstance(value, (dict, str)))
_SCHEMA = Leaf("a JSON schema, or the name of a file", lambda value: isinstance(value, (dict, bool, str)))
_TEXT = Leaf("text (quote it)", lambda value: isinstance(value, str))
_FLAG = Leaf("true or false", lambda value: isinstance(value, bool))
_COUNT = Leaf("a whole number from 0 to 4294967295", _is_count)
_DURATION = Leaf("a duration such as 30s, 5m or '1h 30m'", _is_duration)
_NAME = Leaf("a name: letters, digits, '-', '_' and '.', in parts joined by '/'", _matching(r"[\w.\-]+(/[\w.\-]+)*"))
_TOKEN = Leaf("a name of letters, digits, '-', '_' and '.'", _matching(r"[\w.\-]+"))
_FIELD = Leaf("the name of a field", _matching(r".+"))
_POINTER = Leaf("a JSON pointer, such as /id or /a/b", _matching(r"(/([^/~]|~[01])+)*"))
_KEY = Items(_POINTER, least=1)
_TIME = Leaf("a date and time, such as 2024-01-31T00:00:00Z", _matching(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d.*"))
_SECRETS = Members(_POINTER, _NAME)

_SHARDS = Section(
    "shards",
    {
        "disable": _FLAG,
        "minTxnDuration": _DURATION,
        "maxTxnDuration": _DURATION,
        "hotStandbys": _COUNT,
        "ringBufferSize": _COUNT,
        "readChannelSize": _COUNT,
        "logLevel": _word("error", "warn", "info", "debug", "trace"),
    },
)
_CONNECTOR = Section("connector", {"image": _TEXT, "config": _CONFIG}, required=("image", "config"), open=True)
_LOCAL = Section(
    "local",
    {
        "command": Items(_TEXT, least=1),
        "config": _CONFIG,
        "env": Members(Leaf("the name of a variable", _matching(r"[^=\0]+")), _TEXT),
        "protobuf": _FLAG,
    },
    required=("command", "config"),
    open=True,
)
_CONTROL: dict[str, Rule] = {"expectPubId": _TEXT, "delete": _FLAG, "reset": _FLAG}
_TASK: dict[str, Rule] = {"shards": _SHARDS, "redactSalt": _TEXT, "secrets": _SECRETS}

_CAPTURE = Section(
    "capture",
    {
        "endpoint": Section("endpoint", {"connector": _CONNECTOR, "local": _LOCAL}, one_of=("connector", "local")),
        "bindings": Items(
            Section(
                "binding",
                {"resource": _CONFIG, "target": _NAME, "disable": _FLAG, "backfill": _COUNT},
                required=("resource", "target"),
            )
        ),
        "interval": _DURATION,
        "autoDiscover": Section("autoDiscover", {"addNewBindings": _FLAG, "evolveIncompatibleCollections": _FLAG}),
        **_TASK,
        **_CONTROL,
    },
    required=("endpoint", "bindings"),
)

_PARTITIONS = Members(_FIELD, Items(_ANY))
_SOURCE = Choice(
    "the name of a collection, or an object with `name`",
    (
        _NAME,
        Section(
            "source",
            {
                "name": _NAME,
                "partitions": Section("partitions", {"include": _PARTITIONS, "exclude": _PARTITIONS}),
                "notBefore": _TIME,
                "notAfter": _TIME,
            },
            required=("name",),
        ),
    ),
)
_TRANSFORM = Section(
    "transform",
    {
        "name": _TOKEN,
        "source": _SOURCE,
        "shuffle": Choice(
            "any, {key: […]} or {lambda: …}",
            (_word("any"), Section("shuffle", {"key": _KEY, "lambda": _ANY}, one_of=("key", "lambda"))),
        ),
        "lambda": _ANY,
        "priority": _COUNT,
        "readDelay": _DURATION,
        "disable": _FLAG,
        "backfill": _COUNT,
    },
    required=("name", "source", "shuffle"),
)
_USING: dict[str, Rule] = {
    "connector": _CONNECTOR,
    "sqlite": _OBJECT,
    "typescript": _OBJECT,
    "python": _OBJECT,
    "local": _LOCAL,
}
_DERIVE = Section(
    "derive",
    {
        "using": Section("using", _USING, one_of=tuple(_USING)),
        "transforms": Items(_TRANSFORM),
        "shuffleKeyTypes": Items(_word("boolean", "integer", "string")),
        **_TASK,
    },
    required=("using", "transforms"),
)
_COLLECTION = Section(
    "collection",
    {
        "schema": _SCHEMA,
        "writeSchema": _SCHEMA,
        "readSchema": _SCHEMA,
        "key": _KEY,
        "projections": Members(
            _FIELD,
            Choice(
                "a JSON pointer, or an object with `location`",
                (
                    _POINTER,
                    Section("projection", {"location": _POINTER, "partition": _FLAG}, required=("location",)),
                ),
            ),
        ),
        "journals": _OBJECT,
        "derive": _DERIVE,
        **_CONTROL,
    },
    required=("key",),
)

_SCHEMA_CHANGE = _word("abort", "backfill", "disableBinding", "disableTask")
_SOURCE_CAPTURE = Choice("the name of a capture, or an object", (_NAME, _OBJECT))
_FIELDS = Section(
    "fields",
    {
        "recommended": Leaf("true, false or a depth", lambda value: isinstance(value, bool) or _is_count(value)),
        "require": Members(_FIELD, _ANY),
        "include": Members(_FIELD, _ANY),
        "exclude": Items(_FIELD),
        "groupBy": Items(_FIELD),
    },
    required=("recommended",),
)
_MATERIALIZATION = Section(
    "materialization",
    {
        "endpoint": Section(
            "endpoint",
            {"connector": _CONNECTOR, "local": _LOCAL, "dekaf": _OBJECT},
            one_of=("connector", "local", "dekaf"),
        ),
        "bindings": Items(
            Section(
                "binding",
                {
                    "resource": _CONFIG,
                    "source": _SOURCE,
                    "disable": _FLAG,
                    "priority": _COUNT,
                    "fields": _FIELDS,
                    "backfill": _COUNT,
                    "onIncompatibleSchemaChange": _SCHEMA_CHANGE,
                },
                required=("resource", "source"),
            )
        ),
        "source": _SOURCE_CAPTURE,
        "sourceCapture": _SOURCE_CAPTURE,
        "onIncompatibleSchemaChange": _SCHEMA_CHANGE,
        "triggers": _OBJECT,
        **_TASK,
        **_CONTROL,
    },
    required=("endpoint", "bindings"),
)

_DOCUMENTS = Leaf("a list of documents, or the name of a file", lambda value: isinstance(value, (list, str)))


def _step(collection: Rule) -> Section:
    members: Mapping[str, Rule] = {"collection": collection, "documents": _DOCUMENTS, "description": _TEXT}
    return Section("step", members, required=("collection", "documents"))


_STEPS = Items(Section("step", {"ingest": _step(_NAME), "verify": _step(_SOURCE)}, one_of=("ingest", "verify")))
_TEST = Choice(
    "a list of steps, or an object with `steps`",
    (_STEPS, Section("test", {"description": _TEXT, "steps": _STEPS, **_CONTROL}, required=("steps",))),
)

ROOT = Section(
    "specification",
    {
        "$schema": _TEXT,
        "import": Items(_TEXT),
        "captures": Members(_NAME, _CAPTURE),
        "collections": Members(_NAME, _COLLECTION),
        "materializations": Members(_NAME, _MATERIALIZATION),
        "tests": Members(_NAME, _TEST),
    },
)
"""What a specification file holds."""
