"""What a source reports beside its data: logs, errors, estimates, the status of its streams, a changed config."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from python.protocol.errors import ConnectorError
from python.shell import logs
from python.shim_airbyte_cdk import models
from python.shim_airbyte_cdk.generations.printing import LEVELS
from python.shim_airbyte_cdk.identities import Identity, Known, ambiguity, identity_of, told
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_airbyte_cdk.records import Target
from python.shim_airbyte_cdk.withholding import told_of_exchange

__all__ = ["Reports"]

_logger = logging.getLogger(__name__)
_source = logging.getLogger("airbyte.source")

_RUNNING = ("STARTED", "RUNNING")
_UNTOLD = "Something went wrong in the connector. See the logs for more details."  # the CDK's, for any exception
_INCOMPLETE = "the source could not read it to its end"
_VANISHED = (
    "the source ended it with neither a start nor a reason, as it does with a stream that it no longer has: disable "
    "the binding, or discover again where the stream has another name now"
)
_REASONLESS = (_INCOMPLETE, _VANISHED)
_SUMMARY = "the following streams did not sync successfully"  # what the CDK raises after the failures that it has told


class Reports:
    """Passes on what a source reports about `targets`, and remembers which streams are complete, and which failed.

    `publish` is given each config that the source has changed. `failures` holds a sentence for each stream that
    failed, by its name; a failure that is nobody's stands under an empty name.
    """

    def __init__(self, targets: Iterable[Target], publish: Callable[[Json], None]) -> None:
        self._names = {(target.namespace, target.stream): target.name for target in targets}
        self._known = Known(self._names)
        self._publish = publish
        self._statuses: dict[Identity, str] = {}
        self._estimates: dict[Identity, int] = {}
        self._unknown: set[Identity] = set()
        self._aborted = False
        self.failures: dict[str, str] = {}

    def take(self, kind: str, value: Json) -> None:
        """Take note of a message of `kind` (LOG, TRACE, CONTROL); of another kind, it is logged at debug."""
        take = {"LOG": self._log, "TRACE": self._trace, "CONTROL": self._control}.get(kind)
        if take is None:
            _logger.debug("the source sent a message of kind %s, which is not for a capture", kind)
        else:
            take(value)

    def unknown_stream(self, identity: Identity) -> None:
        """Warn, once, that a stream which no binding captures is left out."""
        if identity not in self._unknown:
            self._unknown.add(identity)
            _logger.warning("stream %s is captured by no binding; its records are left out", told(identity))

    def fail(self, name: str, sentence: str) -> None:
        """The stream `name` has failed; the first reason counts, unless it says no more than that."""
        if self.failures.get(name, _INCOMPLETE) in _REASONLESS:
            self.failures[name] = sentence

    def abort(self, error: Exception) -> None:
        """The source has raised `error`: it fails, unless this only sums up the failures that it has told.

        From now on no stream is complete of which the source has not said so.
        """
        self._aborted = True
        sentence = models.reason(error)
        if self.failures and _SUMMARY in sentence:
            _source.debug("%s", sentence, exc_info=error)
            return
        _source.error("the source failed: %s", sentence, exc_info=error)
        self.fail("", sentence)

    def is_complete(self, target: Target) -> bool:
        """Whether the stream was read to its end, now that the sync is over: what it did not give is gone.

        A source that says so of no stream at all, and raises nothing, is believed to have read them all.
        """
        if target.name in self.failures or "" in self.failures:
            return False
        if not self._statuses and not self._aborted:
            return True
        return self._statuses.get((target.namespace, target.stream)) == "COMPLETE"

    def warn_of_untold(self) -> None:
        """Warn of each stream which the source has passed over: it tells of others that they have begun or ended."""
        for identity, name in self._names.items():
            if self._statuses and identity not in self._statuses and name not in self.failures:
                _logger.warning("stream %s: the source has not said that it read it; it is left as it is", name)

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
        sentences = "; ".join(
            f"stream {name}: {sentence}" if name else sentence for name, sentence in sorted(self.failures.items())
        )
        failed = len(self.failures.keys() - {""})
        return (f"{failed} of {len(self._names)} streams failed: " if failed else "the source failed: ") + sentences

    def raise_failures(self) -> None:
        """Raise ConnectorError with a sentence for each failure, if there was one."""
        if self.failures:
            raise ConnectorError(self.told)

    def _log(self, value: Json) -> None:
        trace = value.get("stack_trace")
        extra = {"traceback": str(trace).splitlines()} if trace else None
        message = told_of_exchange(str(value.get("message")))
        _source.log(LEVELS.get(str(value.get("level")), logging.INFO), "%s", message, extra=extra)

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
        names = self._named(identity_of(descriptor)) if descriptor else [""]
        sentence = str(error.get("message") or "")
        if sentence in ("", _UNTOLD):
            sentence = str(error.get("internal_message") or sentence or "the source gives no reason")
        extra: dict[str, object] = {"internalMessage": error.get("internal_message")}
        if error.get("stack_trace"):
            extra["traceback"] = str(error["stack_trace"]).splitlines()
        for name in names:
            self.fail(name, sentence)
            _source.error("%s", f"stream {name}: {sentence}" if name else sentence, extra=extra)

    def _status(self, value: Json) -> None:
        meant, status = self._known.meant(identity_of(value.get("stream_descriptor"))), str(value.get("status"))
        if len(meant) > 1:
            for identity in meant:
                self.fail(self._names[identity], ambiguity(meant))
        elif meant:
            self._set_status(meant[0], status)

    def _set_status(self, identity: Identity, status: str) -> None:
        if status == "INCOMPLETE":
            self.fail(self._names[identity], _INCOMPLETE if identity in self._statuses else _VANISHED)
        self._statuses[identity] = status
        complete = list(self._statuses.values()).count("COMPLETE")
        if status in ("STARTED", "COMPLETE"):
            about = f", about {self._estimates[identity]:,} documents" if identity in self._estimates else ""
            verb = "Reading" if status == "STARTED" else "Done with"
            logs.status(f"{verb} {self._names[identity]}{about} ({complete} of {len(self._names)} streams done)")

    def _estimate(self, value: Json) -> None:
        rows = value.get("row_estimate")
        for identity in self._known.meant(identity_of(value)):
            if isinstance(rows, (int, float)) and self._estimates.get(identity) != int(rows):
                self._estimates[identity] = int(rows)
                logs.status(f"Reading {self._names[identity]}, about {int(rows):,} documents")

    def _named(self, identity: Identity) -> list[str]:
        """Return the names of the streams that may be meant; of one that nobody captures, what the source says."""
        return [self._names[each] for each in self._known.meant(identity)] or [told(identity)]
