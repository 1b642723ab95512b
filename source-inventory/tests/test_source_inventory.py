from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.snapshot_check import Snapshots
from python.protocol.capture import Open
from python.protocol.codec import CAPTURE_REQUESTS
from python.shim_airbyte_cdk.manifest import ManifestDelegate
from tests.airbyte_messages import Sync, merged
from tests.conversing import ROOT, Ended, converse
from tests.serving import serving

FOLDER = Path(__file__).parent.parent
BIN = FOLDER / ".venv" / "bin"
CONNECTOR = [str(BIN / "python"), "-m", "python.shim_airbyte_cdk", "source-inventory"]
COMMAND = [str(BIN / "source-declarative-manifest"), "read", "--manifest-path", "manifest.yaml"]
STREAMS = ["warehouses", "products", "stock", "movements"]

pytest_plugins = ("python.acceptance.snapshot_fixture",)
pytestmark = pytest.mark.slow

server: Any = importlib.import_module("source-inventory.tests.server")


@pytest.fixture(scope="module")
def config() -> Iterator[dict[str, Any]]:
    for url in serving(server.Api):
        times = {"start": "2024-01-01T00:00:00Z", "end": "2024-03-31T00:00:00Z"}
        yield {"url": url, "api_key": server.KEY, **times}


@pytest.fixture(scope="module")
def first(config: dict[str, Any]) -> Ended:
    return converse(CONNECTOR, {"spec": {}}, {"discover": {"config": config}})


@pytest.fixture(scope="module")
def whole(first: Ended, config: dict[str, Any]) -> Ended:
    return converse(CONNECTOR, {"spec": {}}, opened(first, config, {}))


def opened(first: Ended, config: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    bindings = [
        {
            "resourceConfig": found["resourceConfig"],
            "resourcePath": found["resourcePath"],
            "stateKey": found["recommendedName"],
            "collection": {"name": "acmeCo/x", "key": found["key"], "writeSchema": found["documentSchema"]},
        }
        for found in first.responses[1]["discovered"]["bindings"]
    ]
    capture = {"name": "acmeCo/source-inventory", "config": config, "bindings": bindings}
    return {"open": {"capture": capture, "range": {"keyEnd": 0xFFFF_FFFF}, "state": state}}


def captured(responses: list[Any]) -> list[list[str]]:
    """The documents of each stream as sorted texts, less what is ours and the nulls, which the CDK does not print."""
    found: list[list[str]] = [[] for _ in STREAMS]
    for response in responses:
        if "captured" in response:
            doc = response["captured"]["doc"]
            kept = {name: value for name, value in doc.items() if name != "_meta" and value is not None}
            found[response["captured"].get("binding", 0)].append(json.dumps(kept, sort_keys=True))
    return [sorted(documents) for documents in found]


def test_what_it_says_and_captures_is_as_it_was(config: dict[str, Any], connector_snapshots: Snapshots) -> None:
    connector_snapshots.check(config=config)


def test_every_document_comes(first: Ended, whole: Ended) -> None:
    assert (first.status, whole.status) == (0, 0)
    assert [len(documents) for documents in captured(whole.responses)] == [2, 23, 7, 60]
    assert whole.kinds[-1] == "checkpoint"


def test_the_documents_are_those_of_airbyte_s_own_command(whole: Ended, config: dict[str, Any], tmp_path: Path) -> None:
    streams = [
        {
            "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "incremental" if stream == "movements" else "full_refresh",
            "destination_sync_mode": "append",
        }
        for stream in STREAMS
    ]
    arguments = ["--components-path", "components.py"]
    for name, value in {"config": config, "catalog": {"streams": streams}}.items():
        (tmp_path / name).write_text(json.dumps(value))
        arguments += [f"--{name}", str(tmp_path / name)]
    allowed = {**os.environ, "AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
    printed = subprocess.check_output([*COMMAND, *arguments], cwd=FOLDER, env=allowed, text=True)

    records = [message["record"] for message in map(json.loads, printed.splitlines()) if message["type"] == "RECORD"]
    assert captured(whole.responses) == [
        sorted(json.dumps(each["data"], sort_keys=True) for each in records if each["stream"] == stream)
        for stream in STREAMS
    ]


def test_a_capture_that_ends_at_any_checkpoint_and_goes_on_gives_the_same_documents(
    first: Ended, whole: Ended, config: dict[str, Any]
) -> None:
    state: dict[str, Any] = {}
    again: list[list[str]] = []
    for index, response in enumerate(whole.responses):
        if "checkpoint" not in response:
            continue
        state = merged(state, response["checkpoint"].get("state", {}).get("updated", {}))
        request = CAPTURE_REQUESTS.decode(json.dumps(opened(first, config, state)).encode())
        assert isinstance(request, Open)
        sync = Sync(ManifestDelegate(FOLDER), request)

        again = captured([{"captured": {"binding": at, "doc": doc}} for at, doc in sync.documents])
        before = captured(whole.responses[: index + 1])
        assert [sorted({*a, *b}) for a, b in zip(before, again, strict=True)] == captured(whole.responses)
    # In the end all movements were read, and those of the last hour alone come again: the manifest's lookback.
    assert [json.loads(text)["id"] for text in again[STREAMS.index("movements")]] == [59]


def test_the_flow_spec_runs_the_manifest_in_its_own_environment(config: dict[str, Any], tmp_path: Path) -> None:
    spec = (FOLDER / "test.flow.yaml").read_text().replace("http://127.0.0.1:8765", config["url"])
    (tmp_path / "test.flow.yaml").write_text(spec)
    headwater = [str(Path(sys.executable).parent / "headwater"), "run", "--source", str(tmp_path / "test.flow.yaml")]
    store = ["--store", str(tmp_path / "store.duckdb")]

    done = subprocess.run([*headwater, *store], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    counted = [*headwater[:1], "sql", *store, 'select count(*) as n from "acmeCo/products"', "--json"]
    assert json.loads(subprocess.check_output(counted, cwd=ROOT, text=True)) == {"n": 23}
