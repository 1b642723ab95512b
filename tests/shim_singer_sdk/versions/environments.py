"""An environment for each version of singer-sdk, made by uv once and kept: see `python_of`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conversing import ROOT

VERSIONS = ("0.33", "0.36", "0.40", "0.44", "0.46", "0.48", "0.54")
NEWEST = VERSIONS[-1]

_CACHE = ROOT / ".cache" / "versions"
_NEEDS = ("setuptools<81",)  # older versions import pkg_resources, which later ones of it lack


def python_of(version: str) -> Path:
    """Return the interpreter of the environment with singer-sdk `version` and this repository, installed editable."""
    folder = _CACHE / f"singer-{version}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", f"{sys.version_info.major}.{sys.version_info.minor}", str(folder))
        _uv("pip", "install", "--python", str(python), f"singer-sdk=={version}.*", *_NEEDS, "--editable", str(ROOT))
        ready.touch()
    return python


def _uv(*arguments: str) -> None:
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else "uv"
    done = subprocess.run([uv, "--quiet", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
