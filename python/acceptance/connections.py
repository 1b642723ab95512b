"""Conversations with a materialization under test: with a process, or with a connector in this one.

Both check each message against the protocol, as strictly as Flow's runtime does.
"""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Iterator
from typing import TypeVar

from python.acceptance.target import AnyConnector, Target
from python.protocol.codec import MATERIALIZE_REQUESTS, MATERIALIZE_RESPONSES
from python.protocol.errors import RemoteProtocolError
from python.protocol.materialize_session import MaterializeSession
from python.protocol.session import Role
from python.protocol.wire import FromConnector, FromRuntime
from python.runner.drive import MATERIALIZE, Launch, connected

__all__ = ["Conversation", "InProcess", "Process", "converse"]

_TICK_SECONDS = 0.001
_ANSWER_SECONDS_MAX = 60.0  # for a commit, say; the endpoints of tests are small
_Response = TypeVar("_Response", bound=FromConnector)


class Process:
    """A connector in a process of its own, which is there until `end` or `kill`."""

    def __init__(self, target: Target) -> None:
        self._stack = contextlib.ExitStack()
        launch = Launch(
            command=target.command,
            connector_type="LOCAL",
            env=target.env,
            cwd=target.cwd,
            protocol=MATERIALIZE,
            containers=target.containers,
        )
        self._connection = self._stack.enter_context(connected(launch))

    def send(self, request: FromRuntime) -> None:
        """`request` is on its way."""
        self._connection.send(request)

    def until(self, want: type[_Response]) -> Iterator[FromConnector]:
        """Yield the responses up to the first `want`, which is the last. Raises HeadwaterError saying what failed."""
        yield from self._connection.until(want)

    def end(self) -> None:
        """Close stdin, and wait for the end, which must be a good one."""
        with self._stack:
            self._connection.finish()

    def kill(self) -> None:
        """The process is gone, at once."""
        self._stack.close()


class InProcess:
    """A connector in this process. It cannot be killed."""

    def __init__(self, connector: AnyConnector) -> None:
        self._connector = connector
        self._session = MaterializeSession(Role.RUNTIME)
        self._heard: collections.deque[FromConnector] = collections.deque()
        self._tick = threading.Event()  # never set: what becomes ready is looked for

    def send(self, request: FromRuntime) -> None:
        """`request` was answered, as far as it is at once."""
        self._session.step(request)
        line = MATERIALIZE_REQUESTS.encode(request)
        for answer in self._connector.answer(MATERIALIZE_REQUESTS.decode(line[:-1])):
            self._hear(answer)

    def until(self, want: type[_Response]) -> Iterator[FromConnector]:
        """Yield the responses up to the first `want`, which is the last. Raises HeadwaterError saying what failed."""
        ticks = int(_ANSWER_SECONDS_MAX / _TICK_SECONDS)
        while ticks:
            for answer in self._connector.due():
                self._hear(answer)
            while self._heard:
                message = self._heard.popleft()
                yield message
                if isinstance(message, want):
                    return
            self._tick.wait(_TICK_SECONDS)
            ticks -= 1
        raise RemoteProtocolError(f"{want.__name__} did not come within {_ANSWER_SECONDS_MAX:g} s", rule=28)

    def end(self) -> None:
        """Finish the session."""
        self._connector.finish()
        self._session.end()

    def _hear(self, answer: FromConnector) -> None:
        message = MATERIALIZE_RESPONSES.decode(MATERIALIZE_RESPONSES.encode(answer)[:-1])
        self._session.step(message)
        self._heard.append(message)


Conversation = Process | InProcess


def converse(target: Target, *, in_process: bool) -> Conversation:
    """Return a conversation with the target's connector: in this process, if it is wanted and can be."""
    return InProcess(target.make()) if in_process and target.make is not None else Process(target)
