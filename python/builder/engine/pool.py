"""Several engines side by side, by name: one for each CDK."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from python.builder.engine.settings import Interpreter, Options
from python.builder.engine.worker_engine import WorkerEngine
from python.builder.jobs import Engine

__all__ = ["Pool"]


class Pool:
    """Engines by name, each made when it is first asked for."""

    def __init__(self, interpreters: Mapping[str, Interpreter], options: Options | None = None) -> None:
        """Start nothing yet. All engines have the same options."""
        self._interpreters = dict(interpreters)
        self._options = options or Options()
        self._engines: dict[str, WorkerEngine] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names that there are, in the order given."""
        return tuple(self._interpreters)

    def named(self, name: str) -> Engine:
        """Return the engine called `name`. Raises KeyError with the names that there are."""
        if name not in self._interpreters:
            raise KeyError(f"no CDK is called {name!r}; there are: {', '.join(self.names)}")
        if name not in self._engines:
            self._engines[name] = WorkerEngine(self._interpreters[name], self._options)
        return self._engines[name]

    async def close(self) -> None:
        """End every engine."""
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))
        self._engines.clear()
