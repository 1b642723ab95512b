"""What a source reports beside its data: logs, errors, estimates, the status of its streams, a changed config."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from python.protocol.errors import ConnectorError
from python.shell import logs
from python.shim_airbyte_cdk.generations.printing import LEVELS
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_airbyte_cdk.records import Target

__all__ = ["Reports"]

_logger = logging.getLogger(__name__)
_source = logging.getLogger("airbyte.source")

_RUNNING = ("STARTED", "RUNNING")
_UNTOLD = "Something went wrong in the connector. See the logs for more details."  # the CDK's, for any exception
_INCOMPLETE = "the source could not read it to its end"

Identity = tuple["str | None", str]


class Reports:
    """Passes on what a source reports about `targets`, and remembers which streams are complete, and which failed.

    `publish` is given each config that the source has changed. `failures` holds a sentence for each stream that
    failed, by its name; a failure that is nobody's stands under an empty name.
    """

    def __init__(self, targets: Iterable[Target], publish: Callable[[Json], None]) -> None:
        self._names = {(target.namespace, target.stream): target.name for target in targets}
        self._publish = publish
        self._statuses: dict[Identity, str] = {}
        self._estimates: dict[Identity, int] = {}
        self._unknown: set[Identity] = set()
        self.failures: dict[str, str] = {}

    def take(self, kind: str, value: Json) -> None:
        """Take note of a message of `kind` (LOG, TRACE, CONTROL); of another kind, it is logged at debug."""
        take = {"LOG": self._log, "TRACE": self._trace, "CONTROL": self._control}.get(kind)
        if take is None:
            _logger.debug("the source sent a message of kind %s, which is not for a capture", kind)
        else:
            take(value)

    def unknown_stream(self, namespace: str | None, stream: str) -> None:
        """Warn, once, that a stream which no binding captures is left out."""
        identity = (namespace or None, stream)
        if identity not in self._unknown:
            self._unknown.add(identity)
            _logger.warning("stream %s is captured by no binding; its records are left out", self._name(identity))

    def fail(self, name: str, sentence: str) -> None:
        """The stream `name` has failed; the first reason counts, unless it says no more than that."""
        if self.failures.get(name, _INCOMPLETE) == _INCOMPLETE:
            self.failures[name] = sentence

    def is_complete(self, target: Target) -> bool:
        """Whether the stream was read to its end, now that the sync is over: what it did not give is gone.

        A source that says so of no stream at all is believed to have read them all.
        """
        if target.name in self.failures or "" in self.failures:
            return False
        return not self._statuses or self._statuses.get((target.namespace, target.stream)) == "COMPLETE"

    def unfinished(self) -> list[str]:
        """Return the names of the streams that are being read; where the source does not say, of all not complete."""
        statuses = {name: self._statuses.get(identity) for identity, name in self._names.items()}
        left = {name: status for name, status in statuses.items() if status != "COMPLETE" and name not in self.failures}
        return [name for name, status in left.items() if status in _RUNNING] or list(left)

    @property
    def told(self) -> str:
        """All failures, a sentence for each; empty where there were none."""
        if not self.failures:
            return ""
        told = "; ".join(
            f"stream {name}: {sentence}" if name else sentence for name, sentence in sorted(self.failures.items())
        )
        failed = len(self.failures.keys() - {""})
        return (f"{failed} of {len(self._names)} streams failed: " if failed else "the source failed: ") + told

    def raise_failures(self) -> None:
        """Raise ConnectorError with a sentence for each failure, if there was one."""
        if self.failures:
            raise ConnectorError(self.told)

    def _log(self, value: Json) -> None:
        trace = value.get("stack_trace")
        extra = {"traceback": str(trace).splitlines()} if trace else None
        _source.log(LEVELS.get(str(value.get("level")), logging.INFO), "%s", value.get("message"), extra=extra)

    def _trace(self, value: Json) -> None:
        kind = str(value.get("type"))
        take = {"ERROR": self._error, "STREAM_STATUS": self._status, "ESTIMATE": self._estimate}.get(kind)
        if take is None:
            _logger.debug("the source sent a trace of type %s: %s", kind, value.get(kind.lower()))
        else:
            take(mapping(value.get(kind.lower())))

    def _control(self, value: Json) -> None:
        config = mapping(value.get("connectorConfig")).get("config")
        if isinstance(config, dict):
            self._publish(config)
        else:
            _logger.debug("the source sent a control message of type %s", value.get("type"))

    def _error(self, error: Json) -> None:
        descriptor = error.get("stream_descriptor")
        name = self._name(_identity(descriptor)) if descriptor else ""
        sentence = str(error.get("message") or "")
        if sentence in ("", _UNTOLD):
            sentence = str(error.get("internal_message") or sentence or "the source gives no reason")
        self.fail(name, sentence)
        extra: dict[str, object] = {"internalMessage": error.get("internal_message")}
        if error.get("stack_trace"):
            extra["traceback"] = str(error["stack_trace"]).splitlines()
        _source.error("%s", f"stream {name}: {sentence}" if name else sentence, extra=extra)

    def _status(self, value: Json) -> None:
        identity = _identity(value.get("stream_descriptor"))
        status = str(value.get("status"))
        if identity not in self._names:
            return
        self._statuses[identity] = status
        if status == "INCOMPLETE":
            self.fail(self._name(identity), _INCOMPLETE)
        complete = list(self._statuses.values()).count("COMPLETE")
        if status in ("STARTED", "COMPLETE"):
            about = f", about {self._estimates[identity]:,} documents" if identity in self._estimates else ""
            verb = "Reading" if status == "STARTED" else "Done with"
            logs.status(f"{verb} {self._name(identity)}{about} ({complete} of {len(self._names)} streams done)")

    def _estimate(self, value: Json) -> None:
        identity, rows = _identity(value), value.get("row_estimate")
        if isinstance(rows, (int, float)) and identity in self._names and self._estimates.get(identity) != int(rows):
            self._estimates[identity] = int(rows)
            logs.status(f"Reading {self._name(identity)}, about {int(rows):,} documents")

    def _name(self, identity: Identity) -> str:
        return self._names.get(identity) or ".".join(filter(None, identity))


def _identity(descriptor: object) -> Identity:
    found = mapping(descriptor)
    namespace = found.get("namespace")
    return (str(namespace) if namespace else None, str(found.get("name")))
