from __future__ import annotations

import sys
from pathlib import Path

from python.builder.engine.settings import Interpreter


def test_without_a_name_the_interpreter_that_runs_us_is_meant() -> None:
    assert Interpreter().command() == sys.executable
    assert Interpreter().paths() == []


def test_the_folder_of_connectors_is_read_at_each_asking(tmp_path: Path) -> None:
    interpreter = Interpreter(connectors=str(tmp_path / "later"))
    assert interpreter.paths() == []

    for name in ("source-b", "source-a", ".git"):
        (tmp_path / "later" / name).mkdir(parents=True)
    (tmp_path / "later" / "notes.txt").touch()

    assert [Path(path).name for path in interpreter.paths()] == ["source-a", "source-b"]
