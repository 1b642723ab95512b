"""Serving a connector on stdin and stdout, for every protocol (protocol reference, section 0)."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from python.protocol.codec import Codec
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.protocol.session import Session
from python.protocol.wire import FromConnector, FromRuntime
from python.shell import descriptors, logs
from python.shell.output import Output, ReaderGone
from python.shell.requests import Requests
from python.shell.scrubber import Scrubber
from python.shell.stopping import DRAIN_SECONDS_MAX, Stopped, Stopping

__all__ = ["EXIT_SECONDS_MAX", "Response", "Service", "serve"]

EXIT_SECONDS_MAX = 5.0
"""How long threads that the source left behind may go on after the last response, in seconds."""

_BROKEN_PIPE = 141  # as a process that SIGPIPE ended
_ABANDON_SECONDS_MAX = 1.0
_TOLD = (HeadwaterError, SystemExit)  # whose sentence says it all
_log = logging.getLogger("headwater")


Response = FromConnector | list[FromConnector]
"""What is answered: one message, or a run of them, all of one type."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A connector, as the shell sees it.

    `answer` yields the responses to a run of requests, all of one type; the answer to one of type `last` ends the
    conversation. `aside` deals with messages that come while a request is being answered (acknowledgements), by type,
    on another thread. `secrets` returns the values of a request's config that must not be logged; what comes in runs
    of more than one has none. `in_sequence` says whether what was
    said waits for a checkpoint, or for the end of its transaction. `due` yields responses that no request waits for,
    once they are ready: the connector says so with what `on_wake` was given, from any thread. `finish` is called once
    the conversation has ended as it should.
    """

    requests: Codec[Any]
    responses: Codec[Any]
    session: Session
    answer: Callable[[Sequence[FromRuntime]], Iterable[Response]]
    secrets: Callable[[FromRuntime], Iterable[str]]
    in_sequence: Callable[[], bool]
    last: type[FromRuntime] | None = None
    aside: Mapping[type[FromRuntime], Callable[[Any], None]] = {}
    due: Callable[[], Iterable[FromConnector]] = tuple
    on_wake: Callable[[Callable[[], None]], None] = lambda _wake: None
    finish: Callable[[], None] = lambda: None
    drain_seconds_max: float = DRAIN_SECONDS_MAX


def serve(make: Callable[[], Service]) -> NoReturn:
    """Serve the connector that `make` returns until stdin ends or its last answer is complete, then exit.

    Descriptor 1 is owned before `make` is called, so that nothing which it imports can print into the protocol. The
    exit status is 0 after all was answered and after a stop at a boundary, 1 after a failure, whose reason is then
    the last log.
    """
    own = descriptors.Descriptors()
    writer = logs.LogWriter(own.stderr, Scrubber())
    own.pump(writer.write)
    logs.install(writer, os.environ.get("LOG_LEVEL"))
    status, reason = _run(make, own, writer)
    own.release(hush=reason is not None)
    if reason is not None:
        writer.reserve()
        logs.install(writer, "info")
        _log.error("%s", _sentence(reason), exc_info=None if isinstance(reason, _TOLD) else reason)
    _exit(status)


def _run(
    make: Callable[[], Service], own: descriptors.Descriptors, writer: logs.LogWriter
) -> tuple[int, BaseException | None]:
    try:
        conversation = _Conversation(make(), own, writer)
        conversation.run()
    except Stopped:
        return 0, None
    except ReaderGone:
        return _BROKEN_PIPE, None
    except BaseException as error:  # noqa: BLE001 -- whatever ends a connector is told as its last log
        return 1, error
    return 0, None


class _Conversation:
    """One process's conversation with the runtime."""

    def __init__(self, service: Service, own: descriptors.Descriptors, writer: logs.LogWriter) -> None:
        self._service = service
        self._scrubber = writer.scrubber
        self._output = Output(own.stdout)
        self._stopping = Stopping(service.drain_seconds_max, self._give_up)
        self._lock = threading.Lock()

    def run(self) -> None:
        """Answer every request; returns when stdin has ended, or when the last answer is complete."""
        if threading.current_thread() is threading.main_thread():
            self._stopping.install()
        requests = Requests(0, self._service.requests.decode_run, self._aside)
        self._service.on_wake(requests.wake)
        threading.Thread(target=self._tick, name="headwater-flush", daemon=True).start()
        try:
            self._converse(requests)
            self._service.session.end()
            self._service.finish()
            self._output.flush()
        except Stopped:
            self._output.flush_complete()
            raise
        except BaseException:
            self._output.abandon(_ABANDON_SECONDS_MAX)
            raise
        finally:
            self._stopping.finish()
            self._output.close()

    def _converse(self, requests: Requests) -> None:
        service, stopping = self._service, self._stopping
        for batch in requests.batches():
            for run in batch:
                self._step(run)
                if secrets := service.secrets(run[0]):
                    self._scrubber.add(secrets)
                if responses := service.answer(run):
                    self._say(responses, requests)
                stopping.at_boundary(not service.in_sequence())
                if isinstance(run[0], service.last or ()):
                    return
            self._say(service.due(), requests)
            if not requests.waiting:
                self._output.flush()

    def _say(self, responses: Iterable[Response], requests: Requests) -> None:
        service, stopping = self._service, self._stopping
        for response in responses:
            stopping.guarded = True
            if isinstance(response, list):
                self._step(response)
                line = b"".join(map(service.responses.encode, response))
            else:
                with self._lock:
                    service.session.step(response)
                line = service.responses.encode(response)
            in_sequence = service.in_sequence()
            self._output.write(line, ends_sequence=not in_sequence)
            if requests.failure:
                raise requests.failure
            stopping.at_boundary(not in_sequence)

    def _step(self, run: Sequence[msgspec.Struct]) -> None:
        with self._lock:
            self._service.session.step_run(run)

    def _aside(self, run: Sequence[FromRuntime]) -> bool:
        deal = self._service.aside.get(type(run[0]))
        if deal is None:
            return False
        self._step(run)
        for request in run:
            deal(request)
        return True

    def _tick(self) -> None:
        try:
            self._output.run_timer()
        except ReaderGone:
            os._exit(_BROKEN_PIPE)

    def _give_up(self) -> None:
        """No boundary came in time: end with what is complete, and with 0 only if nothing half was sent."""
        clean = self._output.abandon(_ABANDON_SECONDS_MAX)
        if not clean:
            why = "stopped in the middle of a checkpoint sequence, which took longer than %g s: it will be repeated"
            told = threading.Thread(target=_log.error, args=(why, self._service.drain_seconds_max), daemon=True)
            told.start()  # nobody may be reading the logs either
            told.join(_ABANDON_SECONDS_MAX)
        os._exit(0 if clean else 1)


def _sentence(reason: BaseException) -> str:
    if isinstance(reason, RemoteProtocolError):
        return f"cannot go on: {reason}"
    if isinstance(reason, HeadwaterError):
        return str(reason)
    if isinstance(reason, SystemExit):
        return f"the source ended the process with exit status {reason.code}"
    text = str(reason).strip()
    return f"{type(reason).__name__}: {text}" if text else f"{type(reason).__name__}, without a message"


def _exit(status: int) -> NoReturn:
    """Exit, and do not wait for ever for what the source left running."""
    watchdog = threading.Timer(EXIT_SECONDS_MAX, os._exit, (status,))
    watchdog.daemon = True
    watchdog.start()
    sys.exit(status)
