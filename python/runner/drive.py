"""Playing the runtime to a connector process (protocol reference, section 0).

Every session is a process of its own, and begins with a `spec` request. A unary request then gets exactly one answer
and the end of stdin; `open` gets a stream of answers.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from python.protocol import capture as wire
from python.protocol import codec, derive
from python.protocol.capture_session import CaptureSession
from python.protocol.codec import Codec
from python.protocol.derive_session import DeriveSession
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import PROTOCOL_VERSION
from python.protocol.log import Log
from python.protocol.materialize_session import MaterializeSession
from python.protocol.session import Role, Session
from python.protocol.wire import FromConnector, FromRuntime
from python.runner.containers import Containers
from python.runner.stop import Stop
from python.shell.child import Child

__all__ = [
    "CAPTURE",
    "DERIVE",
    "MATERIALIZE",
    "PROTOCOLS",
    "Connection",
    "Launch",
    "Protocol",
    "Stream",
    "ask",
    "connected",
    "open_stream",
]

TICK_SECONDS = 0.1
"""How long a stream waits for the connector before it says that nothing came; commits and progress are due then."""

_Response = TypeVar("_Response", bound=FromConnector)


class Protocol(NamedTuple):
    """One of Flow's three protocols, as the runtime speaks it."""

    session: type[Session]
    requests: Codec[Any]
    responses: Codec[Any]
    spec_response: type[Any]


CAPTURE = Protocol(CaptureSession, codec.CAPTURE_REQUESTS, codec.CAPTURE_RESPONSES, wire.SpecResponse)
DERIVE = Protocol(DeriveSession, codec.DERIVE_REQUESTS, codec.DERIVE_RESPONSES, derive.SpecResponse)
MATERIALIZE = Protocol(MaterializeSession, codec.MATERIALIZE_REQUESTS, codec.MATERIALIZE_RESPONSES, derive.SpecResponse)

PROTOCOLS: Mapping[str, Protocol] = {"capture": CAPTURE, "derivation": DERIVE, "materialization": MATERIALIZE}
"""What the connector of each kind of task speaks."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a connector: `command`, and what to add to the environment. `on_log` gets every log.

    `containers` removes what an image's command leaves to its engine, where the command is killed.
    Once `stop` is asked for, a connector that runs is asked to end at its next boundary.
    """

    command: tuple[str, ...]
    connector_type: str
    env: Mapping[str, str] = {}
    cwd: str | None = None
    on_log: Callable[[Log], None] = lambda _log: None
    stop: Stop = msgspec.field(default_factory=Stop)
    protocol: Protocol = CAPTURE
    containers: Containers | None = None


