"""A target that a file's function makes: `FILE:FUNCTION`, for commands; and its cases, by the rules they are about."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import tempfile
from collections.abc import Callable, Sequence

from python.acceptance.cases import Case
from python.acceptance.subject import Subject
from python.acceptance.target import Target
from python.acceptance.target_suite import CASES, check
from python.acceptance.verdicts import BrokenError
from python.protocol.errors import HeadwaterError

__all__ = ["cases_of_target"]

Make = Callable[[pathlib.Path], Target]
"""Makes a target in an empty folder; its endpoint is empty, too."""

_RULES = {
    "packed and JSON keys": 76,
    "killed between any two messages": 75,
    "replayed acknowledgements": 75,
    "zombies": 78,
    "zombies amid a commit": 78,
}
"""The rules of the protocol that cases of the target suite are about; the others are about what is stored (77)."""


def cases_of_target(named: str) -> Sequence[Case]:
    """Return the cases of the target suite for the target that `named` makes; HeadwaterError says why it is none."""
    make = _function(named)
    return [Case(_RULES.get(name, 77), f"target: {name}", functools.partial(_check, make, name)) for name in CASES]


def _function(named: str) -> Make:
    path, colon, name = named.rpartition(":")
    if not colon or not pathlib.Path(path).is_file():
        raise HeadwaterError(f"--target {named}: want FILE:FUNCTION, a Python file and a function in it")
    spec = importlib.util.spec_from_file_location("headwater_target", path)
    if spec is None or spec.loader is None:
        raise HeadwaterError(f"--target {named}: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 -- a user's file may fail in any way
        raise HeadwaterError(f"--target {named}: {path} cannot be run: {error!r}") from None
    found = getattr(module, name, None)
    if not callable(found):
        raise HeadwaterError(f"--target {named}: {path} has no function {name}")
    made: Make = found
    return made


def _check(make: Make, name: str, subject: Subject) -> None:
    with tempfile.TemporaryDirectory(prefix="headwater-target-") as folder:
        try:
            target = make(pathlib.Path(folder))
            subject.protect(dict(target.config))
            check(target, name)
        except AssertionError as error:
            raise BrokenError(f"the case {name} fails", got=str(error), want="what the case says") from None
        except HeadwaterError as error:
            raise BrokenError(f"the case {name} cannot go on", got=str(error), want="what the case says") from None
