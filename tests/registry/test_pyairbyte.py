"""PyAirbyte reads our registries: Airbyte's own reader, unchanged, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import generated, put

pytestmark = pytest.mark.versions  # it installs 600 MB

VERSION = "0.71.3"
ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = ROOT / ".cache" / f"pyairbyte-{VERSION}"

ASKED = """
import json
import airbyte
from airbyte import registry

def told(name):
    found = registry.get_connector_metadata(name)
    return [found.latest_available_version, found.pypi_package_name, str(found.language and found.language.value),
            sorted(each.value for each in found.install_types), found.suggested_streams]

names = airbyte.get_available_connectors()
print(json.dumps({name: told(name) for name in names}))
"""


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """The interpreter of an environment with PyAirbyte, which is made once."""
    made = ENVIRONMENT / ".made"
    if not made.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)], check=True)
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(ENVIRONMENT / "bin" / "python"),
            f"airbyte=={VERSION}",
        ]
        subprocess.run(install, check=True)
        made.touch()
    return ENVIRONMENT / "bin" / "python"


def test_pyairbyte_lists_our_connectors(interpreter: Path, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "bucket")
    pypi = {"pypi": {"enabled": True, "packageName": "airbyte-source-a"}}
    put(store, "a", "1.4.0", remoteRegistries=pypi, suggestedStreams={"streams": ["x"]})
    put(store, "b", tags=["language:manifest-only", "cdk:low-code"])
    put(store, "c", registryOverrides={"cloud": {"enabled": True}})
    generated(store)

    done = subprocess.run(
        [str(interpreter), "-c", ASKED],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "DO_NOT_TRACK": "1",
            "AIRBYTE_LOCAL_REGISTRY": str(tmp_path / "bucket" / "registries" / "v0" / "oss_registry.json"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert list(told) == ["source-a", "source-b"]
    assert told["source-a"] == ["1.4.0", "airbyte-source-a", "python", ["docker", "python"], ["x"]]
    assert told["source-b"][2:4] == ["manifest-only", ["docker", "yaml"]]
