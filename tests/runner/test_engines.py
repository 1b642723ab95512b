from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from python.protocol.errors import ConnectorError
from python.runner import engines
from python.runner.catalog import CaptureTask, ImageEndpoint, LocalEndpoint
from python.runner.problems import CatalogError, Where

WHERE = Where(Path("test.flow.yaml"))
SPEAKS = {"Labels": {"FLOW_RUNTIME_PROTOCOL": "capture", "FLOW_RUNTIME_CODEC": "json"}}


def task(endpoint: LocalEndpoint | ImageEndpoint) -> CaptureTask:
    return CaptureTask(name="acmeCo/x", endpoint=endpoint, bindings=(), where=WHERE)


IMAGE = task(ImageEndpoint(image="localhost/x:local", config={}, config_where=WHERE, where=WHERE))


def local(*command: str) -> CaptureTask:
    return task(LocalEndpoint(command=command, config={}, config_where=WHERE, where=WHERE))


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder which alone is on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("DOCKER_CLI", raising=False)
    return folder


@pytest.mark.parametrize("command", [("python", "-m", "source-x"), ("python", "-m", "any.module", "source-x")])
def test_a_connector_folders_own_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    own = tmp_path / "source-x" / ".venv" / "bin"
    own.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert engines.launch(local(*command), print).env["PATH"].split(os.pathsep)[0] == str(own)


def test_without_one_ours_comes_first() -> None:
    first = engines.launch(local("python", "-m", "source-gone"), print).env["PATH"].split(os.pathsep)[0]

    assert first == str(Path(sys.executable).parent)


def test_no_engine_is_one_sentence(bin_: Path) -> None:
    assert not list(bin_.iterdir())
    with pytest.raises(
        ConnectorError, match=r"image localhost/x:local, and none of docker, podman, buildah is on PATH"
    ):
        engines.launch(IMAGE, print)


def test_an_engine_without_its_daemon_is_passed_over(bin_: Path) -> None:
    program(bin_, "docker", "echo 'Cannot connect to the daemon' >&2; exit 1")
    program(bin_, "podman", f"echo '{json.dumps([{'Config': SPEAKS}])}'")
    launch = engines.launch(IMAGE, print, "host")

    assert launch.command[3:5] == ("podman", "--network=host")
    assert (launch.command[-1], launch.connector_type) == ("localhost/x:local", "IMAGE")


def test_engines_that_all_fail_say_why(bin_: Path) -> None:
    program(bin_, "docker", "echo 'Cannot connect to the daemon' >&2; exit 1")

    with pytest.raises(
        ConnectorError, match=r"no container engine works here \(docker: Cannot connect to the daemon\)"
    ):
        engines.launch(IMAGE, print)


def test_buildah_makes_a_container_runs_the_entrypoint_and_removes_it(
    bin_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "containers": json.dumps([{"containername": f"headwater-{owner}"} for owner in (999999999, 1, "x")]),
        "inspect": json.dumps({"OCIv1": {"config": {**SPEAKS, "Entrypoint": ["/connector"], "Cmd": ["--now"]}}}),
    }
    for name, text in answers.items():
        (tmp_path / name).write_text(text)
    script = f"""echo "$@" >> {tmp_path}/calls
case "$1" in
containers|inspect) read -r line < {tmp_path}/$1; echo "$line";;
run)
    read -r line
    echo "$line"
    printf '%s\\n' 'its own words' 'subprocess exited with status 3' 'Error: exit status 3' >&2
    exit 3;;
esac"""
    program(bin_, "buildah", script)
    command = engines.launch(IMAGE, print).command
    done = subprocess.run(command, input="hello\n", capture_output=True, text=True, check=False)
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    name = next(call[2] for call in calls if call[0] == "from")

    assert (done.returncode, done.stdout, done.stderr) == (3, "hello\n", "its own words\n")
    assert ["rm", "headwater-999999999"] in calls
    assert ["rm", "headwater-1"] not in calls
    assert next(call for call in calls if call[0] == "run")[-4:] == [name, "--", "/connector", "--now"]
    assert calls[-1] == ["rm", name]


def test_a_stop_reaches_the_entrypoint_behind_buildahs_own_processes(bin_: Path, tmp_path: Path) -> None:
    shell = shutil.which("bash", path=os.defpath)
    assert shell is not None
    answers = f"inspect) echo '{json.dumps({'OCIv1': {'config': {**SPEAKS, 'Cmd': ['/connector']}}})}';;"
    connector = (
        "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print('ready', flush=True); signal.pause()"
    )
    (tmp_path / "inner").write_text(f'{sys.executable} -c "{connector}"; exit $?\n')
    run = f"run) {shell} {tmp_path}/inner; exit $?;;"
    program(bin_, "buildah", f'case "$1" in\n{answers}\n{run}\nesac')
    (bin_ / "buildah").write_text((bin_ / "buildah").read_text().replace("#!/bin/sh", f"#!{shell}"))
    command = engines.launch(IMAGE, print).command
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)

        assert process.wait() == 7


def test_the_specifications_environment_comes_before_ours_but_for_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_URL", "http://127.0.0.1:9/ours")
    env = {"ENCRYPTION_URL": "http://127.0.0.1:9/theirs", "LOG_LEVEL": "trace", "MORE": "1"}
    local = LocalEndpoint(command=("x",), config={}, env=env, config_where=WHERE, where=WHERE)
    launched = engines.launch(task(local), lambda log: None).env

    assert (launched["ENCRYPTION_URL"], launched["MORE"]) == ("http://127.0.0.1:9/theirs", "1")
    assert (launched["LOG_LEVEL"], launched["LOG_FORMAT"]) == ("info", "json")


def test_a_codec_that_is_not_spoken_is_refused() -> None:
    local = LocalEndpoint(command=("x",), config={}, protobuf=True, config_where=WHERE, where=Where(Path("a.yaml"), 7))

    with pytest.raises(CatalogError, match=r"a\.yaml:7: acmeCo/x asks for `protobuf: true`, and only JSON lines"):
        engines.launch(task(local), lambda log: None)
