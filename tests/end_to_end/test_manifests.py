"""The manifests of tests/manifests, read by our capture and by airbyte-cdk's own command, from the same server."""

from __future__ import annotations

import functools
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from python.protocol import capture as wire
from python.protocol.errors import ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec
from python.shim_airbyte_cdk import CaptureShim
from python.shim_airbyte_cdk.manifest import ManifestDelegate
from python.shim_airbyte_cdk.manifest_files import manifest_at
from tests.airbyte_messages import Sync, merged
from tests.manifests.server import KEY, LOGIN, TOKEN, Server, serving

MANIFESTS = Path(__file__).parent.parent / "manifests"
COMMAND = [sys.executable, str(MANIFESTS / "command.py")]
SECONDS_MAX = 300  # for all manifests together, on a machine that has much else to do

# What each manifest's config has beside the server's address.
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "cursor": {},
    "csv": {},
    "custom": {},
    "dynamic": {"tables": [{"name": "birds"}, {"name": "fish"}]},
    "errors": {},
    "groups": {"extra": True},
    "gzip": {},
    "jsonl": {},
    "lists": {"regions": ["north", "south"], "start": "2024-01-05T00:00:00Z"},
    "oauth": {
        "credentials": {"client_id": "client-0123456789", "client_secret": "secret-0123456789", "refresh_token": TOKEN}
    },
    "offset": {},
    "pages": {"api_key": KEY},
    "reports": {},
    "requests": {"username": "reader", "password": LOGIN["password"], "tenant": "acme"},
    "session": LOGIN,
    "substreams": {},
    "transforms": {"name": "here"},
    "windows": {"start": "2024-01-03"},
    "xml": {},
}

each_manifest = pytest.mark.parametrize("name", sorted(CONFIGS))
pytestmark = pytest.mark.slow


