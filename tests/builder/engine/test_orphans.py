"""Nothing of an engine lives on when its server, or its worker, is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.builder.engine.working import Answer, api

pytest.importorskip("airbyte_cdk")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SERVER = """
import asyncio, sys
from python.builder.engine import Interpreter, Options, WorkerEngine
from tests.builder.engine.working import children, everything, read_job

async def main(url, plain, entrypoint):
    engine = WorkerEngine(Interpreter(entrypoint=entrypoint or None), Options(plain=plain))
    about = await engine.about()
    print(about.get("pid", 0), engine._keeper.home(), flush=True)
    await everything(engine, read_job(url, "silent", config={"password": "s3cret"}))

asyncio.run(main(sys.argv[1], sys.argv[2] == "plain", sys.argv[3]))
"""
SECONDS_MAX = 30


BEFORE_READING = """
import http.client, json, sys
json.load(open(sys.argv[sys.argv.index("--config") + 1]))
connection = http.client.HTTPConnection("127.0.0.1", {port})
connection.request("GET", "/silent")
connection.getresponse()
"""


@pytest.mark.parametrize(("how", "is_reading"), [("warm", True), ("plain", True), ("plain", False)])
def test_a_killed_server_leaves_no_process_and_no_secret(how: str, is_reading: bool, tmp_path: Path) -> None:
    arrived, released = threading.Event(), threading.Event()

    def silent(_: Mapping[str, str]) -> Answer:
        arrived.set()
        released.wait(SECONDS_MAX)
        return Answer(b"{}")

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with api(silent=silent) as served:
        script = tmp_path / "entrypoint.py"
        script.write_text(BEFORE_READING.replace("{port}", served.url.rpartition(":")[2]))
        command = [sys.executable, "-c", SERVER, served.url, how, "" if is_reading else str(script)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as server:
            assert server.stdout is not None
            pid, home = server.stdout.readline().split()
            assert arrived.wait(SECONDS_MAX)
            started = descendants(server.pid)
            assert started
            assert bool(list(Path(home).rglob("config.json"))) is not is_reading
            watched = [os.pidfd_open(each) for each in started]
            server.send_signal(signal.SIGKILL)
            for each in watched:
                assert select.select([each], [], [], SECONDS_MAX)[0], "a process has outlived its server"
                os.close(each)
        released.set()

    assert int(pid) in started or how == "plain"
    assert not Path(home).exists()


def test_the_children_of_a_killed_worker_die_with_it(tmp_path: Path) -> None:
    arrived, released = threading.Event(), threading.Event()

    def silent(_: Mapping[str, str]) -> Answer:
        arrived.set()
        released.wait(SECONDS_MAX)
        return Answer(b"{}")

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with api(silent=silent) as served:
        command = [sys.executable, "-c", SERVER, served.url, "warm", ""]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as server:
            assert server.stdout is not None
            pid = int(server.stdout.readline().split()[0])
            assert arrived.wait(SECONDS_MAX)
            watched = [os.pidfd_open(child) for child in descendants(pid)]
            assert watched
            os.kill(pid, signal.SIGKILL)

            for each in watched:
                assert select.select([each], [], [], SECONDS_MAX)[0], "a child has outlived its worker"
                os.close(each)
            assert server.wait(SECONDS_MAX) == 0
        released.set()


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, at any depth."""
    found = [int(each) for task in Path(f"/proc/{pid}/task").glob("*/children") for each in task.read_text().split()]
    return found + [each for child in found for each in descendants(child)]
