"""Finding a partition's state by its context at once.

The SDK looks through all partitions several times for each: with 2,000 parents, that is most of the time of a sync.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from python.shim_common.values import Json

__all__ = ["Find", "Partitions"]

Find = Callable[[list[Json], Mapping[str, Any]], "Json | None"]
"""Returns the state of the partition with a context, from a list of such states, each with its `context`."""


class Partitions:
    """Finds what `search`, the SDK's own function, would, for the length of one sync.

    Partitions are only ever added to the end of a list. What has no hash, or comes twice, is left to `search`.
    """

    def __init__(self, search: Find) -> None:
        self._search = search
        self._indexes: dict[int, _Index] = {}

    def find(self, partitions: list[Json], context: Mapping[str, Any]) -> Json | None:
        """Return the state in `partitions` whose context is equal to `context`, or None."""
        index = self._indexes.get(id(partitions))
        if index is None:
            index = self._indexes[id(partitions)] = _Index(partitions)
        try:
            return index.get(context)
        except (TypeError, LookupError):
            return self._search(partitions, context)


class _Index:
    def __init__(self, partitions: list[Json]) -> None:
        self._partitions = partitions  # held, so that no other list gets its id
        self._known: dict[frozenset[Any], Json] = {}
        self._count = 0

    def get(self, context: Mapping[str, Any]) -> Json | None:
        if len(self._partitions) < self._count:
            raise LookupError
        for each in self._partitions[self._count :]:
            self._add(each)
        return self._known.get(frozenset(context.items()))

    def _add(self, each: Json) -> None:
        context: Any = each["context"]
        key = frozenset(context.items())
        if key in self._known:
            raise LookupError
        self._known[key] = each
        self._count += 1
