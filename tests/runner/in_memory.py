"""A connector in this very process, at the other end of the runner's own `Connection`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from python.connector import BaseConnector
from python.runner.drive import DERIVE, MATERIALIZE, Connection, Protocol


class InMemory:
    """Stands for a child process: what is sent is answered by `connector` at once."""

    def __init__(self, connector: BaseConnector[Any, Any, Any], protocol: Protocol) -> None:
        self._connector = connector
        self._protocol = protocol
        self._answers: list[bytes] = []
        self.requests: list[Any] = []
        self.closed = False

    def send(self, line: bytes) -> None:
        for each in line.splitlines():
            request = self._protocol.requests.decode(each)
            self.requests.append(request)
            self._say(self._connector.answer(request))

    def batches(self, tick_seconds: float) -> Iterator[list[bytes]]:
        del tick_seconds
        while not self.closed or self._answers:
            if hasattr(self._connector, "due"):
                self._say(self._connector.due())
            said, self._answers = self._answers, []
            yield said

    def close_stdin(self) -> None:
        self.closed = True

    def finish(self) -> None:
        assert self.closed

    def _say(self, responses: Iterator[Any]) -> None:
        self._answers += [self._protocol.responses.encode(response).rstrip(b"\n") for response in responses]


def connected(connector: BaseConnector[Any, Any, Any]) -> tuple[Connection, InMemory]:
    """Our end of a conversation with `connector`, and its end."""
    protocol = MATERIALIZE if hasattr(connector, "due") else DERIVE
    child = InMemory(connector, protocol)
    return Connection(child, protocol), child  # type: ignore[arg-type] # it stands for a child
