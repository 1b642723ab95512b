from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from python.builder.worker import request

STATE = {
    "type": "STREAM",
    "stream": {"stream_descriptor": {"name": "a", "namespace": None}, "stream_state": {"at": "2024", "gone": None}},
    "global_": None,
    "data": None,
    "sourceStats": {"recordCount": 3.0},
}


def job(**fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "command": "test_read",
        "manifest": {"type": "DeclarativeSource"},
        "config": {"api_key": "k"},
        "stream": "a 'quoted\" name",
        "state": [],
        "components_py": None,
        "migrate": False,
        "normalize": True,
        "cdk_major": 7,
        "limits": {"records": 5000, "pages": 2, "slices": 3, "streams": 4},
    }
    return {**told, **fields}


def test_files_are_written_for_the_owner_alone_and_forgotten(tmp_path: Path) -> None:
    arguments = request.arguments(job(), str(tmp_path))

    assert arguments[::2] == ["read", str(tmp_path / "config.json"), *map(str, arguments[4::2])]
    files = sorted(tmp_path.iterdir())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    assert json.loads((tmp_path / "catalog.json").read_text())["streams"][0]["stream"]["name"] == "a 'quoted\" name"

    request.forget(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_resolving_has_neither_catalog_nor_state(tmp_path: Path) -> None:
    request.arguments(job(command="resolve_manifest"), str(tmp_path))

    assert [(tmp_path / f"{name}.json").read_text() for name in ("catalog", "state")] == ["", ""]


def test_the_config_carries_the_command_and_the_limits() -> None:
    config = request.config_of(job())

    assert config["api_key"] == "k"
    assert config["__command"] == "test_read"
    assert config["__should_normalize"] is True
    assert config["__test_read_config"] == {
        "max_records": 5000,
        "max_pages_per_slice": 2,
        "max_slices": 3,
        "max_streams": 4,
    }


def test_older_cdks_are_told_no_more_records_than_they_accept() -> None:
    assert request.config_of(job(cdk_major=4))["__test_read_config"]["max_records"] == 1000


def test_keys_that_the_builder_reserves_do_not_come_from_a_config() -> None:
    config = request.config_of(job(config={"__injected_components_py": "import os", "a": 1}))

    assert "__injected_components_py" not in config
    assert config["a"] == 1


def test_an_empty_spec_is_given_to_a_manifest_without_one_that_is_run_and_to_no_other() -> None:
    assert request.config_of(job())["__injected_declarative_manifest"]["spec"]["type"] == "Spec"
    assert "spec" not in request.config_of(job(command="resolve_manifest"))["__injected_declarative_manifest"]
    given = job(manifest={"spec": {"type": "Spec", "a": 1}})
    assert request.config_of(given)["__injected_declarative_manifest"]["spec"]["a"] == 1


def test_code_comes_with_its_checksum() -> None:
    config = request.config_of(job(components_py="x = 1"))

    assert config["__injected_components_py_checksums"] == {"sha256": hashlib.sha256(b"x = 1").hexdigest()}


def test_state_is_taken_as_a_result_shows_it() -> None:
    assert (
        request.messages_of([STATE, {"type": "STATE", "state": STATE}])
        == [
            {
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": "a"}, "stream_state": {"at": "2024", "gone": None}},
                "sourceStats": {"recordCount": 3.0},
            }
        ]
        * 2
    )


def test_global_state_has_airbytes_name_again() -> None:
    shared = {"shared_state": {"a": None}, "stream_states": [{"stream_descriptor": {"name": "a"}}]}

    assert request.messages_of([{"type": "GLOBAL", "stream": None, "global_": shared}]) == [
        {"type": "GLOBAL", "global": shared}
    ]