class Connection:
    """A started connector and our end of the conversation with it, checked message by message in both directions.

    `ended` says that it has ended by itself, and well.
    """

    def __init__(self, child: Child, protocol: Protocol) -> None:
        self._child = child
        self._requests = protocol.requests
        self._responses = protocol.responses
        self._session = protocol.session(Role.RUNTIME)
        self._batches = child.batches(TICK_SECONDS)
        self._read: collections.deque[bytes] = collections.deque()
        self.ended = False

    def send(self, request: FromRuntime) -> None:
        """`request` is legal, and on its way."""
        self._session.step(request)
        self._child.send(self._requests.encode(request))

    def send_lines(self, request: FromRuntime, lines: Sequence[bytes]) -> None:
        """`lines` are on their way: requests of one kind, encoded by the caller. `request` stands for each of them."""
        if lines:
            self._session.step_run([request] * len(lines))
            self._child.send(b"".join(lines))

    def receive(self, want: type[_Response]) -> _Response:
        """Return the next answer, which must be a `want`. Raises ChildError where the connector failed instead."""
        (message, *more) = self._next(want)
        if more or not isinstance(message, want):
            raise RemoteProtocolError(f"{type(message).__name__} came; {want.__name__} was awaited", rule=28)
        return message

    def until(self, want: type[FromConnector]) -> Iterator[FromConnector]:
        """Yield the answers that come, up to the first that is a `want`, which is the last. Raises as `receive`.

        `want` is a kind that comes by itself, not in runs.
        """
        message = None
        while not isinstance(message, want):
            for message in self._next(want):
                yield message

    def poll(self) -> Iterator[FromConnector]:
        """Yield what has come, after waiting a moment for it where nothing has. Raises where the connector ended."""
        if not self._read:
            batch = next(self._batches, None)
            if batch is None:
                self._finish()
                raise RemoteProtocolError("the connector ended amid its session", rule=28)
            self._read.extend(batch)
        while self._read:
            yield from self._next_run()

    def finish(self) -> None:
        """The connector, which has nothing left to say, has ended well (rules 28 and 29)."""
        self._child.close_stdin()
        if self._more():
            extra = self._read[0][:80]
            raise RemoteProtocolError(f"after its answer the connector wrote another line: {extra!r}", rule=28)
        self._finish()
        self._session.end()

    def batches(self) -> Iterator[list[FromConnector]]:
        """Yield what the connector answers, checked against the protocol; an empty list where nothing came.

        Ends with the connector. Raises ChildError where it failed, RemoteProtocolError where it broke the protocol;
        what it said before has been yielded then.
        """
        for lines in itertools.chain([list(self._read)], self._batches):
            batch: list[FromConnector] = []
            try:
                for line in lines:
                    batch.append(self._decode(line))  # noqa: PERF401 -- what came before a breach is kept
            except RemoteProtocolError:
                yield batch
                raise
            yield batch
        self._finish()
        self._session.end()

    def _finish(self) -> None:
        self._child.finish()
        self.ended = True

    def stop(self) -> None:
        """Ask the connector to end at its next boundary."""
        self._child.interrupt()

    def _decode(self, line: bytes) -> FromConnector:
        message: FromConnector = self._responses.decode(line)
        self._session.step(message)
        return message

    def _next(self, want: type[FromConnector]) -> list[FromConnector]:
        """Return the answer that comes next, and with it those like it, if it is of a kind that comes in runs."""
        if not self._more():
            self._finish()
            raise RemoteProtocolError(f"the connector ended without an answer; {want.__name__} was awaited", rule=28)
        return self._next_run()

    def _next_run(self) -> list[FromConnector]:
        run: list[FromConnector] = self._responses.decode_run(self._read)
        self._session.step_run(run)
        return run

    def _more(self) -> bool:
        """Wait for the next line; say whether there is one."""
        while not self._read:
            batch = next(self._batches, None)
            if batch is None:
                return False
            self._read.extend(batch)
        return True


def ask(launch: Launch, request: FromRuntime, want: type[_Response]) -> _Response:
    """Return the connector's answer to a unary `request`, which must be a `want` and the only one (rules 28 to 30)."""
    with connected(launch) as connection:
        connection.send(request)
        answer = connection.receive(want)
        connection.finish()
    return answer


@contextlib.contextmanager
def open_stream(launch: Launch, request: wire.Open) -> Iterator[Stream]:
    """A capture session, from its `opened` on. The process, and all that it started, is gone after the `with`."""
    with connected(launch) as connection:
        connection.send(request)
        yield Stream(connection, connection.receive(wire.Opened))


class Stream:
    """An open session: iterate over `batches`, `acknowledge` what was committed, `stop` to end early."""

    def __init__(self, connection: Connection, opened: wire.Opened) -> None:
        self._connection = connection
        self._explicit = opened.explicit_acknowledgements
        self.batches = connection.batches
        self.stop = connection.stop

    def acknowledge(self, checkpoints: int) -> None:
        """Tell the connector that its oldest `checkpoints` checkpoints have committed, if it asked to be told."""
        if self._explicit and checkpoints:
            self._connection.send(wire.Acknowledge(checkpoints=checkpoints))


@contextlib.contextmanager
def connected(launch: Launch) -> Iterator[Connection]:
    """Start the connector, and ask for its `spec`, as the runtime does before every real request."""
    child = Child(launch.command, launch.env, launch.on_log, launch.cwd)
    connection = Connection(child, launch.protocol)
    try:
        with launch.stop.telling(child.interrupt):
            connection.send(wire.Spec(connector_type=launch.connector_type))
            spec = connection.receive(launch.protocol.spec_response)
            if spec.protocol != PROTOCOL_VERSION:
                raise RemoteProtocolError(
                    f"the connector speaks protocol {spec.protocol}, and only {PROTOCOL_VERSION} is spoken here",
                    rule=17,
                )
            yield connection
    finally:
        child.kill()
        if launch.containers and not connection.ended:
            launch.containers.remove(child.pid)
