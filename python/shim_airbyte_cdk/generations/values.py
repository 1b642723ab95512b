"""Models of any generation as the plain JSON values of the Airbyte protocol."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

from python.shim_airbyte_cdk.generations import dataclass_models, pydantic_1, pydantic_2

__all__ = ["Json", "mapping", "mapping_of", "plain"]

Json = dict[str, object]


class _Generation(Protocol):
    """What each module of models offers."""

    def makes(self, kind: type) -> bool: ...

    def members(self, model: object) -> dict[str, object]: ...


_GENERATIONS: tuple[_Generation, ...] = (dataclass_models, pydantic_2, pydantic_1)


def plain(value: object) -> object:
    """Return an Airbyte model as the JSON value that the Airbyte protocol has for it, without null members.

    Objects and lists are copied, and keep their nulls: sources go on changing a state that they have handed out. What
    is neither a model nor one of them, such as a date, is returned as it is.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    generation = _generation(type(value))
    if generation is None:
        return value
    return {name: plain(item) for name, item in generation.members(value).items()}


def mapping(value: object) -> Json:
    """Return `value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mapping_of(model: object) -> Json:
    """Return an Airbyte model as a JSON object, see `plain`."""
    return mapping(plain(model))


def _generation(kind: type) -> _Generation | None:
    return next((generation for generation in _GENERATIONS if generation.makes(kind)), None)