class Printed(NamedTuple):
    """What the command of airbyte-cdk says of a manifest."""

    records: dict[str, list[str]]
    states: dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from serving()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are ready at once, here: airbyte-cdk would wait 5 s before it asks again."""
    orchestrator: Any = importlib.import_module("airbyte_cdk.sources.declarative.async_job.job_orchestrator")
    monkeypatch.setattr(orchestrator.AsyncJobOrchestrator, "_WAIT_TIME_BETWEEN_STATUS_UPDATE_IN_SECONDS", 0.01)


@pytest.fixture(scope="module")
def printed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Printed]:
    """All manifests, read by the command, in a process for each."""
    folder = tmp_path_factory.mktemp("command")
    jobs = {name: (["read", *arguments(name, server, folder / name)], str(folder / f"{name}.out")) for name in CONFIGS}
    done = subprocess.run(
        [*COMMAND, json.dumps(list(jobs.values()))],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
        env={**os.environ, "AIRBYTE_ENABLE_UNSAFE_CODE": "true"},
    )
    outputs = {name: Path(output).read_text() for name, (_, output) in jobs.items()}
    assert done.returncode == 0, done.stderr + "".join(outputs.values())
    return {name: parsed(output) for name, output in outputs.items()}


def config_of(name: str, server: Server) -> dict[str, Any]:
    return {"url": server.url, **CONFIGS[name]}


def arguments(name: str, server: Server, folder: Path) -> list[str]:
    """The command's arguments to read every stream, as our capture would."""
    modes = modes_of(discovered(name, server))
    catalog = {
        "streams": [
            {
                "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for stream, mode in modes.items()
        ]
    }
    folder.mkdir()
    manifest = folder / "manifest.yaml"  # the command takes no manifest whose spec lies beside it, as ours does
    manifest.write_text(json.dumps(manifest_at(MANIFESTS / name).content))
    options = ["--manifest-path", str(manifest)]
    components = MANIFESTS / name / "components.py"
    if components.exists():
        options += ["--components-path", str(components)]
    for option, value in {"config": config_of(name, server), "catalog": catalog}.items():
        (folder / option).write_text(json.dumps(value))
        options += [f"--{option}", str(folder / option)]
    return options


def parsed(output: str) -> Printed:
    records: dict[str, list[str]] = {}
    states = {}
    for message in map(json.loads, output.splitlines()):
        if message["type"] == "RECORD":
            records.setdefault(message["record"]["stream"], []).append(canonical(message["record"]["data"]))
        elif message["type"] == "STATE":
            stream = message["state"]["stream"]
            states[stream["stream_descriptor"]["name"]] = stream["stream_state"]
    return Printed({stream: sorted(found) for stream, found in records.items()}, states)


def modes_of(bindings: Iterable[wire.DiscoveredBinding]) -> dict[str, str]:
    """The sync mode of each stream, in the order of the bindings."""
    resources = [json.loads(bytes(found.resource_config)) for found in bindings]
    return {resource["stream"]: resource["syncMode"] for resource in resources}


@functools.cache
def discovered(name: str, server: Server) -> tuple[wire.DiscoveredBinding, ...]:
    config = msgspec.Raw(json.dumps(config_of(name, server)).encode())
    (found,) = CaptureShim(ManifestDelegate(MANIFESTS / name)).answer(wire.Discover(config=config))
    assert isinstance(found, wire.Discovered)
    return found.bindings


def sync(name: str, server: Server, state: Any = None) -> Sync:
    bindings = tuple(
        CaptureBinding(
            resource_config=found.resource_config,
            resource_path=found.resource_path,
            state_key=found.recommended_name,
            collection=CollectionSpec(name="acmeCo/x", key=found.key, write_schema=found.document_schema),
        )
        for found in discovered(name, server)
    )
    config = msgspec.Raw(json.dumps(config_of(name, server)).encode())
    asked = wire.Open(
        capture=CaptureSpec(name="acmeCo/x", config=config, bindings=bindings),
        state=msgspec.Raw(json.dumps(state or {}).encode()),
    )
    found = Sync(ManifestDelegate(MANIFESTS / name), asked)
    assert found.failure == ""
    return found


def canonical(record: Mapping[str, Any]) -> str:
    """A record as text. The command prints no nulls at the top of a record, and `_meta` is ours."""
    kept = {name: value for name, value in record.items() if value is not None and name != "_meta"}
    return json.dumps(kept, sort_keys=True)


def comparable(state: Any) -> Any:
    """A state without what differs between any two reads, how many seconds they took, and without nulls."""
    if not isinstance(state, dict):
        return [comparable(each) for each in state] if isinstance(state, list) else state
    return {
        name: comparable(value)
        for name, value in state.items()
        if value is not None and name not in ("lookback_window", "__ab_no_cursor_state_message")
    }


@each_manifest
def test_a_manifest_reads_as_airbyte_s_own_command_reads_it(
    name: str, server: Server, printed: dict[str, Printed]
) -> None:
    modes = modes_of(discovered(name, server))
    ours = sync(name, server)

    assert {stream: sorted(canonical(doc) for doc in ours.of(index)) for index, stream in enumerate(modes)} == printed[
        name
    ].records
    stored = ours.stored["bindingStateV1"]
    resumed = [stream for stream, mode in modes.items() if mode == "incremental"]
    assert {each: comparable(stored[each]["state"]["stream"]["stream_state"]) for each in resumed} == {
        each: comparable(printed[name].states[each]) for each in resumed
    }


@each_manifest
def test_a_read_that_ends_at_any_checkpoint_and_goes_on_gives_the_same_documents(name: str, server: Server) -> None:
    whole = sync(name, server)
    documents = {(index, canonical(doc)) for index, doc in whole.documents}
    stored: Any = {}
    patches = iter(whole.patches)
    before: set[str] = set()
    for each in whole.sequence:
        if each != "checkpoint":
            before.add(canonical(each))
            continue
        stored = merged(stored, next(patches) or {})
        again = sync(name, server, stored)
        after = {(index, canonical(doc)) for index, doc in again.documents if doc["_meta"]["op"] != "d"}

        assert after <= documents
        assert before | {text for _, text in after} == {text for _, text in documents}


def validated(name: str, config: dict[str, Any], server: Server) -> list[tuple[str, ...]]:
    asked = wire.Validate(
        config=msgspec.Raw(json.dumps(config).encode()),
        bindings=tuple(
            wire.ValidateBinding(resource_config=found.resource_config) for found in discovered(name, server)
        ),
    )
    (answer,) = CaptureShim(ManifestDelegate(MANIFESTS / name)).answer(asked)
    assert isinstance(answer, wire.Validated)
    return [bound.resource_path for bound in answer.bindings]


@each_manifest
def test_a_manifest_validates_with_its_own_config(name: str, server: Server) -> None:
    assert validated(name, config_of(name, server), server) == [
        found.resource_path for found in discovered(name, server)
    ]


SPENT = {**CONFIGS["oauth"]["credentials"], "refresh_token": "spent-0123456789"}


@pytest.mark.parametrize(
    ("name", "members", "told"),
    [
        ("pages", {"api_key": "another-key-0123456789"}, r"^the source cannot be reached with this config: .* 401\. "),
        ("oauth", {"credentials": SPENT}, r"^the source cannot be reached with this config: .* 401 Client Error"),
        ("session", {"password": "forgotten-0123456789"}, r"^the source cannot be reached with this config: .* 401\. "),
        ("pages", {"api_key": None}, r"^config /api_key: got None, want the type string$"),
    ],
)
def test_credentials_that_are_refused_are_told_in_one_sentence(
    name: str, members: dict[str, Any], told: str, server: Server
) -> None:
    with pytest.raises(ConnectorError, match=told) as refused:
        validated(name, {**config_of(name, server), **members}, server)

    assert "\n" not in str(refused.value)
