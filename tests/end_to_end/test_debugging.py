"""A wrapped source under a debugger, as README's part on debugging says, attached to with the port of `.vscode`."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.debugging import Debugger, attach

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "source-bigdata" / "source_bigdata" / "source.py"
LINE = next(number for number, line in enumerate(SOURCE.read_text().splitlines(), 1) if "yield row" in line)
SESSIONS_MAX = 5  # validate, apply and open may be processes of their own


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def preview(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A preview of source-bigdata whose `command` has what README puts into it."""
    command = re.search(r"command: \[(python, -m, debugpy, .*)\]", (ROOT / "README.md").read_text())
    assert command, "README tells how to debug"
    spec = yaml.safe_load((ROOT / "source-bigdata" / "test.flow.yaml").read_text())
    local = spec["captures"]["acmeCo/source-bigdata"]["endpoint"]["local"]
    told = [part.strip(' "').replace("5678", str(port)) for part in command[1].split(",")]
    local["command"] = [sys.executable, *told[1:-1], "source-bigdata"]
    (tmp_path / "test.flow.yaml").write_text(yaml.safe_dump(spec))
    headwater = str(Path(sys.executable).parent / "headwater")
    arguments = [headwater, "preview", "--source", str(tmp_path / "test.flow.yaml"), "--sessions", "1"]
    with (tmp_path / "out").open("w") as out, subprocess.Popen(arguments, cwd=ROOT, stdout=out, text=True) as running:
        yield running
        running.kill()


def stopped_at_the_row(port: int) -> tuple[Debugger, dict[str, Any]]:
    """Attach to one process after another, as an editor with `restart` does, until one reaches the breakpoint."""
    for _ in range(SESSIONS_MAX):
        debugger = attach(port)
        frame = debugger.go_on_to(SOURCE, LINE)
        if frame is not None:
            return debugger, frame
        debugger.close()
    raise AssertionError("no process came to the breakpoint")


def test_a_breakpoint_in_a_wrapped_source_is_hit_while_the_runner_waits(
    preview: subprocess.Popen[str], port: int, tmp_path: Path
) -> None:
    debugger, frame = stopped_at_the_row(port)

    assert (frame["name"], frame["line"]) == ("read_records", LINE)
    assert "'customer': 'customer-" in debugger.value(frame, "row")
    with pytest.raises(subprocess.TimeoutExpired):  # nobody asks the runner to be quick
        preview.wait(1)
    debugger.detach()
    assert preview.wait(240) == 0
    collections = {json.loads(line)[0] for line in (tmp_path / "out").read_text().splitlines()}
    assert "acmeCo/orders" in collections


def test_the_editor_attaches_where_readme_listens() -> None:
    text = re.sub(r"^\s*//.*$", "", (ROOT / ".vscode" / "launch.json").read_text(), flags=re.MULTILINE)
    attach = next(each for each in json.loads(text)["configurations"] if each["request"] == "attach")

    assert f"{attach['connect']['host']}:{attach['connect']['port']}" in (ROOT / "README.md").read_text()
    assert attach["restart"]
