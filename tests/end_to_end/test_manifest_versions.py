"""Manifests read as the CDK's own entrypoint reads them, on each generation of airbyte-cdk that has manifests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conversing import ROOT
from tests.end_to_end.test_manifests import MANIFESTS, canonical, config_of
from tests.manifests.server import Server, serving
from tests.shim_airbyte_cdk.versions.environments import python_of

DRIVER = MANIFESTS / "driver.py"
SECONDS_MAX = 300
ALL = ("cursor", "lists", "oauth", "offset", "pages", "session", "substreams", "windows")
"""Manifests of what each version has."""
READS = {
    "0.90.0": ALL,
    "1.8.0": ALL,
    "4.6.2": (*ALL, "errors", "jsonl"),
    "5.17.0": (*ALL, "errors", "jsonl", "xml"),
    "6.61.6": (*ALL, "csv", "custom", "dynamic", "errors", "groups", "jsonl", "requests", "transforms", "xml"),
}
REFUSES = {
    "0.90.0": (
        "transforms",
        "/streams/0/transformations/2: unknown component type KeysToSnakeCase; want one of AddFie",
    ),
    "1.8.0": (
        "errors",
        "/streams/0/retriever/requester/error_handler/error_handlers/1/response_filters/0/action: got '",
    ),
    "4.6.2": ("csv", "/streams/0/retriever/decoder: unknown component type CsvDecoder; want one of IterableDecoder, "),
    "5.17.0": ("requests", "/streams/0/retriever/requester: HttpRequester needs path, url_base (written at /definiti"),
    "6.61.6": ("future", "/version: the manifest is written for airbyte-cdk 6.62.0, and 6.61.6 is installed: install "),
}

LOSE_DIGITS = ("4.6.2", "5.17.0")
"""Versions that read JSON Lines with orjson, which makes floats of integers beyond 64 bits; ours keeps them."""
BIG = 10**20 + 1  # the second line of the manifest `jsonl` has it

pytestmark = pytest.mark.versions
each_version = pytest.mark.parametrize("version", READS)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from serving()


@pytest.fixture(scope="module")
def results(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {version: driven(version, server, tmp_path_factory.mktemp("version")) for version in READS}


def driven(version: str, server: Server, folder: Path) -> Any:
    jobs = {}
    for name in (*READS[version], REFUSES[version][0]):
        future = name == "future"
        shutil.copytree(MANIFESTS / ("pages" if future else name), folder / name)
        manifest = folder / name / "manifest.yaml"
        written = "6.62.0" if future else version  # as if it had been written for the version that reads it
        manifest.write_text(re.sub(r"^version: .*", f"version: {written}", manifest.read_text(), flags=re.MULTILINE))
        jobs[name] = {"folder": str(folder / name), "config": {} if future else config_of(name, server)}
    command = [str(python_of(version)), str(DRIVER), str(folder / "results.json"), json.dumps(jobs)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads((folder / "results.json").read_text())


@each_version
def test_manifests_read_as_the_cdk_s_own_entrypoint_reads_them(version: str, results: dict[str, Any]) -> None:
    found = {name: results[version][name] for name in READS[version]}
    ours = {name: texts(each["ours"], version) for name, each in found.items()}

    assert ours == {name: texts(each["theirs"], version) for name, each in found.items()}
    assert all(each["ours"] for each in found.values())


@pytest.mark.parametrize("version", [version for version, names in READS.items() if "jsonl" in names])
def test_lines_of_json_keep_their_digits(version: str, results: dict[str, Any]) -> None:
    assert [each["big"] for each in results[version]["jsonl"]["ours"]["lines"] if each["id"] == 1] == [BIG]


@each_version
def test_what_a_version_does_not_have_is_refused_with_its_place(version: str, results: dict[str, Any]) -> None:
    name, told = REFUSES[version]

    assert f"{name}/manifest.yaml: {told}" in results[version][name]["refused"]


def texts(records: dict[str, list[Any]], version: str) -> dict[str, list[str]]:
    """Return the records as sorted texts by stream, with as many digits as the entrypoint of `version` keeps."""
    kept = {
        stream: [held(each) for each in found] if version in LOSE_DIGITS else found for stream, found in records.items()
    }
    return {stream: sorted(map(canonical, each)) for stream, each in kept.items()}


def held(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: float(value) if isinstance(value, int) and value.bit_length() > 64 else value
        for name, value in record.items()
    }
