"""An expression is no program, and a schema file is no other file, in real reads of the newest CDK and the oldest."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.builder.jobs import Command, Job, Outcome
from tests.builder.hostile.cases import CANARY, harmless, put
from tests.shim_airbyte_cdk.versions.environments import python_of

pytest.importorskip("airbyte_cdk")

from python.builder.engine import Interpreter
from python.builder.worker import sandboxing
from tests.builder.engine.working import Bench, bench
from tests.builder.hostile.attacker import attacker

LOADER = "airbyte_cdk.sources.declarative.schema.json_file_schema_loader"


@pytest.mark.parametrize(
    ("package", "resource"),
    [
        ("json", "../../../etc/passwd"),
        ("json", "/etc/passwd"),
        ("json", "a\\..\\..\\x.json"),
        ("..", "x.json"),
        ("", "etc/passwd"),
    ],
)
def test_a_schema_file_outside_of_its_package_is_refused(package: str, resource: str) -> None:
    with sandboxing.enforce(), pytest.raises(PermissionError, match="outside of its package"):
        importlib.import_module(LOADER).pkgutil.get_data(package, resource)


def test_a_schema_file_of_a_package_is_read() -> None:
    with sandboxing.enforce():
        assert importlib.import_module(LOADER).pkgutil.get_data("json", "__init__.py")


def test_leaving_takes_everything_back() -> None:
    with sandboxing.enforce():
        pass

    assert importlib.import_module(LOADER).pkgutil is pkgutil


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("", marks=pytest.mark.slow, id="this one"),
        pytest.param("0.52.10", marks=pytest.mark.versions),
        pytest.param("0.90.0", marks=pytest.mark.versions),
        pytest.param("6.61.6", marks=pytest.mark.versions),
    ],
)
def engine(request: pytest.FixtureRequest) -> Iterator[Bench]:
    python = str(python_of(request.param)) if request.param else ""
    with bench(Interpreter(python=python)) as made:
        yield made


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with attacker() as address:
        yield address


def outcome_of(engine: Bench, url: str, command: Command, changes: dict[str, Any]) -> Outcome:
    manifest = {**harmless(url), "version": "0.29.0"}
    for pointer, value in changes.items():
        put(manifest, pointer, value)
    return engine.outcome(Job(command=command, manifest=manifest, config={"api_key": CANARY}, stream="items"))


@pytest.mark.parametrize("start", ["cycler.__init__.__globals__.os", "''.__class__.__mro__[1].__subclasses__()[0]"])
def test_no_expression_reaches_python(engine: Bench, url: str, tmp_path: Path, start: str) -> None:
    expression = f"{start}.popen('touch {tmp_path}/it-ran').read()"
    outcome_of(engine, url, Command.TEST_READ, {"$r/requester/path": "/{{ " + expression + " }}"})

    assert list(tmp_path.iterdir()) == []


def test_no_schema_is_read_from_the_machine(engine: Bench, url: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"type": "object", "marked": "file-of-the-machine"}')
    for up in ("json/" + "../" * 20, "/", "../" * 20, "./" + "../" * 20):
        loader = {"type": "JsonFileSchemaLoader", "file_path": f"{up}{str(tmp_path)[1:]}/x.json"}

        outcome = outcome_of(engine, url, Command.DISCOVER, {"$s/schema_loader": loader})

        assert "file-of-the-machine" not in json.dumps(msgspec.to_builtins(outcome))
