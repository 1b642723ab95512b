"""What a worker is asked, and what it answers: values that every route makes and every engine takes.

The commands are those of the CDK's `connector_builder` entrypoint (builder reference, section 3.1), and two that only
`airbyte_cdk.manifest_server` has: `check` and `discover`.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

__all__ = ["Command", "Engine", "Event", "Failure", "Job", "Json", "Kind", "Limits", "Outcome"]

Json: TypeAlias = Any
"""Any JSON value, as plain Python values."""


class Command(enum.Enum):
    """What to do with a manifest."""

    TEST_READ = "test_read"
    RESOLVE = "resolve_manifest"
    FULL_RESOLVE = "full_resolve_manifest"
    CHECK = "check"
    DISCOVER = "discover"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job ends: each is reached, never passed. Bytes are of the result; memory is the child's address space.

    `seconds` are of the clock on the wall; `cpu_seconds` of the processor, where a bomb costs others most.
    """

    records: int = 100
    pages: int = 5
    slices: int = 5
    streams: int = 100
    seconds: float = 60.0
    cpu_seconds: float = 30.0
    result_bytes: int = 64 * 1024 * 1024
    memory_bytes: int = 2 * 1024 * 1024 * 1024


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `stream` and `state` are for a test read; `state` is a list of Airbyte state messages.

    `components_py` is the text of custom components, refused before it comes here unless they are allowed. `record`
    is a folder to keep the exchanges in, with secrets redacted; `replay` one to answer them from, without a network.
    """

    command: Command
    manifest: Mapping[str, Json]
    config: Mapping[str, Json] = {}
    stream: str = ""
    state: Sequence[Json] = ()
    components_py: str | None = None
    migrate: bool = False
    normalize: bool = False
    limits: Limits = Limits()
    record: str | None = None
    replay: str | None = None


class Kind(enum.Enum):
    """Why a job has no result."""

    MANIFEST = "manifest"  # the CDK refuses the manifest
    SOURCE = "source"  # the CDK or the source fails in another way
    STREAM = "unknown stream"  # the message names those that there are
    CUSTOM_CODE = "custom code"  # not allowed here
    DEADLINE = "deadline"
    MEMORY = "memory"
    CPU = "cpu"
    SIZE = "size"  # the result is too large
    CANCELLED = "cancelled"
    WORKER = "worker"  # the process died, or could not be started


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job has no result: `message` is for people and has no secret; `stack` is the CDK's, masked and cut."""

    kind: Kind
    message: str
    internal: str = ""
    exception: str = ""
    stack: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a job came to: `result` as in the CDK's last RECORD (builder reference, section 3.2), or `failure`.

    A read that reached its deadline has both: what was read so far, and why no more. `limits_reached` names the fields
    of `Limits` that ended it. `warm` tells whether a forked child of a warm worker answered.
    """

    result: Mapping[str, Json] | None = None
    failure: Failure | None = None
    limits_reached: tuple[str, ...] = ()
    warm: bool = False


class Event(msgspec.Struct, frozen=True):
    """Progress of a job: `kind` is slice, page or log; `data` has the shape that the result will have there."""

    kind: str
    data: Json


class Engine(abc.ABC):
    """Runs jobs on one CDK. Many may run at once."""

    @abc.abstractmethod
    def run(self, job: Job) -> AsyncIterator[Event | Outcome]:
        """Yield what happens, and the outcome last. Closing the iterator, or cancelling, ends the job's process."""

    @abc.abstractmethod
    async def about(self) -> Mapping[str, Json]:
        """Return what health tells: `cdk_version`, `python`, `warm` (and `why_not_warm`), pid, age, resident bytes."""

    @abc.abstractmethod
    async def close(self) -> None:
        """End every process of the engine."""
