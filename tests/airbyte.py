"""Airbyte connectors of this repository, run as Flow runs them, beside the upstream's own command on its own stdout."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.conversing import ROOT
from tests.singer import Answer, Json, exact, text
from tests.singer import Connector as Asked

SECONDS_MAX = 120


class Connector(NamedTuple):
    """A connector folder, the upstream's command that does the same, and the config for both."""

    name: str
    command: str
    config: Json
    prints_nulls: bool = False
    """Whether the command of its CDK prints the members of a record that are null: from CDK 5 on, none does."""
    cut: int = 0
    """After how many documents of a full refresh a checkpoint comes, if that is not the shim's number."""

    @property
    def environment(self) -> Path:
        return ROOT / self.name / ".venv"

    def ask(self, request: Json) -> Answer:
        asked = Asked(self.name, self.command, self.config)
        return (asked.cutting(self.cut) if self.cut else asked).ask(request)

    def discover(self) -> Answer:
        return self.ask({"discover": {"config": self.config}})

    def bindings(self, discovered: Json) -> list[Json]:
        """The bindings of a task that captures all that was discovered."""
        return [
            {
                "resourceConfig": found["resourceConfig"],
                "resourcePath": found["resourcePath"],
                "stateKey": found["recommendedName"],
                "collection": {
                    "name": f"acmeCo/{found['recommendedName']}",
                    "key": found["key"],
                    "writeSchema": found["documentSchema"],
                },
            }
            for found in discovered["discovered"]["bindings"]
        ]

    def open(self, bindings: list[Json], state: Any = None) -> Answer:
        capture = {"name": f"acmeCo/{self.name}", "config": self.config, "bindings": bindings}
        return self.ask({"open": {"capture": capture, "range": {"keyEnd": 0xFFFF_FFFF}, "state": state or {}}})

    def document(self, doc: Json) -> Json:
        """A document as the upstream prints its record."""
        return {
            name: value for name, value in doc.items() if name != "_meta" and (self.prints_nulls or value is not None)
        }

    def records(self, bindings: list[Json]) -> list[tuple[str, Json]]:
        """Each record on the upstream's own stdout, with its stream, for the same streams and properties."""
        streams = []
        for binding in bindings:
            properties = dict(binding["collection"]["writeSchema"]["properties"])
            del properties["_meta"]
            schema = {"type": "object", "properties": properties}
            name = binding["resourceConfig"]["stream"]
            stream = {"name": name, "json_schema": schema, "supported_sync_modes": ["full_refresh"]}
            streams.append({"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"})
        read = self._upstream("read", catalog={"streams": streams})
        found = [message["record"] for message in read if message["type"] == "RECORD"]
        return [(record["stream"], record["data"]) for record in found]

    def _upstream(self, verb: str, **files: Json) -> list[Json]:
        """The messages of the upstream's own command, given `files` by the options of their names."""
        with tempfile.TemporaryDirectory() as folder:
            given = [verb]
            for option, value in {"config": self.config, **files}.items():
                path = Path(folder, option)
                path.write_text(text(value), encoding="utf-8")
                given += [f"--{option}", str(path)]
            command = [str(self.environment / "bin" / self.command), *given]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=SECONDS_MAX)
            return [exact(line) for line in done.stdout.splitlines() if line.startswith("{")]


def reduced(bindings: list[Json], captured: list[tuple[int, Json]]) -> dict[str, dict[Any, Json]]:
    """What the collections of keyless streams hold after `captured`: the last document of each row id."""
    found: dict[str, dict[Any, Json]] = {binding["collection"]["name"]: {} for binding in bindings}
    for index, doc in captured:
        rows = found[bindings[index]["collection"]["name"]]
        number = doc["_meta"]["row_id"]
        if doc["_meta"]["op"] == "d":
            rows.pop(number, None)
        else:
            rows[number] = doc
    return found


HARDCODED = Connector("source-hardcoded-records", "source-hardcoded-records", {"count": 4})
CSV = Connector(
    "source-file",
    "source-file",
    {
        "dataset_name": "harbours",
        "format": "csv",
        "url": "source-file/data/harbours.csv",
        "provider": {"storage": "local"},
    },
    prints_nulls=True,
)
JSON_LINES = CSV._replace(
    config={**CSV.config, "dataset_name": "readings", "format": "jsonl", "url": "source-file/data/readings.jsonl"}
)
