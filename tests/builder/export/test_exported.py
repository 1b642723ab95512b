"""Every manifest of tests/manifests, exported: each is still one, in each form, and some of them run."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.builder.export.order import Form, Order
from python.builder.export.zipping import zipped
from python.builder.manifests import cdk
from python.builder.manifests.findings import Severity
from python.builder.manifests.gathering import gathered
from python.builder.manifests.importing import imported
from python.builder.manifests.linting import lint
from python.runner.loading import load_catalog
from tests.builder.export.made import DATE
from tests.builder.export.recorded import record
from tests.manifests.server import KEY, Server, serving
from tests.shim_airbyte_cdk.versions.environments import python_of

ROOT = Path(__file__).parents[3]
MANIFESTS = ROOT / "tests" / "manifests"
NAMES = sorted(path.parent.name for path in MANIFESTS.glob("*/manifest.yaml"))
SECONDS_MAX = 300  # on a machine that has much else to do


def order(name: str, **members: Any) -> Order:
    taken = imported(gathered(MANIFESTS / name), cdk.installed())
    given = {"text": taken.text, "components": taken.components, "cdk": cdk.installed(), "date": DATE, "ask": False}
    return Order(**{"name": f"source-{name}", **given, **members})


def unpacked(raw: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        archive.extractall(folder)
        (name,) = {entry.partition("/")[0] for entry in archive.namelist() if "/" in entry}
        return folder / name


def errors(text: str) -> list[tuple[str, str]]:
    return [(each.rule, each.at) for each in lint(text, cdk.installed()) if each.severity is Severity.ERROR]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", list(Form), ids=lambda form: form.value)
def test_an_exported_manifest_is_one_that_says_the_same(form: Form, name: str, tmp_path: Path) -> None:
    ordered = order(name, form=form)
    folder = unpacked(zipped(ordered), tmp_path)
    manifest = next(folder.rglob("manifest.yaml")).read_text(encoding="utf-8")
    before, after = yaml.safe_load(ordered.text), yaml.safe_load(manifest)

    assert errors(manifest) == errors(ordered.text)
    assert [*after] == [*before]
    assert after["streams" if "streams" in after else "dynamic_streams"]
    for file in (*folder.rglob("*.yaml"), *folder.rglob("*.yml")):
        assert yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in folder.rglob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"))
    if form is Form.HEADWATER:
        assert load_catalog(folder / "test.flow.yaml").capture(None).name == f"acmeCo/source-{name}"


def test_equal_orders_give_equal_zips() -> None:
    assert zipped(order("pages")) == zipped(order("pages"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from serving()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        arguments, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )


def headwater(folder: Path, *arguments: str) -> str:
    done = run(folder, sys.executable, "-c", "from python.cli import main; main()", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_an_exported_folder_runs_on_its_recording_and_its_tests_pass(server: Server, tmp_path: Path) -> None:
    config = {"url": server.url}
    manifest = MANIFESTS / "substreams" / "manifest.yaml"
    wanted = record(tmp_path / "recording", manifest, config, ["projects", "tasks", "comments"])
    ordered = order("substreams", recording=tmp_path / "recording", config=config, ask=True)
    folder = unpacked(zipped(ordered), tmp_path)
    asked = len(server.asked)
    printed = headwater(tmp_path, "preview", "--source", "source-substreams/tests/replay.flow.yaml")
    found: dict[str, list[Any]] = {}
    for collection, document in map(json.loads, printed.splitlines()):
        del document["_meta"]
        found.setdefault(collection.removeprefix("acmeCo/"), []).append(document)

    cut = wanted.pop("comments")  # a test read ends after five slices, and what they are cut of is not captured
    assert cut
    assert {name: unordered(each) for name, each in found.items()} == {
        name: unordered(each) for name, each in wanted.items()
    }
    expected = (folder / "integration_tests" / "expected_records.jsonl").read_text().splitlines()
    assert len(expected) == sum(map(len, wanted.values()))
    tests = run(tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "source-substreams")
    assert "3 passed" in tests.stdout, tests.stdout
    style = ("ruff", "format", "--check", "--no-cache", "--line-length", "120", "source-substreams/tests")
    formatted = run(tmp_path, sys.executable, "-m", *style)
    assert formatted.returncode == 0, formatted.stdout
    assert len(server.asked) == asked


def unordered(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


@pytest.mark.slow
def test_an_exported_package_sends_the_key_of_its_config(server: Server, tmp_path: Path) -> None:
    runs_with_its_config(Path(sys.executable), server, tmp_path)


@pytest.mark.versions
@pytest.mark.parametrize("version", ["6.61.6", "5.17.0"])
def test_so_does_one_for_an_older_cdk(version: str, server: Server, tmp_path: Path) -> None:
    runs_with_its_config(python_of(version), server, tmp_path)


def runs_with_its_config(python: Path, server: Server, tmp_path: Path) -> None:
    """A package for the CDK of `python` is checked and read with a right key there, and fails with a wrong one."""
    folder = unpacked(zipped(order("pages", form=Form.PYTHON, cdk=cdk.installed(str(python)))), tmp_path)
    (folder / "secrets").mkdir()
    for name, key in {"right": KEY, "wrong": "none"}.items():
        (folder / "secrets" / name).write_text(json.dumps({"url": server.url, "api_key": key}))
    command = (str(python), "main.py")
    checks = {name: run(folder, *command, "check", "--config", f"secrets/{name}").stdout for name in ("right", "wrong")}
    catalog = "integration_tests/configured_catalog.json"

    assert '"SUCCEEDED"' in checks["right"]
    assert '"FAILED"' in checks["wrong"]
    assert '"api_key"' in run(folder, *command, "spec").stdout
    assert run(folder, *command, "read", "--config", "secrets/right", "--catalog", catalog).stdout.count('"RECORD"') > 1
