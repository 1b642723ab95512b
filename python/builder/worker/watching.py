"""Keeping a read within its limits, and telling of it while it goes on.

`AirbyteEntrypoint.read`, or the source's own `read` in CDKs before it had one (0.31), is where the CDK's builder takes
its messages from: what passes there is counted, shown as events, and cut. The CDK then groups what it got, as if the
source had ended: the answer has the shape it always has.
"""

from __future__ import annotations

import importlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping

from . import channel, progress, request
from .kinds import Foreign, Json

__all__ = ["DeadlineError", "StoppedError", "Watch", "install"]

_AGAIN_SECONDS = 0.25  # the CDK may take the deadline for a stream's failure, and go on


class DeadlineError(Exception):
    """The time of the job is over."""


class StoppedError(Exception):
    """The read has ended at a limit: a thread that reads ahead may ask no more."""


class Watch:
    """What is known of one job while it runs: whether its read `began`, the limits `reached`, a failure not told."""

    def __init__(self, job: Mapping[str, Json], emit: Callable[[str, Json], None]) -> None:
        """Watch `job`; `emit(kind, data)` is called with each event."""
        self.reached: list[str] = []
        self.failure: dict[str, str] | None = None
        self.stopped = False
        self.began = False
        self.folder: str = job["folder"]
        self._job = job
        self._limits = job["limits"]
        self._progress = progress.Progress(job["stream"], emit)
        self._records = 0
        self._bytes = 0
        self._late = False
        self._interruptible = False
        self._kept: Iterator[Foreign] | None = None

    def start_clock(self) -> None:
        """Let the deadline interrupt the CDK from now on, in the main thread."""
        self._interruptible = True
        signal.signal(signal.SIGALRM, self._alarm)
        signal.setitimer(
            signal.ITIMER_REAL,
            max(0.001, self._limits["seconds"] - (time.monotonic() - self._job["started"])),
            _AGAIN_SECONDS,
        )

    def stop_clock(self) -> None:
        """Let nothing be interrupted any more."""
        self._interruptible = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def through(self, messages: Iterator[Foreign]) -> Iterator[Foreign]:
        """Yield messages until they end, or a limit is reached. The messages left are never asked for.

        The CDK's generator is kept, since closing it would wait for its threads.
        """
        self.began, self._kept = True, messages
        while not self.stopped:
            message = self._next(messages)
            if message is None or not self._fits(message):
                break
            self._progress.see(message)
            yield message
            if self._records >= self._limits["records"]:
                self._stop("records")
        self._progress.end()

    def unknown_stream(self, source: Foreign, config: Mapping[str, Json]) -> bool:
        """Whether the source has no stream of the wanted name, which is then this job's failure."""
        wanted = self._job["stream"]
        declared = (getattr(source, "resolved_manifest", None) or {}).get("streams") or []
        if any(isinstance(stream, Mapping) and stream.get("name") == wanted for stream in declared):
            return False
        names = [stream.name for stream in source.streams(config)]  # generated and conditional ones, and `$parameters`
        if wanted in names:
            return False
        self.failure = {
            "kind": "unknown stream",
            "message": f"the manifest has no stream {wanted!r}; it has: {', '.join(names) or 'none'}",
        }
        return True

    def check_answer(self, size: int) -> None:
        """Raise StoppedError if one answer of an API has more bytes than the whole result may have."""
        if size > self._limits["result_bytes"]:
            self._stop("result_bytes")
            raise StoppedError("an answer is larger than the result may be")

    def _next(self, messages: Iterator[Foreign]) -> Foreign:
        try:
            self._interruptible = True
            return None if self._late else next(messages, None)
        except DeadlineError:
            return None
        finally:
            self._interruptible = False

    def _fits(self, message: Foreign) -> bool:
        kind = message.type.value
        if kind == "RECORD":
            self._records += 1
            self._bytes += len(channel.encode(message.record.data))
        elif kind == "LOG":
            self._bytes += len(message.log.message)
        if self._bytes <= self._limits["result_bytes"]:
            return True
        self._stop("result_bytes")
        return False

    def _stop(self, limit: str) -> None:
        self.stopped = True
        if limit not in self.reached:
            self.reached.append(limit)

    def _alarm(self, _number: int, _frame: object) -> None:
        self._late = True
        self._stop("seconds")
        if self._interruptible:
            raise DeadlineError("the deadline of the job is over")


def install(watch: Watch, *, allow_custom_code: bool) -> None:
    """Let `watch` see every read of this process, and refuse custom components where they are not allowed.

    Patches the CDK for the rest of the process's life, which ends with the job.
    """
    entrypoint = importlib.import_module("airbyte_cdk.entrypoint").AirbyteEntrypoint
    if hasattr(entrypoint, "read"):
        _watch_reads(entrypoint, lambda started: started.source, watch)
    else:
        sources = importlib.import_module("airbyte_cdk.sources.declarative.manifest_declarative_source")
        _watch_reads(sources.ManifestDeclarativeSource, lambda source: source, watch)
    _guard_requests(watch)
    if not allow_custom_code:
        _refuse_custom_code(watch)


def _watch_reads(reader: Foreign, source_of: Callable[[Foreign], Foreign], watch: Watch) -> None:
    """Let `watch` see what the `read` of a class yields, whose second argument is the config."""
    original = reader.read

    def read(self: Foreign, *arguments: Foreign, **named: Foreign) -> Iterator[Foreign]:
        request.forget(watch.folder)
        config = named["config"] if "config" in named else arguments[1]
        if not watch.unknown_stream(source_of(self), config):
            yield from watch.through(iter(original(self, *arguments, **named)))

    reader.read = read


def _guard_requests(watch: Watch) -> None:
    """Let nothing be asked once a limit is reached, and no answer be read that could not be shown."""
    requests = importlib.import_module("requests")
    sessions, responses = requests.Session, requests.Response
    send, iterate = sessions.send, responses.iter_content

    def sent(self: Foreign, prepared: Foreign, **options: Foreign) -> Foreign:
        if watch.stopped:
            raise StoppedError("the read has ended at a limit")
        return send(self, prepared, **options)

    def parts(self: Foreign, *arguments: Foreign, **options: Foreign) -> Iterator[Foreign]:
        size = 0
        for part in iterate(self, *arguments, **options):
            size += len(part)
            watch.check_answer(size)
            yield part

    sessions.send, responses.iter_content = sent, parts


def _refuse_custom_code(watch: Watch) -> None:
    """Let no class be made by its name: the CDK's own check exists from 7.23.7 on, and reads its environment."""
    factories = importlib.import_module("airbyte_cdk.sources.declarative.parsers.model_to_component_factory")

    def refuse(*arguments: Foreign, **_options: Foreign) -> Foreign:
        names = [model.class_name for model in arguments if hasattr(model, "class_name")]
        watch.failure = {
            "kind": "custom code",
            "message": f"custom components are not allowed on this server: class_name {', '.join(map(str, names))}",
        }
        watch.stopped = True
        raise PermissionError(watch.failure["message"])

    factories.ModelToComponentFactory.create_custom_component = refuse
