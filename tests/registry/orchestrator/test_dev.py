"""`dagster dev` from its folder, as README tells: a connector in the bucket is in the registry without a click."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import python.registry.orchestrator
from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import put, versions, whole

pytestmark = [pytest.mark.slow, pytest.mark.long]

FOLDER = Path(python.registry.orchestrator.__file__).parent
SECONDS_MAX = 180.0  # on two cores that others use as well: its start alone may take 40


class Dev:
    """A running `dagster dev`, and what it has printed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.printed = ""

    def until(self, *words: str) -> None:
        """Read what it prints until a line has one of the `words`."""
        assert self.process.stdout is not None
        deadline, seen = time.monotonic() + SECONDS_MAX, len(self.printed)
        while not any(word in self.printed[seen:] for word in words):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                pytest.fail(f"it never printed {' or '.join(words)}:\n{self.printed[-5000:]}")
            self.printed += data.decode(errors="replace")


@contextlib.contextmanager
def dev(home: Path, folder: Path) -> Iterator[Dev]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("METADATA_", "SLACK_", "DAGSTER"))}
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", str(port)],
        cwd=folder,
        env={**own, "DAGSTER_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Dev(process)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_connector_that_is_uploaded_is_published_without_a_click(tmp_path: Path) -> None:
    folder, home = tmp_path / "orchestrator", tmp_path / "home"
    home.mkdir()
    folder.mkdir()
    shutil.copy(FOLDER / "workspace.yaml", folder)
    shutil.copy(FOLDER / "dagster.yaml", home)
    (folder / ".env").write_text((FOLDER / ".env.template").read_text())
    store = FolderStore(folder / "bucket")

    with dev(home, folder) as running:
        running.until("there are no connectors in ")
        put(store, "a")
        running.until('RUN_SUCCESS - Finished execution of run for "generate_registry"', "RUN_FAILURE")

        assert versions(store) == {"a": "1.0.0"}
        assert whole(store)
        assert "Traceback" not in running.printed
