"""A build that is stopped, or lacks disk or network, says so in a sentence and names no image."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images.building import BASE, Builder, as_root, builder, driver

pytestmark = pytest.mark.slow

CONNECTOR = "derive-sales"
UNCHANGED = f". ghcr.io/estuary/{CONNECTOR}:local is as it was"


@pytest.fixture(scope="module")
def made() -> Iterator[Builder]:
    with builder(driver(), CONNECTOR) as made:
        yield made


def dockerfile(made: Builder, command: str) -> str:
    (made.checkout / "Dockerfile.own").write_text(f"FROM {BASE}\nRUN touch /first\nRUN {command}\n", encoding="utf-8")
    return "Dockerfile.own"


@pytest.fixture
def waiting(made: Builder) -> Iterator[subprocess.Popen[str]]:
    """A build in the midst of its second step."""
    command = [str(made.checkout / "build-local.sh"), CONNECTOR, dockerfile(made, "echo waits && sleep 300")]
    with subprocess.Popen(
        command,
        env=made.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert any(line.strip() == "waits" for line in process.stdout)
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_build_that_is_stopped_says_so_and_names_no_image(made: Builder, waiting: subprocess.Popen[str]) -> None:
    waiting.send_signal(signal.SIGTERM)
    _, told = waiting.communicate()

    assert waiting.returncode == 1
    assert told.splitlines()[-1] == (
        f"build-local.sh: buildah did not build {CONNECTOR}, for it was stopped{UNCHANGED}"
    )
    assert made.names() == set()


def test_a_build_that_is_killed_names_no_image(made: Builder, waiting: subprocess.Popen[str]) -> None:
    os.killpg(waiting.pid, signal.SIGKILL)
    waiting.communicate()

    assert made.names() == set()


def test_an_index_that_is_not_reached_is_one_sentence(made: Builder) -> None:
    done = made.build(CONNECTOR, UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    told = done.stderr.splitlines()[-1]

    assert done.returncode == 1
    assert "The index, or the base image's registry, was not reached" in told
    assert told.endswith(UNCHANGED)
    assert made.names() == set()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 MB, of which the base image takes half."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run([*as_root(), "mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run([*as_root(), "umount", "--lazy", folder], check=True)


def test_a_full_disk_is_one_sentence(small: Path) -> None:
    with builder(driver(), CONNECTOR, root=small) as made:
        done = made.build(CONNECTOR, dockerfile(made, "head --bytes=700M /dev/zero > /filled"))

        assert done.returncode == 1
        assert "The disk is full: free some of it" in done.stderr.splitlines()[-1]
        assert made.names() == set()
