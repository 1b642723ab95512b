"""The environment of a new connector: locked and installed, on the Pythons that all of its packages run on."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Sequence

import msgspec
import tomllib
from packaging.utils import canonicalize_name
from packaging.version import Version

from python.importing.scaffold.packages import Package, pinned
from python.importing.scaffold.project import Project, fitting, text_of
from python.protocol.errors import HeadwaterError

__all__ = ["activate", "ask", "install", "wheel"]

_ROUNDS_MAX = 6  # three Pythons to take away, a version to write down, and one that finds all as it is
_SECONDS_MAX = 1200.0  # a package that is built from source takes minutes
_PROBE_SECONDS_MAX = 120.0
_TOO_OLD = "does not satisfy Python"  # uv's words for a lower bound that a package does not share
_FRAMES = " │╰─▶├\N{MULTIPLICATION SIGN}"  # what uv draws around its reasons
_FAILED = "error: Failed to build"  # uv's words below what the build of a project has complained of
_PROBE = "python.importing.scaffold.probe"


def install(folder: pathlib.Path, project: Project, known: Package | None = None) -> Project:
    """The connector's `folder` has pyproject.toml, uv.lock and .venv; returned is the project as it was locked.

    It requires the version of `known`, one of its packages, that was found, and is for the Pythons that the packages
    run on, as they say when they are installed. Raises HeadwaterError where a package cannot be found, locked or
    installed, with uv's own reason.
    """
    for _ in range(_ROUNDS_MAX):
        (folder / "pyproject.toml").write_text(text_of(project), encoding="utf-8")
        try:
            _run([_uv(folder.parent), "lock", "--quiet", "--project", str(folder)], folder, "cannot lock")
        except HeadwaterError as error:
            if _TOO_OLD not in str(error) or len(project.minors) == 1:
                raise
            project = msgspec.structs.replace(project, minors=project.minors[1:])
            continue
        activate(folder)
        exact = [pinned(known, _locked(folder, known.name)), *project.requirements[1:]] if known else None
        minors = tuple(_minors(folder, project, known))
        found = msgspec.structs.replace(project, minors=minors, requirements=exact or project.requirements)
        if found == project:
            return project
        project = found
    raise AssertionError(f"{_ROUNDS_MAX} rounds have not been enough")


def _minors(folder: pathlib.Path, project: Project, known: Package | None) -> list[int]:
    wanted = msgspec.convert(ask(folder, "pythons"), dict[str, str])
    own = next((told for name, told in wanted.items() if known and canonicalize_name(name) == known.name), "")
    minors = fitting(project.minors, own, wanted.values())
    if not minors:
        told = f"{known.name} wants {own}" if known and own else "its packages want others"
        raise HeadwaterError(f"{project.name} would run on no Python from 3.10 to 3.13: {told}")
    return minors


def activate(folder: pathlib.Path) -> None:
    """The connector in `folder` has its environment, as python/activate.sh makes it. Raises HeadwaterError if not."""
    _run(["bash", "python/activate.sh", folder.name], folder, "cannot install")


def wheel(folder: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    """Return the wheel of the project in `folder`, built in `into`. Raises HeadwaterError where it cannot be."""
    command = [_uv(folder.parent), "build", "--wheel", "--out-dir", str(into), str(folder)]
    _run(command, folder, "cannot build the package that is in")
    (found,) = into.glob("*.whl")
    return found


def ask(folder: pathlib.Path, *question: str) -> object:
    """Return the JSON value that `probe` gives in the environment of the connector in `folder`."""
    answer = folder.parent / "answer.json"
    command = [str(folder / ".venv" / "bin" / "python"), "-m", _PROBE, str(answer), *question]
    _run(command, folder, "cannot look into the environment of", _PROBE_SECONDS_MAX)
    return json.loads(answer.read_bytes())


def _locked(folder: pathlib.Path, name: str) -> str:
    """Return the version of the package `name` that uv.lock of `folder` has; the highest, if it has several."""
    lock = tomllib.loads((folder / "uv.lock").read_text(encoding="utf-8"))
    return str(max(Version(each.get("version", "0")) for each in lock["package"] if each["name"] == name))


def _uv(root: pathlib.Path) -> str:
    own = root / ".venv" / "bin" / "uv"
    found = str(own) if own.is_file() else shutil.which("uv")
    if found is None:
        raise HeadwaterError("uv is not installed: run `make check` once, or `pip install uv`")
    return found


def _run(command: Sequence[str], folder: pathlib.Path, what: str, seconds_max: float = _SECONDS_MAX) -> None:
    """`command`, about the connector in `folder`, has ended well. Raises HeadwaterError with what it complained of."""
    own = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    own["UV_NO_WRAP"] = "1"  # its sentences are read here, whatever it takes for the width of a terminal
    try:
        done = subprocess.run(
            command, cwd=folder.parent, env=own, capture_output=True, text=True, check=False, timeout=seconds_max
        )
    except subprocess.TimeoutExpired:
        raise HeadwaterError(f"{what} {folder.name}: no end after {seconds_max:g} s") from None
    if done.returncode:
        raise HeadwaterError(f"{what} {folder.name}: {_reason(done.stderr or done.stdout)}")


def _reason(told: str) -> str:
    r"""Return the sentence in what uv or Python complained of: the cause where one is named, or else the last line.

    >>> _reason("error: No solution found\n  cause: Because tap-x was not found, it is unsatisfiable.\n\nhint: x")
    'Because tap-x was not found, it is unsatisfiable.'
    >>> _reason("Building wheel...\nRuntimeError: no FOO\nerror: Failed to build `x`\n  cause: The backend failed\n")
    'RuntimeError: no FOO'
    """
    lines = [line.strip(_FRAMES) for line in told.splitlines()]
    end = next((number for number, line in enumerate(lines) if line.startswith(_FAILED)), 0)
    built = [line for line in lines[:end] if line and not line.startswith("Building ")]
    if built:
        return built[-1]
    causes = [line for line in lines if line.startswith(("cause: ", "Because "))]
    if causes:
        return next((each for each in causes if "Because " in each), causes[0]).removeprefix("cause: ")
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or [line for line in lines if line] or ["it gives no reason"])[-1]
