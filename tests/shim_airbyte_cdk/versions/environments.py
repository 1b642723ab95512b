"""One cached environment for each version of airbyte-cdk, under `.cache/versions`."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".cache" / "versions"
OLDEST_CORE = ("msgspec==0.18.6", "orjson==3.9.0")  # as old as the root's pyproject.toml allows


class Version(NamedTuple):
    """What a version needs: a Python, the preferred one first, and pins where it would resolve to what breaks it."""

    pythons: tuple[str, ...]
    pins: tuple[str, ...] = ()


VERSIONS = {
    "0.52.10": Version(("3.10",), ("pydantic==1.10.14", *OLDEST_CORE)),
    "0.90.0": Version(("3.10",), ("pydantic==1.10.14", OLDEST_CORE[0])),
    "1.8.0": Version(("3.10", "3.11"), ("pydantic<2",)),
    "2.4.0": Version(("3.11", "3.10")),
    "4.6.2": Version(("3.11", "3.10")),
    "5.17.0": Version(("3.11", "3.10")),
    "6.61.6": Version(("3.12", "3.11", "3.10")),
    "7.39.1": Version(("3.13", "3.12", "3.11")),
}

WITHOUT_CORE = {"0.31.1": Version(("3.9",), ("airbyte-protocol-models==1.0.0", "pydantic<2"))}
"""What only the builder's worker runs with: a Python older than our core's."""


def python_of(version: str) -> Path:
    """Return the Python of the environment of airbyte-cdk `version`, made where it is not there as it has to be."""
    wanted = {**VERSIONS, **WITHOUT_CORE}[version]
    folder = FOLDER / f"airbyte-{version}"
    requirements = [f"airbyte-cdk=={version}", *wanted.pins]
    core = () if version in WITHOUT_CORE else ("--editable", str(ROOT))
    stamp, recipe = folder / ".ready", "\n".join([*wanted.pythons, *requirements])
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f".airbyte-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != recipe:
            stamp.unlink(missing_ok=True)
            interpreter = _interpreter(wanted.pythons, f"airbyte-cdk {version}")
            _uv("venv", "--quiet", "--clear", "--python", interpreter, str(folder))
            python = str(folder / "bin" / "python")
            _uv("pip", "install", "--quiet", "--python", python, *core, *requirements)
            stamp.write_text(recipe)
    return folder / "bin" / "python"


def _interpreter(wanted: tuple[str, ...], whose: str) -> str:
    for version in wanted:
        pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
        installed = sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
        for candidate in (shutil.which(f"python{version}"), *map(str, installed)):
            if candidate and _starts(candidate):
                return candidate
        found = subprocess.run(
            [_which_uv(), "python", "find", "--quiet", version], capture_output=True, text=True, check=False
        )
        if found.returncode == 0:
            return found.stdout.strip()
    pytest.fail(
        f"{whose} needs Python {' or '.join(wanted)}, and none was found on PATH, by pyenv or by uv: install one"
    )


def _starts(candidate: str) -> bool:
    """Whether `candidate` runs: a name on PATH may be a shim of a Python that is not there."""
    return subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0


def _uv(*arguments: str) -> None:
    done = subprocess.run([_which_uv(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"uv {' '.join(arguments)} failed: {done.stderr[-2000:]}")


def _which_uv() -> str:
    own = ROOT / ".venv" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if not found:
        pytest.fail("uv is not installed; run `make check` once, or `pip install uv`")
    return found
