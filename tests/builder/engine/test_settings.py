from __future__ import annotations

import sys
from pathlib import Path

import pytest

from python.builder.engine.settings import Interpreter, Options, from_environment


def test_without_variables_the_interpreter_that_runs_us_is_meant() -> None:
    interpreter, options = from_environment({})

    assert interpreter.command() == sys.executable
    assert interpreter.paths() == []
    assert options == Options()


def test_the_variables_of_airbytes_server_mean_what_they_mean_there() -> None:
    interpreter, options = from_environment(
        {
            "CDK_PYTHON": "/opt/python",
            "CDK_ENTRYPOINT": "/opt/main.py",
            "CDK_VERSION": "6.1.0",
            "PATH_TO_CONNECTORS": "/connectors",
            "AIRBYTE_ENABLE_UNSAFE_CODE": "true",
        }
    )

    assert interpreter == Interpreter(
        python="/opt/python", entrypoint="/opt/main.py", cdk_version="6.1.0", connectors="/connectors"
    )
    assert options.allow_custom_code


@pytest.mark.parametrize(("text", "plain"), [("1", True), ("true", True), ("", False), ("0", False), ("no", False)])
def test_plain_mode_is_forced_by_a_variable(text: str, plain: bool) -> None:
    assert from_environment({"HEADWATER_BUILDER_PLAIN": text})[1].plain is plain


def test_the_folder_of_connectors_is_read_at_each_asking(tmp_path: Path) -> None:
    interpreter = Interpreter(connectors=str(tmp_path / "later"))
    assert interpreter.paths() == []

    for name in ("source-b", "source-a", ".git"):
        (tmp_path / "later" / name).mkdir(parents=True)
    (tmp_path / "later" / "notes.txt").touch()

    assert [Path(path).name for path in interpreter.paths()] == ["source-a", "source-b"]
