"""From what an engine says to what a route answers: results, and failures with their status."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from python.builder.jobs import Command, Failure, Json, Kind, Outcome
from python.builder.manifests.findings import Finding
from python.builder.server.opening import as_log
from python.builder.server.problems import Problem
from python.builder.worker.masking import Masker
from python.protocol import pointer

__all__ = ["READ_MEMBERS", "STATUSES", "as_problem", "masked_result", "stream_read"]

READ_MEMBERS = (
    "logs",
    "slices",
    "test_read_limit_reached",
    "auxiliary_requests",
    "inferred_schema",
    "inferred_datetime_formats",
    "latest_config_update",
)
"""The members of a StreamRead; manifest_server leaves out none of them."""

STATUSES: Mapping[Kind, int] = {
    Kind.MANIFEST: 400,
    Kind.SOURCE: 400,
    Kind.STREAM: 404,
    Kind.CUSTOM_CODE: 400,
    Kind.DEADLINE: 400,
    Kind.MEMORY: 400,
    Kind.CPU: 400,
    Kind.SIZE: 400,
    Kind.CANCELLED: 499,
    Kind.WORKER: 500,
}
"""A limit that a manifest runs into is the manifest's fault, and told as such; only a worker's death is ours."""

_PREFIXES: Mapping[Command, str] = {
    Command.TEST_READ: "Error reading stream: ",
    Command.RESOLVE: "Error resolving manifest: ",
    Command.FULL_RESOLVE: "Error full resolving manifest: ",
    Command.CHECK: "Error checking connection: ",
    Command.DISCOVER: "Error discovering streams: ",
}
_STACK_LINES_MAX = 40
_DEPRECATED = re.compile(r"Component type: `(\w+)`\. Field '([^']+)' is deprecated")  # as airbyte-cdk logs it
_FOR_THE_CLIENT = "latest_config_update"  # new tokens, which only the client can keep


def as_problem(failure: Failure, command: Command, limits: Sequence[str] = ()) -> Problem:
    """Return what a failed job is answered with."""
    details: dict[str, Any] = {"kind": failure.kind.value}
    if limits:
        details["limits_reached"] = list(limits)
    if failure.internal:
        details["internal_message"] = failure.internal
    prefix = "Invalid manifest: " if failure.kind is Kind.MANIFEST else _PREFIXES[command]
    stack = failure.stack.splitlines()[-_STACK_LINES_MAX:]
    status = STATUSES[failure.kind]
    return Problem(
        status, failure.message, prefix=prefix, details=details, exception=failure.exception, stack=tuple(stack)
    )


def stream_read(outcome: Outcome, found: Sequence[Finding]) -> dict[str, Json]:
    """Return the StreamRead of a job: its logs after what was `found` in the manifest, and last why it ended early."""
    result = dict(outcome.result or {})
    own = result.get("logs", ())
    ended = [] if outcome.failure is None else [_entry(outcome.failure)]
    result["logs"] = [*_told_before(found, own), *own, *ended]
    result.setdefault("slices", [])
    reached = bool(outcome.limits_reached) or outcome.failure is not None
    result["test_read_limit_reached"] = bool(result.get("test_read_limit_reached")) or reached
    result["limits_reached"] = list(outcome.limits_reached)
    return result


def _told_before(found: Sequence[Finding], logs: Sequence[Mapping[str, Json]]) -> Iterator[dict[str, Json]]:
    """Yield what was found as entries of logs, but for deprecated fields that the CDK names in its own `logs`."""
    known = {match.groups() for each in logs if (match := _DEPRECATED.match(str(each.get("message"))))}
    for each in found:
        field = pointer.parse(each.at)[-1:]
        if each.rule != "deprecated" or (each.component, *field) not in known:
            yield as_log(each)


def _entry(failure: Failure) -> dict[str, Json]:
    return {
        "level": "ERROR",
        "message": failure.message,
        "internal_message": failure.internal or None,
        "stacktrace": failure.stack or None,
    }


def masked_result(result: Mapping[str, Json], masker: Masker) -> dict[str, Json]:
    """Return a result with its secrets masked by value, but for the config that only the client can keep."""
    told = {name: value for name, value in result.items() if name != _FOR_THE_CLIENT}
    masked: dict[str, Json] = masker.mask(told, by_place=False)
    if _FOR_THE_CLIENT in result:
        masked[_FOR_THE_CLIENT] = result[_FOR_THE_CLIENT]
    return masked
