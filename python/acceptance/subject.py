"""The connector under test, and the conversations that many cases look at, each held once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from python.acceptance.talking import Dialogue, Limits, Start
from python.acceptance.transcripts import Json, Transcript
from python.acceptance.verdicts import BlockedError
from python.protocol import capture, document, materialize
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.protocol.wire import FromRuntime
from python.runner import drive, engines
from python.runner.endpoints import ImageEndpoint, LocalEndpoint, Shards, Task
from python.shell.scrubber import Scrubber, secrets_in

__all__ = ["SECRET_CHARACTERS_MIN", "ApplyingSubject", "Subject", "raw"]

SECRET_CHARACTERS_MIN = 5
"""Shorter values would be found by chance, in logs and in reports."""


class Subject(ABC):
    """A task of a specification, whose connector is started for each conversation.

    Conversations that cannot be what they should be raise BlockedError where a case reads their answers.
    """

    def __init__(self, task: Task, limits: Limits, network: str = "bridge") -> None:
        self.task = task
        self.limits = limits
        self._network = network
        self._starts: dict[str | None, Start] = {}
        self._breaches: dict[int, Mapping[int, str]] = {}
        self.protocol = drive.PROTOCOLS[task.kind]

    @property
    def kind(self) -> str:
        """The kind of the task."""
        return self.task.kind

    @property
    def endpoint(self) -> LocalEndpoint | ImageEndpoint:
        """The connector and its config."""
        assert self.task.endpoint is not None, "the opening refuses tasks without connectors"  # noqa: S101 -- ours
        return self.task.endpoint

    @property
    @abstractmethod
    def config(self) -> msgspec.Raw:
        """The config of the endpoint, in the clear."""

    @abstractmethod
    def validate(self, config: msgspec.Raw) -> FromRuntime:
        """Return the request to validate all bindings with another config."""

    @abstractmethod
    def open(self, state: object) -> FromRuntime:
        """Return the request to open a session of the whole task from a state."""

    @abstractmethod
    def empty_open(self) -> FromRuntime:
        """Return the request to open a session with no bindings."""

    @abstractmethod
    def basic(self) -> Iterator[Transcript]:
        """Yield the conversations that every connector has to master, as far as each can be held.

        Raises BlockedError after those that could, where one needs an answer that did not come.
        """

    def start(self, log_level: str | None = None) -> Start:
        """Return how to start the connector. An image is looked at once for each level."""
        if log_level not in self._starts:
            self._starts[log_level] = self._started(log_level)
        return self._starts[log_level]

    def _started(self, log_level: str | None) -> Start:
        task = self.task
        if log_level is not None:
            shards: Shards = dataclasses.replace(task.shards, log_level=log_level)
            task = dataclasses.replace(task, shards=shards)  # type: ignore[type-var] # every task is a dataclass
        launch = engines.launch(task, lambda _log: None, self._network)
        return Start(command=launch.command, env=launch.env, cwd=launch.cwd, containers=launch.containers)

    def dialogue(self, limits: Limits | None = None) -> Dialogue:
        """Start the connector. Nothing was sent."""
        return Dialogue(self.start(), limits or self.limits)

    def line(self, request: FromRuntime) -> bytes:
        """Return `request` as a line."""
        return self.protocol.requests.encode(request)

    def with_more(self, request: FromRuntime) -> bytes:
        """Return `request` as a line, with members that no protocol knows."""
        ((kind, members),) = msgspec.json.decode(self.line(request), type=dict[str, dict[str, msgspec.Raw]]).items()
        unheard = {"unheard": {"of": 1}, "unheardText": "of"}
        return document.encode({kind: {**members, **unheard}, "$internal": "AAAA"}) + b"\n"

    @property
    def spec_request(self) -> bytes:
        """The line that begins every session."""
        return self.line(capture.Spec(connector_type=self.endpoint.connector_type))

    def talk(self, *lines: bytes, log_level: str | None = None) -> Transcript:
        """Send `lines` at once, end stdin, and return all that was said."""
        with Dialogue(self.start(log_level), self.limits) as dialogue:
            dialogue.send(*lines)
            return dialogue.end()

    def ask(self, request: FromRuntime) -> Transcript:
        """Ask as the runtime does: spec first."""
        return self.talk(self.spec_request, self.line(request))

    @functools.cached_property
    def specs(self) -> Transcript:
        """Two specs in one process: one as the runtime sends it, and one with the config."""
        with_config = capture.Spec(connector_type=self.endpoint.connector_type, config=self.config)
        return self.talk(self.spec_request, self.line(with_config))

    @functools.cached_property
    def bare_spec(self) -> Transcript:
        """A spec without anything."""
        return self.talk(b'{"spec":{}}\n')

    @functools.cached_property
    def validation(self) -> Transcript:
        """All bindings, validated."""
        return self.ask(self.validate(self.config))

    @functools.cached_property
    def refused(self) -> Transcript:
        """A validate whose config cannot be: members of the wrong type, and none that is required."""
        return self.ask(self.validate(raw(self.wrong_config())))

    def wrong_config(self) -> Json:
        """Return the config with each member of a type that its schema does not admit."""
        schema, config = self.config_schema, document.decode(self.config)
        named = schema.get("properties") if isinstance(schema, dict) else None
        properties = named if isinstance(named, dict) else {}
        names = [*properties, *(config if isinstance(config, dict) else ())]
        return {name: "no object" if _is_object(properties.get(name)) else {"no": "such value"} for name in names}

    @property
    def spec(self) -> Json:
        """What spec answers."""
        return self.one(self.specs, "spec")

    def one(self, transcript: Transcript, kind: str) -> Json:
        """Return the last answer of a kind. Raises BlockedError where there is none."""
        found = transcript.all(kind)
        if not found:
            raise BlockedError(f"it needs an answer `{kind}`, and {_instead(transcript)}")
        return found[-1]

    def breaches(self, transcript: Transcript) -> Mapping[int, str]:
        """Return what Flow's runtime would refuse of a conversation: the first sentence by rule."""
        if id(transcript) not in self._breaches:
            errors = [error for line in transcript.lines if (error := self.refusal(line)) is not None]
            self._breaches[id(transcript)] = {error.rule: str(error) for error in reversed(errors)}
        return self._breaches[id(transcript)]

    def refusal(self, line: bytes) -> RemoteProtocolError | None:
        """Return why Flow's runtime would refuse a line of stdout, or None."""
        try:
            self.protocol.responses.decode(line)
        except RemoteProtocolError as error:
            return error
        return None

    @property
    def config_schema(self) -> object:
        """The schema of the config; what it is, rule 18 tells."""
        return self.spec.get("configSchema")

    def secrets(self) -> list[str]:
        """Return what the config has at properties that its schema marks as secret, but for what is too short."""
        return list(_long_enough(secrets_in(document.decode(self.config), self.config_schema)))

    @functools.cached_property
    def scrubber(self) -> Scrubber:
        """What masks the secrets of the config, wherever something of the connector is told."""
        found = Scrubber()
        with contextlib.suppress(HeadwaterError):  # a config that cannot be had is told nowhere
            found.add(self._secret(document.decode(self.config)))
        return found

    def protect(self, config: object) -> None:
        """From now on the scrubber masks the secrets of another config of the connector, too."""
        self.scrubber.add(self._secret(config))

    def _secret(self, config: object) -> list[str]:
        """Return what has to be masked of a config: all of it where spec does not say what its secrets are."""
        with contextlib.suppress(Exception):  # a connector under test may say anything for a schema, or fail in any way
            if isinstance(self.config_schema, dict):
                return list(_long_enough(secrets_in(config, self.config_schema)))
        return list(_long_enough(secrets_in(config, {"secret": True})))


