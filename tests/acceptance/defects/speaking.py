"""How the connectors beside this file read and write, where they have no defect in that."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

Json = dict[str, Any]


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def fail(message: str) -> NoReturn:
    print(json.dumps({"level": "error", "message": message}), file=sys.stderr)
    sys.exit(1)


def message(line: bytes, failed: Callable[[str], NoReturn] = fail) -> tuple[str, Json]:
    """The kind of a request, and its members; `failed` is told what is wrong with it."""
    found: Any = None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        failed(f"a request is no JSON: {str(error)[:80]}")
    if not isinstance(found, dict):
        failed("a request is no object")
    found = {kind: members for kind, members in found.items() if kind != "$internal"}
    if len(found) != 1 or not all(isinstance(members, dict) for members in found.values()):
        failed("a request is no object with one kind")
    ((kind, members),) = found.items()
    return kind, members
