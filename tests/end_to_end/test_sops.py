"""Configs that the real sops has sealed with an age key, opened by the runner and given to a connector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyrage
import pytest
import yaml

from tests.connectors.keeper import digests

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
SECRET = "hunter2-of-the-test"
CONFIG = f"""\
# What the connector is to know.
host: example.com
port: 5432
ratio: 1.5
since: 2024-01-02T03:04:05Z
unset: null
token_sops: {SECRET} # of the service
accounts:
  - name: first
    # A person wrote this.
    password_sops: "{SECRET}, too"
"""


class Sealed(NamedTuple):
    """A folder with a spec whose config is sealed, and the environment in which its key is at hand."""

    folder: Path
    env: Mapping[str, str]

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def headwater(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = ["headwater", *arguments, "--source", "test.flow.yaml"]
        env = {**self.env, "PYTHONPATH": str(ROOT), **env}
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def captured(self) -> dict[str, Any]:
        """The one document that the connector publishes."""
        done = self.headwater("preview", "--sessions", "1")
        assert not done.returncode, done.stderr
        ((_, document),) = map(json.loads, done.stdout.splitlines())
        assert isinstance(document, dict)
        return document

    def files_with(self, text: str) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def sops(sealed: Sealed, *arguments: str, content: str = "") -> str:
    command = ["sops", "--config", os.devnull, *arguments]
    done = subprocess.run(
        command, env=sealed.env, input=content, capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    """A sealed config, and nothing on the disk that ever had it in the clear."""
    identity = pyrage.x25519.Identity.generate()
    env = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "SOPS_AGE_KEY": str(identity),
        "SOPS_DISABLE_VERSION_CHECK": "1",
    }
    sealed = Sealed(tmp_path, env)
    form = ["--input-type", "yaml", "--output-type", "yaml", "--age", str(identity.to_public())]
    content = f"{CONFIG}look: {tmp_path}\n"
    sealed.config.write_text(
        sops(sealed, "encrypt", *form, "--encrypted-suffix", "_sops", "/dev/stdin", content=content)
    )
    endpoint = {"local": {"command": [sys.executable, "-m", "tests.connectors.keeper"], "config": "config.yaml"}}
    bindings = [{"resource": {"name": "told"}, "target": "acmeCo/told"}]
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    spec = {
        "captures": {"acmeCo/keeper": {"endpoint": endpoint, "bindings": bindings}},
        "collections": {"acmeCo/told": {"schema": schema, "key": ["/n"]}},
    }
    (tmp_path / "test.flow.yaml").write_text(yaml.safe_dump(spec))
    return sealed


def test_the_connector_is_given_the_config_in_the_clear_and_no_file_is(sealed: Sealed) -> None:
    assert "token_sops: ENC[" in sealed.config.read_text()

    document = sealed.captured()

    assert document["given"] == digests(
        {
            "host": "example.com",
            "port": 5432,
            "ratio": 1.5,
            "since": "2024-01-02T03:04:05Z",
            "unset": None,
            "token": SECRET,
            "accounts": [{"name": "first", "password": f"{SECRET}, too"}],
            "look": str(sealed.folder),
        }
    )
    assert document["found"] == []


def test_a_run_leaves_no_secret_in_the_store_nor_beside_it(sealed: Sealed) -> None:
    done = sealed.headwater("run", "--store", "kept.duckdb", "--log-json")

    assert not done.returncode, done.stderr
    assert b"example.com" in (sealed.folder / "config.yaml").read_bytes()
    assert digests(SECRET).encode() in (sealed.folder / "kept.duckdb").read_bytes(), "the document is there"
    assert sealed.files_with(SECRET) == []
    assert SECRET not in done.stdout + done.stderr


def test_without_the_key_the_sentence_says_where_and_why(sealed: Sealed) -> None:
    done = sealed.headwater("preview", SOPS_AGE_KEY="")

    assert done.returncode == 1
    assert "config.yaml" in done.stderr
    assert "sops cannot open it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_value_that_was_changed_without_sops_is_refused(sealed: Sealed) -> None:
    sealed.config.write_text(sealed.config.read_text().replace("port: 5432", "port: 5433"))

    done = sealed.headwater("preview")

    assert done.returncode == 1
    assert "MAC mismatch" in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_file_sealed_as_json_is_opened_too(sealed: Sealed) -> None:
    form = ["--input-type", "json", "--output-type", "json", "--encrypted-suffix", "_sops"]
    recipient = str(pyrage.x25519.Identity.from_str(sealed.env["SOPS_AGE_KEY"]).to_public())
    content = json.dumps({"token_sops": SECRET, "look": str(sealed.folder)})
    sealed.config.write_text(sops(sealed, "encrypt", *form, "--age", recipient, "/dev/stdin", content=content))

    assert sealed.captured()["given"]["token"] == digests(SECRET)
