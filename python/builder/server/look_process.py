"""The process that looks a manifest over: a `Look` as JSON on stdin, its answer or the problem as JSON on stdout."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from python.builder.jobs import Json
from python.builder.manifests.cdk import installed
from python.builder.server.looks import LOOKS
from python.builder.server.problems import Problem
from python.builder.server.processes import SENTENCE
from python.protocol.errors import HeadwaterError

__all__ = ["Look", "main", "told"]

_MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024  # of address space
_CPU_SECONDS_MAX = 30


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A request to look at a manifest: one of LOOKS, the interpreter whose CDK counts, and the request's members."""

    kind: str
    cdk: str | None
    ask: Mapping[str, Any]


def told(look: Look) -> dict[str, Json]:
    """Return the answer as `answer`, or the members of a Problem as `problem`. Raises HeadwaterError without a CDK."""
    try:
        return {"answer": LOOKS[look.kind](look.ask, installed(look.cdk))}
    except Problem as problem:
        members = msgspec.to_builtins(problem.told)
        return {"problem": {"status": problem.status, "message": problem.message, "members": members}}


def main() -> int:
    """Look at what stdin asks for; return the status of the process."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS_MAX, _CPU_SECONDS_MAX))
    try:
        made = json.dumps(told(msgspec.convert(json.load(sys.stdin.buffer), Look)), default=str)
    except HeadwaterError as error:
        sys.stderr.write(str(error))
        return SENTENCE
    except MemoryError:
        sys.stderr.write("the manifest needs more memory than looking at it may take")
        return SENTENCE
    sys.stdout.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
