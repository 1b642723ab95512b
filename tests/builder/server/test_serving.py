from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from python.builder.server.serving import listening
from python.builder.server.settings import Settings
from python.protocol.errors import HeadwaterError
from tests.builder.contract.api import api
from tests.builder.contract.test_contract import CONFIG, base
from tests.builder.server.served import Client

ROOT = Path(__file__).parent.parent.parent.parent


def started(**variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "HEADWATER_BUILDER_PORT": "0", "HEADWATER_BUILDER_PLAIN": "true", **variables}
    command = [sys.executable, "-m", "python.builder"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)  # type: ignore[call-overload,no-any-return]  # pipes are two of its arguments


def test_a_port_in_use_is_a_sentence() -> None:
    with listening(Settings(port=0)) as held:
        port = held.getsockname()[1]

        with pytest.raises(HeadwaterError, match=rf"^127.0.0.1:{port} is in use: .*--port"):
            listening(Settings(port=port))


def test_an_address_of_another_machine_is_a_sentence() -> None:
    with pytest.raises(HeadwaterError, match=r"cannot listen on 203\.0\.113\.1:0"):
        listening(Settings(host="203.0.113.1", port=0))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_server_says_where_it_is_and_ends_in_order(how: signal.Signals) -> None:
    server = started()
    assert server.stdout is not None
    line = server.stdout.readline()
    answer = Client(int(line.rpartition(":")[2])).get("/health/")
    server.send_signal(how)
    _, errors = server.communicate(timeout=30)

    assert line.startswith("Connector Builder server on http://127.0.0.1:")
    assert (answer.status, server.returncode, errors) == (200, 0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HEADWATER_BUILDER_HOST": "0.0.0.0"}, "set HEADWATER_BUILDER_TOKEN"),  # noqa: S104 -- refused
        ({"CDK_VERSION": "1.2.3"}, "CDK_VERSION is 1.2.3, and this interpreter has"),
        ({"CDK_PYTHON": "/nowhere/python"}, "CDK_PYTHON: /nowhere/python is no folder"),
    ],
)
def test_what_must_not_start_says_why(variables: dict[str, str], sentence: str) -> None:
    server = started(**variables)
    _, errors = server.communicate(timeout=30)

    assert server.returncode == 2
    assert errors.startswith("headwater: ")
    assert sentence in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_folder_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server = started(HEADWATER_BUILDER_RECORDINGS=str(tmp_path / "file" / "below"))
    _, errors = server.communicate(timeout=30)

    assert (server.returncode, "cannot be made: not a directory" in errors) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_client_is_told_when_the_server_is_stopped(accept: str) -> None:
    server = started()
    assert server.stdout is not None
    client = Client(int(server.stdout.readline().rpartition(":")[2]))
    with api() as source, ThreadPoolExecutor(1) as waiting:
        body = {"manifest": base({"path": "silent"}, source.url), "config": CONFIG, "stream": "items"}
        answer = waiting.submit(client.post, "/v1/stream/read", body, accept=accept)
        assert source.waiting.wait(60)
        server.terminate()
        _, errors = server.communicate(timeout=60)

    assert (server.returncode, "Traceback" in errors) == (0, False)
    assert answer.result().status == (503 if accept == "application/json" else 200)
