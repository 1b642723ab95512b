"""What `headwater acceptance` does: run the cases of a connector, tell of each as it ends, and keep the report."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence

import msgspec

from python.acceptance import reports, suite
from python.acceptance.cases import Case
from python.acceptance.made_targets import cases_of_target
from python.acceptance.opening import opened
from python.acceptance.promises import MATERIALIZATION, PROMISES
from python.acceptance.subject import Subject
from python.acceptance.talking import Limits
from python.protocol.errors import HeadwaterError

__all__ = ["Options", "accept"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater acceptance`, as the command line names them."""

    connector: str
    source: str | None = None
    name: str | None = None
    rules: Sequence[int] = ()
    pattern: str = ""
    target: str | None = None
    strict: bool = False
    timeout: float = 120.0
    network: str = "bridge"
    json_path: str | None = None
    junit_path: str | None = None


def accept(options: Options, say: Callable[[str], None]) -> bool:
    """Say what comes of each case; returns whether the connector keeps its promises. Raises HeadwaterError."""
    unknown = [rule for rule in options.rules if rule not in PROMISES]
    if unknown:
        raise HeadwaterError(f"--rule {unknown[0]}: rules are numbered 1 to {max(PROMISES)}")
    limits = Limits(seconds=options.timeout)
    subject = opened(
        options.connector, source=options.source, name=options.name, limits=limits, network=options.network
    )
    cases = suite.cases_of(subject.kind, options.rules, options.pattern, _of_target(options, subject))
    if not cases:
        raise HeadwaterError(f"no case of a {subject.kind} is chosen: --rule and -k leave none")
    for path in filter(None, (options.json_path, options.junit_path)):
        _keep(path, b"")  # what cannot be written is told before the cases run
    name = pathlib.PurePath(options.connector).name if pathlib.Path(options.connector).is_dir() else options.connector
    outcomes = []
    for outcome in suite.run(subject, cases):
        outcomes.append(outcome)
        say(reports.as_line(outcome))
    _keep(options.json_path, reports.as_json(name, subject.kind, outcomes, strict=options.strict))
    _keep(options.junit_path, reports.as_junit(name, outcomes, strict=options.strict).encode())
    say(reports.summary(name, outcomes))
    return not reports.broken(outcomes, strict=options.strict)


def _of_target(options: Options, subject: Subject) -> Sequence[Case]:
    if options.target is None:
        return ()
    if subject.kind != MATERIALIZATION:
        raise HeadwaterError(f"--target is for materializations, and {subject.task.name} is a {subject.kind}")
    return cases_of_target(options.target)


def _keep(path: str | None, report: bytes) -> None:
    if path is None:
        return
    try:
        pathlib.Path(path).write_bytes(report)
    except OSError as error:
        raise HeadwaterError(f"{path} cannot be written: {error.strerror}") from None
