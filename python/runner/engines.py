"""How to start a connector: here, or as an image in a container engine (protocol reference, section 8.4)."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from python.protocol.errors import ConnectorError
from python.protocol.log import Log
from python.runner import containers, images
from python.runner.drive import PROTOCOLS, Launch
from python.runner.endpoints import LocalEndpoint, Task
from python.runner.problems import CatalogError

__all__ = ["ENGINES", "launch"]

ENGINES = ("docker", "podman", "buildah")
"""The programs that can run an image, in the order in which they are tried; DOCKER_CLI names another one."""

_ANSWER_SECONDS_MAX = 20.0  # an engine whose daemon hangs is as good as none


def launch(task: Task, on_log: Callable[[Log], None], network: str = "bridge") -> Launch:
    """Return how to start the connector of `task`.

    Raises ConnectorError where it is an image that no engine has or can run, or a part of Flow's own runtime, and
    CatalogError for a protocol or a codec that is not the task's.

    A local command that names a connector's folder, as `python -m source-x` does, is run with that folder's own
    environment first on PATH, where there is one. The `env` of its specification comes before ours, but for the level
    and format of logs, which Flow sets in any case (protocol reference, section 7.3).
    """
    endpoint = task.endpoint
    if endpoint is None:
        raise ConnectorError(
            f"{task.name} uses a part of Flow's own runtime, which is not here: use `local` or `connector`"
        )
    logs = {"LOG_FORMAT": "json", "LOG_LEVEL": task.shards.log_level or "info"}
    # Without it a connector with rotating credentials would send its config to Flow's service, to have it sealed.
    sealing = {"ENCRYPTION_URL": os.environ.get("ENCRYPTION_URL", "")}
    if isinstance(endpoint, LocalEndpoint):
        if endpoint.protobuf:
            sentence = f"{task.name} asks for `protobuf: true`, and only JSON lines are spoken here; leave it out"
            raise CatalogError.at(endpoint.where, sentence)
        own = {**_path(endpoint.command), **sealing, **endpoint.env, **logs}
        command: tuple[str, ...] = endpoint.command
        made = None
    else:
        own = {}
        engine = _engine(f"{task.name} is the image {endpoint.image}")
        images.check(engine, endpoint, task.kind, on_log)
        command, made = _run(engine, endpoint.image, {**logs, **sealing}, network)
    return Launch(
        command=command,
        env=own,
        connector_type=endpoint.connector_type,
        on_log=on_log,
        protocol=PROTOCOLS[task.kind],
        containers=made,
    )


def _engine(what: str) -> str:
    chosen = os.environ.get("DOCKER_CLI")
    if chosen:
        return chosen
    found = list(filter(shutil.which, ENGINES))
    if not found:
        raise ConnectorError(
            f"{what}, and none of {', '.join(ENGINES)} is on PATH: install one, or run the connector with "
            "`endpoint.local`"
        )
    problems = {engine: _problem(engine) for engine in found}
    working = next((engine for engine in found if not problems[engine]), None)
    if working is None:
        told = "; ".join(f"{engine}: {problem}" for engine, problem in problems.items())
        raise ConnectorError(f"{what}, and no container engine works here ({told})")
    return working


def _problem(engine: str) -> str:
    """Return why `engine` cannot run anything, or an empty text: a client may be installed without its daemon."""
    try:
        done = subprocess.run(
            [engine, "version"], capture_output=True, text=True, check=False, timeout=_ANSWER_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1] if done.returncode else ""


def _run(
    engine: str, image: str, env: Mapping[str, str], network: str
) -> tuple[tuple[str, ...], containers.Containers | None]:
    """Return the command that runs an image, and what removes its containers, where that is not the command's own."""
    options = [option for name, value in env.items() for option in ("--env", f"{name}={value}")]
    if pathlib.Path(engine).name == "buildah":  # its `run` starts a command in a container that it has made before
        return (sys.executable, "-m", "python.runner.buildah", engine, image, *options), None
    made = containers.new(engine)
    return made.command(image, [f"--network={network}", *options]), made


def _path(command: Sequence[str]) -> dict[str, str]:
    """Return PATH with the environment of the connector's own folder in front, or else our own."""
    environments = (pathlib.Path(word) / ".venv" / "bin" for word in command[1:] if not word.startswith("-"))
    first = next((own.absolute() for own in environments if own.is_dir()), pathlib.Path(sys.executable).parent)
    return {"PATH": f"{first}{os.pathsep}{os.environ.get('PATH', '')}"}
