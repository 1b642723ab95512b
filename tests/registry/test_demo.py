"""`make demo-registry` without its set-up, in a checkout with one connector."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "source-dbf", tmp_path / "source-dbf", ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    return tmp_path


def demo(checkout: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [ROOT / ".ci" / "demo-registry", "made"],
        cwd=checkout,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_registry_and_its_pages_are_made_and_the_second_time_there_is_nothing_to_do(checkout: Path) -> None:
    first, second = demo(checkout), demo(checkout)

    assert (first.returncode, first.stderr, second.returncode, second.stderr) == (0, "", 0, "")
    assert re.search(r"^headwater/source-dbf:[\d.]+ uploaded$", first.stdout, re.MULTILINE)
    assert re.search(r"^headwater/source-dbf:[\d.]+ is there already$", second.stdout, re.MULTILINE)
    assert "nothing has changed" in second.stdout
    page = checkout / "made" / "pages" / "index.html"
    assert f"Open it in a browser: {page.as_uri()}" in second.stdout
    assert page.exists()
    assert (checkout / "made" / "pages" / "connectors" / "headwater~source-dbf.html").exists()


def test_a_connector_that_changed_under_its_version_begins_a_new_bucket_and_says_so(checkout: Path) -> None:
    demo(checkout)
    with (checkout / "source-dbf" / "README.md").open("a", encoding="utf-8") as page:
        page.write("More.\n")

    done = demo(checkout)

    assert done.returncode == 0, done.stderr
    assert "versions never change" in done.stdout
    assert "In this demo the bucket is emptied instead:\nheadwater/source-dbf:" in done.stdout


def test_metadata_that_is_wrong_is_told_and_nothing_is_published(checkout: Path) -> None:
    (checkout / "source-dbf" / "metadata.yaml").write_text("data: 7\n", encoding="utf-8")

    done = demo(checkout)

    assert done.returncode == 1
    assert "metadata.yaml" in done.stderr
    assert "not uploaded" in done.stderr
    assert not (checkout / "made" / "bucket" / "registries").exists()