class ApplyingSubject(Subject):
    """A capture or a materialization: its bindings are validated, and applied."""

    @abstractmethod
    def validate(self, config: msgspec.Raw) -> capture.Validate | materialize.Validate:
        """Return the request to validate all bindings with another config."""

    @abstractmethod
    def apply(self) -> capture.Apply | materialize.Apply:
        """Return the request to apply all bindings for the first time."""

    @abstractmethod
    def wanted_paths(self) -> list[list[str]] | None:
        """Return the resource paths that validate has to give, or None where the connector is free."""

    @functools.cached_property
    def application(self) -> Transcript:
        """The bindings, applied."""
        return self.ask(self.apply())


def _is_object(schema: object) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "object" or "properties" in schema or "oneOf" in schema)


def _instead(transcript: Transcript) -> str:
    if transcript.status is None:
        return transcript.ended
    told = f": {transcript.reason}" if transcript.reason else ", and said nothing of it"
    return f"the connector ended with exit status {transcript.status}{told}"


def raw(value: object) -> msgspec.Raw:
    """Return a JSON value as text."""
    return msgspec.Raw(document.encode([value])[1:-1])


def _long_enough(values: Iterable[str]) -> Iterator[str]:
    return (value for value in values if len(value) >= SECRET_CHARACTERS_MIN)
