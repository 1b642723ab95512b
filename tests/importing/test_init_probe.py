from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from python.importing.scaffold import probe

ROOT = Path(__file__).parent.parent.parent
CDK = {
    "airbyte_cdk/__init__.py": "",
    "airbyte_cdk/sources.py": "import abc\nclass Source(abc.ABC):\n    @abc.abstractmethod\n    def read(self): ...\n",
}
TWO = """
from airbyte_cdk.sources import Source
print("hello")
class Base(Source):
    def read(self): ...
class SourceX(Base):
    def __init__(self, catalog=None, config=None, state=None, **more): ...
"""


def asked(folder: Path, files: dict[str, str], *question: str) -> Any:
    """The answer in an environment where package x-source is installed, with `files`."""
    for name, text in {**CDK, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    info = folder / "x_source-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: x-source\nVersion: 1\nRequires-Python: >=3.10,<3.13\n")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    (info / "entry_points.txt").write_text("[console_scripts]\nx-source = x_source.run:run\n")
    command = [sys.executable, "-m", "python.importing.scaffold.probe", str(folder / "answer.json"), *question]
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": f"{folder}:{ROOT}"}, check=True, capture_output=True)
    return json.loads((folder / "answer.json").read_bytes())


def test_the_last_class_of_a_family_is_found_where_it_is_imported_from(tmp_path: Path) -> None:
    files = {"x_source/__init__.py": "from .source import SourceX\n", "x_source/source.py": TWO}

    found = asked(tmp_path, files, "entries", "airbyte", "x-source")

    assert found["classes"] == [{"module": "x_source", "name": "SourceX", "taken": ["catalog", "config", "state"]}]
    assert found["commands"] == {"x-source": "x_source.run:run"}


def test_a_wanted_class_is_the_only_one_looked_at(tmp_path: Path) -> None:
    files = {"x_source/__init__.py": "", "x_source/deep.py": TWO}

    found = asked(tmp_path, files, "entries", "airbyte", "x-source", "x_source.deep:Base")

    assert [each["name"] for each in found["classes"]] == ["Base"]
    assert found["looked"] == ["x_source.deep"]


def test_what_cannot_be_imported_is_told(tmp_path: Path) -> None:
    files = {"x_source/__init__.py": "", "x_source/source.py": "import nonesuch\n", "x_source/run.py": "1 / 0\n"}

    found = asked(tmp_path, files, "entries", "airbyte", "x-source")

    assert found["classes"] == []
    assert found["failed"] == {
        "nonesuch": "x_source.source imports nonesuch, which is not installed",
        "x_source.run": "x_source.run cannot be imported: ZeroDivisionError: division by zero",
    }


def test_each_package_tells_its_pythons(tmp_path: Path) -> None:
    assert asked(tmp_path, {}, "pythons")["x-source"] == ">=3.10,<3.13"


def test_the_probe_needs_nothing_but_python() -> None:
    text = Path(probe.__file__).read_text(encoding="utf-8")

    assert [line for line in text.splitlines() if line.startswith(("import", "from")) and ("python" in line)] == []


@pytest.mark.parametrize("name", ["airbyte", "singer"])
def test_a_base_that_is_not_installed_is_told(name: str, tmp_path: Path) -> None:
    files = {
        "airbyte_cdk/__init__.py": "raise ImportError('broken')\n",
        "singer_sdk.py": "raise ImportError('broken')\n",
    }

    assert "broken" in str(asked(tmp_path, files, "entries", name, "x-source")["failed"])
