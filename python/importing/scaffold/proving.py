"""Runs a connector's own tests, before anybody sees it: what is written passes them."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Mapping

from python.importing.scaffold.names import module_name
from python.protocol.errors import HeadwaterError

__all__ = ["keep", "require_pytest", "tidy"]

_SECONDS_MAX = 900.0
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\w+)(?:\[.*\])? - (.*)$", re.MULTILINE)
_LAST = 3  # lines of what pytest says, where it does not say which test failed


def require_pytest() -> None:
    """Raise HeadwaterError where a connector's tests cannot be run from here."""
    for name in ("pytest", "syrupy"):
        if importlib.util.find_spec(name) is None:
            raise HeadwaterError(f"a new connector's tests are run, and {name} is not installed: run `make check` once")


def keep(folder: pathlib.Path) -> Mapping[str, str]:
    """The snapshots of the connector in `folder` are as its tests make them now, and its tests have run against them.

    Returned is, for each test that fails nevertheless, why.
    """
    for options in (["--snapshot-update"], []):
        failed = _pytest(folder, options)
        if failed:
            return failed
    return {}


def tidy(folder: pathlib.Path) -> None:
    """The Python of `folder` is formatted as this repository's, where ruff is installed."""
    if importlib.util.find_spec("ruff") is not None:
        command = [sys.executable, "-m", "ruff", "format", "--quiet", str(folder)]
        subprocess.run(command, cwd=folder.parent, check=False, timeout=_SECONDS_MAX)


def _pytest(folder: pathlib.Path, options: list[str]) -> Mapping[str, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", *options]
    own = {**os.environ, "PYTHONPATH": str(folder.parent), "COLUMNS": "1000"}  # a narrow terminal cuts the reasons
    done = subprocess.run(
        [*command, f"{folder.name}/tests/test_{module_name(folder.name)}.py"],  # upstream's tests are not ours to run
        cwd=folder.parent,
        env=own,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS_MAX,
    )
    if not done.returncode:
        return {}
    told = dict(_FAILED.findall(done.stdout))
    return told or {"": " ".join((done.stdout + done.stderr).strip().splitlines()[-_LAST:])}
