"""From an upstream repository to a released connector, and to its next release, by the commands that README names.

Upstream is a repository that the test makes. Nothing is done by hand: each step is a command, or a file written.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.importing.repositories import MIT, Git, isolated

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
HEADWATER = Path(sys.executable).with_name("headwater")

SPEC = {
    "documentationUrl": "https://example.com/weather",
    "connectionSpecification": {
        "type": "object",
        "required": ["days"],
        "properties": {"days": {"type": "integer", "title": "Days", "description": "How many days to make up."}},
    },
}
SOURCE = '''\
"""The weather, which upstream makes up."""

from collections.abc import Iterable, Mapping
from typing import Any

from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams import Stream


class Days(Stream):
    primary_key = "day"

    def __init__(self, days: int) -> None:
        super().__init__()
        self.days = days

    def get_json_schema(self) -> Mapping[str, Any]:
        return {
            "type": "object",
            "properties": {
                "day": {"type": "integer"},
                "degrees": {"type": "number"},
            },
        }

    def read_records(self, *args: Any, **kwargs: Any) -> Iterable[Mapping[str, Any]]:
        for day in range(self.days):
            yield {"day": day, "degrees": day * 1.5}


class SourceWeather(AbstractSource):
    def check_connection(self, logger: Any, config: Mapping[str, Any]) -> tuple[bool, Any]:
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        return [Days(config["days"])]
'''
PROJECT = '[project]\nname = "source-weather"\nversion = "0.1.0"\ndependencies = ["airbyte-cdk"]\n'
UPSTREAM = {
    "LICENSE": MIT,
    "connectors/source-weather/pyproject.toml": PROJECT,
    "connectors/source-weather/README.md": "# Weather\n\nUpstream's own page.\n",
    "connectors/source-weather/source_weather/__init__.py": "from .source import SourceWeather\n",
    "connectors/source-weather/source_weather/source.py": SOURCE,
    "connectors/source-weather/source_weather/spec.json": json.dumps(SPEC),
    "connectors/source-weather/integration_tests/acceptance.py": "# needs credentials\n",
    "docs/elsewhere.md": "not of the connector\n",
}
MAIN = """\
from python import shim_airbyte_cdk
from source_weather import SourceWeather

shim_airbyte_cdk.CaptureShim(delegate=SourceWeather()).main()
"""
FLOW = f"""\
captures:
  acmeCo/source-weather:
    endpoint:
      local:
        command: [{sys.executable}, -m, source-weather]
        env: {{PYTHONPATH: "source-weather:{ROOT}"}}
        config: {{days: 3}}
    bindings:
      - {{resource: {{stream: days, syncMode: full_refresh}}, target: acmeCo/days}}
collections:
  acmeCo/days:
    schema: {{type: object, properties: {{day: {{type: integer}}}}, required: [day]}}
    key: [/day]
"""
PULL = ("upstream", "main", "connectors/source-weather", "source-weather", "MIT", "LICENSE")


class Ours(Git):
    """Our repository, and what a person types in it."""

    def runs(self, *command: str, status: int = 0) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def pulled(self) -> str:
        return self.runs("./pull_upstream.sh", *PULL)

    def headwater(self, *arguments: str, status: int = 0) -> str:
        return self.runs(str(HEADWATER), *arguments, status=status)

    def read(self, name: str) -> str:
        return (self.folder / "source-weather" / name).read_text()


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Git, Ours]:
    isolated(monkeypatch)
    monkeypatch.setenv("PATH", str(HEADWATER.parent), prepend=":")
    theirs, ours = Git(tmp_path / "upstream"), Ours(tmp_path / "ours")
    for repository in (theirs, ours):
        repository.folder.mkdir()
        repository("init", "--quiet", "--initial-branch=main")
    theirs.commit(UPSTREAM, "weather")
    shutil.copy(ROOT / "pull_upstream.sh", ours.folder)
    ours.commit({"README.md": "# Our connectors\n"}, "begin")
    ours("remote", "add", "--no-tags", "upstream", str(theirs.folder))
    return theirs, ours


def test_a_source_is_imported_released_imported_again_over_local_edits_and_released_again(
    both: tuple[Git, Ours],
) -> None:
    theirs, ours = both

    first = theirs("rev-parse", "HEAD")
    ours.pulled()
    assert f"Source Commit ID: {first}" in ours("log", "-1", "--format=%B")
    assert f"git-merge-subpath: {first} connectors/source-weather source-weather" in ours("log", "-1", "--format=%B")
    assert ours.read("source_weather/source.py") == SOURCE
    assert not (ours.folder / "source-weather" / "elsewhere.md").exists()

    wrap(ours)
    taken = ours.headwater("snapshot", "source-weather")
    assert taken.count(" is written") == 4
    assert "is v1 and was never released before" in ours.headwater("release", "source-weather")
    ours.commit({}, "wrap and release source-weather")
    assert ours.headwater("release", "source-weather", "--check", status=0)
    assert "| `days` | integer | How many days to make up; required |" in ours.read("README.md")

    theirs.commit(changed(), "windy, and degrees are text")
    assert standing(ours, "--fetch") == {"source-weather": 1}
    ours.pulled()
    assert "wind" in ours.read("source_weather/source.py")
    assert "# nobody to ask" in ours.read("source_weather/source.py"), "the local edit is kept"
    assert ours.read("__main__.py") == MAIN
    assert standing(ours) == {"source-weather": 0}

    assert "says something else now" in ours.headwater("release", "source-weather", status=1)
    assert ours.read("VERSION") == "v1\n"
    ours.headwater("snapshot", "source-weather", "--update")
    compared = ours.headwater("compare", "HEAD:source-weather", "source-weather", "--markdown", status=1)
    assert "| **major** | documents of days `/degrees` |" in compared, compared
    assert "raise it to v2" in compared
    released = ours.headwater("release", "source-weather")

    assert "source-weather is v2 since" in released
    assert ours.read("VERSION") == "v2\n"
    assert ours.read("CHANGELOG.md").index("## v2, ") < ours.read("CHANGELOG.md").index("## v1, ")
    ours.commit({}, "release v2")
    assert "is v2 since" in ours.headwater("release", "source-weather", "--check")
    assert not ours("status", "--porcelain")


def standing(ours: Ours, *options: str) -> dict[str, int]:
    """How many commits of upstream's each imported folder lies behind."""
    lines = ours.headwater("import", "status", "--json", *options).splitlines()
    return {each["folder"]: each["behind"] for each in map(json.loads, lines)}


def wrap(ours: Ours) -> None:
    """What makes a Flow connector of the imported folder: four lines, a spec, and an edit of upstream's code."""
    edited = SOURCE.replace("return True, None", "return True, None  # nobody to ask")
    ours.commit(
        {
            "source-weather/__main__.py": MAIN,
            "source-weather/VERSION": "v1\n",
            "source-weather/test.flow.yaml": FLOW,
            "source-weather/README.md": "# source-weather\n\nWraps upstream's source.\n",
            "source-weather/source_weather/source.py": edited,
            "source-weather/integration_tests/acceptance.py": None,
        },
        "wrap source-weather",
    )


def changed() -> dict[str, str]:
    """What upstream does next: degrees become text, and there is wind."""
    source = SOURCE.replace(
        '"degrees": {"type": "number"},', '"degrees": {"type": "string"}, "wind": {"type": "number"},'
    )
    source = source.replace('"degrees": day * 1.5}', '"degrees": f"{day * 1.5} C", "wind": 0.5}')
    return {"connectors/source-weather/source_weather/source.py": source}
