"""What Airbyte's acceptance tests are told of a connector, and the files that they take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from python.builder.export.facts import Facts
from python.builder.export.order import Form, Order
from python.importing.scaffold.examples import example
from python.protocol import document
from python.runner.spec_edit import block_text

__all__ = ["EXPECTED", "Records", "config_file", "files"]

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""What was read of each stream."""

_CONFIG = "secrets/config.json"
_FOLDER = "integration_tests"
EXPECTED = f"{_FOLDER}/expected_records.jsonl"
"""What a recorded read found, as the tests compare it."""

_HEADER = (
    "# What Airbyte's connector acceptance tests hold against this connector. `secrets/config.json` has a config.\n"
)
_EMPTY = "The recorded read found nothing in it."
_PARTLY = "The recorded read has not all of it."
_UNREAD = "No read was recorded when the connector was exported."
_FULL = "No stream knows what is new: each read begins anew."
_STATE = "Cursors beyond all data are not known of this source."


def config_file(order: Order) -> str:
    """Return acceptance-test-config.yml's place of the specification: the manifest, which has it."""
    return f"{order.name.replace('-', '_')}/manifest.yaml" if order.form is Form.PYTHON else "manifest.yaml"


def files(order: Order, facts: Facts, records: Records | None) -> dict[str, str]:
    """Return acceptance-test-config.yml and what it names, by path; `records` are of a recorded read, if there was one.

    What is empty or has no increments is said with a reason, and nothing else is left out.
    """
    catalog = f"{_FOLDER}/configured_catalog.json"
    given = {"config_path": _CONFIG}
    tests: dict[str, Any] = {
        "spec": {"tests": [{"spec_path": config_file(order)}]},
        "connection": {"tests": [{**given, "status": "succeed"}, {**_invalid(), "status": "failed"}]},
        "discovery": {"tests": [given]},
        "basic_read": {"tests": [{**given, **_read(facts, records)}]},
        "full_refresh": {"tests": [{**given, "configured_catalog_path": catalog}]},
        "incremental": {"bypass_reason": _FULL},
    }
    if facts.incremental:
        state = {"bypass_reason": _STATE}
        tests["incremental"] = {"tests": [{**given, "configured_catalog_path": catalog, "future_state": state}]}
    config = {"connector_image": f"airbyte/{order.name}:dev", "acceptance_tests": tests}
    found = {
        "acceptance-test-config.yml": _HEADER + block_text(config),
        catalog: _json(_catalog(facts)),
        _invalid()["config_path"]: _json(example(facts.specification).value),
    }
    if records is not None:
        lines = [
            document.encode({"stream": name, "data": each, "emitted_at": 0}).decode()
            for name in records
            for each in records[name]
        ]
        found[EXPECTED] = "".join(f"{line}\n" for line in lines)
    return found


def _invalid() -> dict[str, str]:
    return {"config_path": f"{_FOLDER}/invalid_config.json"}


def _read(facts: Facts, records: Records | None) -> dict[str, Any]:
    if records is None:
        return {"expect_records": {"bypass_reason": _UNREAD}}
    empty = [
        {"name": stream.name, "bypass_reason": _EMPTY if stream.name in records else _PARTLY}
        for stream in facts.streams
        if not stream.is_template and not records.get(stream.name)
    ]
    told = {"expect_records": {"path": EXPECTED}}
    return {**told, "empty_streams": empty} if empty else told


def _catalog(facts: Facts) -> dict[str, Any]:
    """Return the configured catalog of all streams whose names are known."""
    streams = []
    for stream in facts.streams:
        if stream.is_template:
            continue
        mode = "incremental" if stream.cursor else "full_refresh"
        modes = ["full_refresh", "incremental"] if stream.cursor else ["full_refresh"]
        told = {"name": stream.name, "json_schema": {}, "supported_sync_modes": modes}
        streams.append({"stream": told, "sync_mode": mode, "destination_sync_mode": "append"})
    return {"streams": streams}


def _json(value: Any) -> str:  # noqa: ANN401 -- JSON
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
