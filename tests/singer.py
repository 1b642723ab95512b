"""Singer connectors of this repository, run as Flow runs them, beside the upstream's own command on its own stdout."""

from __future__ import annotations

import decimal
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from python.protocol import document, pointer
from python.protocol.patch import merge
from tests.conversing import ROOT, start

Json = dict[str, Any]
SECONDS_MAX = 120
CUTTING = """
import runpy
import python.shim_airbyte_cdk.reading, python.shim_singer_sdk.reading, python.shim_singer_sdk.shim
python.shim_airbyte_cdk.reading.DOCUMENTS_MAX = python.shim_singer_sdk.reading.DOCUMENTS_MAX = {documents}
python.shim_singer_sdk.shim.CaptureShim.state_seconds_min = 0
runpy.run_module({name!r}, run_name="__main__")
"""


class Answer(NamedTuple):
    status: int
    responses: list[Json]
    stderr: str

    def captured(self, until: int | None = None) -> list[tuple[int, Json]]:
        """Each document with its binding, of the first `until` responses."""
        found = [response["captured"] for response in self.responses[:until] if "captured" in response]
        return [(each.get("binding", 0), each["doc"]) for each in found]

    def checkpoints(self) -> list[tuple[int, Any]]:
        """How many responses there are up to each checkpoint, with the task's state after it."""
        state: Any = {}
        found = []
        for number, response in enumerate(self.responses, start=1):
            if "checkpoint" in response:
                update = response["checkpoint"].get("state")
                if update:
                    state = merge(state if update.get("mergePatch") else {}, update["updated"])
                found.append((number, state))
        return found


class Resumable(Protocol):
    """A connector that can be opened with a state."""

    def open(self, bindings: list[Json], state: Any = None) -> Answer: ...


class Connector(NamedTuple):
    """A connector folder, the upstream's command that does the same, and the config for both.

    `program` is Python code to run instead of the folder's `__main__.py`, in its environment.
    """

    name: str
    command: str
    config: Json
    program: str = ""

    def cutting(self, documents: int) -> Connector:
        """The same, with a checkpoint of its full tables after so few `documents`, and of each STATE."""
        return self._replace(program=CUTTING.format(name=self.name, documents=documents))

    @property
    def binaries(self) -> Path:
        return ROOT / self.name / ".venv" / "bin"

    def ask(self, request: Json) -> Answer:
        require_environment(self.name)
        run = ["-c", self.program] if self.program else ["-m", self.name]
        process = start([str(self.binaries / "python"), *run])
        stdout, stderr = process.communicate(json.dumps({"spec": {}}) + "\n" + text(request) + "\n", SECONDS_MAX)
        return Answer(process.returncode, [exact(line) for line in stdout.splitlines()], stderr)

    def discover(self) -> Answer:
        return self.ask({"discover": {"config": self.config}})

    def bindings(self, discovered: Json, choose: Callable[[Json], Json] = lambda resource: resource) -> list[Json]:
        """The bindings of a task that captures all that was discovered, with resource configs as `choose` has them."""
        return [
            {
                "resourceConfig": choose(found["resourceConfig"]),
                "resourcePath": [found["resourceConfig"]["tap_stream_id"]],
                "stateKey": found["resourceConfig"]["tap_stream_id"],
                "collection": {
                    "name": f"acmeCo/{found['recommendedName']}",
                    "key": found["key"],
                    "writeSchema": found["documentSchema"],
                },
            }
            for found in discovered["discovered"]["bindings"]
        ]

    def open(self, bindings: list[Json], state: Any = None) -> Answer:
        return self.ask(opening(self, bindings, state))

    def upstream(self, *arguments: str, **files: Any) -> str:
        """The stdout of the upstream's own command, given `files` by the options of their names."""
        with tempfile.TemporaryDirectory() as folder:
            given = list(arguments)
            for option, value in {"config": self.config, **files}.items():
                path = Path(folder, option)
                path.write_text(text(value), encoding="utf-8")
                given += [f"--{option}", str(path)]
            return subprocess.run(
                [str(self.binaries / self.command), *given], capture_output=True, check=True, text=True
            ).stdout

    def records(self, choose: Callable[[Json], None]) -> list[tuple[str, Json]]:
        """Each record on the upstream's own stdout, with its stream; `choose` edits each entry of its catalog."""
        catalog = json.loads(self.upstream("--discover"))
        for entry in catalog["streams"]:
            select(entry)
            choose(entry)
        messages = [exact(line) for line in self.upstream(catalog=catalog).splitlines()]
        return [(each["stream"], each["record"]) for each in messages if each["type"] == "RECORD"]


def opening(connector: Connector, bindings: list[Json], state: Any = None) -> Json:
    capture = {"name": f"acmeCo/{connector.name}", "config": connector.config, "bindings": bindings}
    return {"open": {"capture": capture, "range": {"keyEnd": 0xFFFF_FFFF}, "state": state or {}}}


def select(entry: Json) -> None:
    entry["selected"] = True
    for each in entry["metadata"]:
        if not each["breadcrumb"]:
            each["metadata"]["selected"] = True


def exact(line: str) -> Any:
    """The JSON value in `line`, numbers with all their digits."""
    return json.loads(line, parse_float=decimal.Decimal)


def text(value: object) -> str:
    """`value` as JSON, numbers with all their digits."""
    return document.encode(value).decode()


def canonical(value: Mapping[str, Any]) -> str:
    """The text of a document less `_meta`: two are the same where member for member and digit for digit they are."""
    return text(_sorted({name: value[name] for name in value if name != "_meta"}))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def reduced(bindings: Sequence[Json], captured: Sequence[tuple[int, Json]]) -> dict[tuple[str, ...], str]:
    """What the collections hold after `captured`: the last document of each key, without those that were deleted."""
    held: dict[tuple[str, ...], str] = {}
    for index, doc in captured:
        pointers = bindings[index]["collection"]["key"]
        key = (str(index), *(text(pointer.resolve(doc, pointer.parse(each))) for each in pointers))
        if doc["_meta"].get("op") == "d":
            held.pop(key, None)
        else:
            held[key] = canonical(doc)
    return held


def require_environment(name: str) -> None:
    """`make slow` makes the environment of each connector: one that is missing is a fault, and nothing to pass over."""
    assert (ROOT / name / ".venv").exists(), f"{name} has no environment: run python/activate.sh {name}"


def check_resuming(
    connector: Resumable, bindings: list[Json], first: Answer, held: Callable[..., object] = reduced
) -> None:
    """From each checkpoint of `first`, a capture of all of `bindings`, the rest ends in the same collections.

    `held` says what these hold after some documents.
    """
    expected = held(bindings, first.captured())
    checkpoints = first.checkpoints()

    assert len(checkpoints) > 1
    assert checkpoints[-1][0] == len(first.responses)
    for until, state in checkpoints:
        again = connector.open(bindings, state)
        assert again.status == 0, again.stderr
        assert held(bindings, first.captured(until) + again.captured()) == expected, until
