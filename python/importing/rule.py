"""What a rule of compatibility is: what it finds between two versions, how grave that is, for whom, and why."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

import msgspec

from python.protocol.pointer import MISSING

__all__ = ["Difference", "Hit", "Level", "Rule", "Whom"]

Pair = TypeVar("Pair")


class Level(enum.IntEnum):
    """How grave a change is: patch, nobody need do anything; minor, something is new; major, something breaks."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        """The level's name as people write it."""
        return self.name.lower()


class Whom(enum.Enum):
    """Who notices a change."""

    RUNNING = "running tasks"
    NEW = "new tasks"
    READERS = "the collection's readers"
    MATERIALIZATIONS = "materializations"
    STATE = "stored state"
    CONFIG = "the user's config"


class Hit(NamedTuple):
    """One change that a rule found: where, as tokens below the pair's own place, and what stood and stands there."""

    at: tuple[str, ...] = ()
    old: object = MISSING
    new: object = MISSING


class Rule(msgspec.Struct, Generic[Pair], frozen=True):
    """One rule: `find` yields the changes between the two sides of a pair. `why` is a clause that ends no sentence."""

    name: str
    level: Level
    whom: tuple[Whom, ...]
    why: str
    find: Callable[[Pair], Iterator[Hit]]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One change between two versions, judged by the rule of that name.

    `part` says of what: the config, the resource config, a binding, the documents of a binding. `pointer` is a JSON
    pointer: into the values that a schema describes, where the part is a schema (`-` is each item of an array, `*` each
    member without a name), else into the part itself. `old` and `new` are `MISSING` where there is none.
    """

    rule: str
    part: str
    pointer: str
    old: object
    new: object
    level: Level
    whom: tuple[Whom, ...]
    why: str
