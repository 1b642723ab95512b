"""From an upstream repository to a released connector, and to its next release, by the commands that README names.

Upstream is a repository that the test makes. Nothing is done by hand: each step is a command, or a file written.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from python.importing.scaffold import matrix
from tests.images.building import Builder, builder, driver
from tests.importing.repositories import MIT, Git, isolated

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
HEADWATER = Path(sys.executable).with_name("headwater")
SECONDS_MAX = 600

SPEC = {
    "documentationUrl": "https://example.com/weather",
    "connectionSpecification": {
        "type": "object",
        "required": ["days"],
        "properties": {
            "days": {"type": "integer", "title": "Days", "description": "How many days to make up.", "examples": [3]}
        },
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
PROJECT = """
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"

[tool.poetry]
name = "source-weather"
version = "0.1.0"
description = "The weather"
authors = ["Upstream"]
include = ["source_weather/spec.json"]

[tool.poetry.dependencies]
python = "^3.11"
airbyte-cdk = "^7"
"""
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
# What `init`, `release` and images need of our repository.
COPIED = (
    "pull_upstream.sh",
    "build-local.sh",
    "pyproject.toml",
    "CHANGELOG.md",
    "LICENSE",
    ".github/workflows/python.yaml",
    ".gitignore",
    ".dockerignore",
)
WEATHER = ("source-weather", "--no-ask")
PULL = ("upstream", "main", "connectors/source-weather", "source-weather", "MIT", "LICENSE")


class Ours(Git):
    """Our repository, and what a person types in it."""

    def runs(self, *command: str, status: int = 0) -> str:
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
        )
        assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def pulled(self) -> str:
        return self.runs("./pull_upstream.sh", *PULL)

    def headwater(self, *arguments: str, status: int = 0) -> str:
        return self.runs(str(HEADWATER), *arguments, status=status)

    def read(self, name: str) -> str:
        return (self.folder / "source-weather" / name).read_text()

    def kept(self, message: str) -> None:
        """All but what git ignores is committed."""
        self("add", "--all")
        self("commit", "--quiet", "-m", message)


@contextlib.contextmanager
def imported(folder: Path) -> Iterator[tuple[Git, Ours]]:
    """Within, upstream and our repository are in `folder`, and ours has imported upstream's source."""
    with pytest.MonkeyPatch.context() as patch:
        isolated(patch)
        patch.setenv("PATH", str(HEADWATER.parent), prepend=":")
        theirs, ours = Git(folder / "upstream"), Ours(folder / "ours")
        for repository in (theirs, ours):
            repository.folder.mkdir()
            repository("init", "--quiet", "--initial-branch=main")
        theirs.commit(UPSTREAM, "weather")
        for name in ("python", "tests"):
            shutil.copytree(ROOT / name, ours.folder / name, ignore=shutil.ignore_patterns("__pycache__", "end_to_end"))
        for name in COPIED:
            (ours.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, ours.folder / name)
        (ours.folder / "README.md").write_text("# Our connectors\n")
        (ours.folder / ".venv").symlink_to(ROOT / ".venv")
        with (ours.folder / ".gitignore").open("a") as ignored:
            ignored.write(".venv\n")
        ours.kept("begin")
        ours("remote", "add", "--no-tags", "upstream", str(theirs.folder))
        ours.pulled()
        yield theirs, ours


@pytest.fixture(scope="module")
def wrapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Git, Ours]]:
    """Upstream, and our repository with its source imported and wrapped."""
    with imported(tmp_path_factory.mktemp("story")) as (theirs, ours):
        told = ours.headwater("init", "source-weather", "--airbyte", "./source-weather")
        assert "Upstream's README.md, pyproject.toml became ours" in told
        yield theirs, ours


def test_an_imported_folder_is_released_imported_again_and_released_again(tmp_path: Path) -> None:
    """The story without what takes long: nothing is installed or asked, and the snapshots are written here."""
    with imported(tmp_path) as (theirs, ours):
        (ours.folder / "source-weather" / "tests" / "snapshots").mkdir(parents=True)
        (ours.folder / "source-weather" / "README.md").write_text("# Weather\n\nGive it `days`.\n")
        snapshots(ours, "number")
        assert "is v1 and was never released before" in ours.headwater("release", *WEATHER)
        assert published(ours) == "v1"
        ours.kept("release source-weather")
        assert "is v1 since" in ours.headwater("release", *WEATHER, "--check")

        theirs.commit(changed(), "windy, and degrees are text")
        assert standing(ours, "--fetch") == {"source-weather": 1}
        ours.pulled()
        assert "wind" in ours.read("source_weather/source.py")
        assert standing(ours) == {"source-weather": 0}
        snapshots(ours, "string")
        assert "raise it to v2" in ours.headwater("release", *WEATHER, "--check", status=1)
        assert "is v2 since" in ours.headwater("release", *WEATHER)
        assert published(ours) == "v2"
        ours.kept("release v2")
        assert "is v2 since" in ours.headwater("release", *WEATHER, "--check")
        assert "its CHANGELOG stays" in ours.headwater("release", *WEATHER)
        assert not ours("status", "--porcelain")


@pytest.mark.long
def test_a_source_is_imported_released_imported_again_over_local_edits_and_released_again(
    wrapped: tuple[Git, Ours],
) -> None:
    theirs, ours = wrapped

    first = theirs("rev-parse", "HEAD")
    assert f"Source Commit ID: {first}" in ours("log", "-1", "--format=%B")
    assert f"git-merge-subpath: {first} connectors/source-weather source-weather" in ours("log", "-1", "--format=%B")
    assert ours("status", "--porcelain", "--untracked-files=no").split() == [
        *("M", ".github/workflows/python.yaml"),
        *("M", "source-weather/README.md"),
        *("M", "source-weather/pyproject.toml"),
    ]
    assert ours.read("source_weather/source.py") == SOURCE
    assert 'dependencies = ["airbyte-cdk<8,>=7", "headwater"]' in ours.read("pyproject.toml")
    assert "from source_weather import SourceWeather" in ours.read("__main__.py")
    assert len(list((ours.folder / "source-weather" / "tests" / "snapshots").iterdir())) == 4

    edited = SOURCE.replace("return True, None", "return True, None  # nobody to ask")
    (ours.folder / "source-weather" / "source_weather" / "source.py").write_text(edited)
    ours("rm", "--quiet", "-r", "source-weather/integration_tests")
    assert "is v1 and was never released before" in ours.headwater("release", "source-weather")
    ours.kept("wrap and release source-weather")
    assert ours.headwater("release", "source-weather", "--check", status=0)
    assert "| `days` | integer | How many days to make up; required |" in ours.read("README.md")

    theirs.commit(changed(), "windy, and degrees are text")
    assert standing(ours, "--fetch") == {"source-weather": 1}
    ours.pulled()
    assert "wind" in ours.read("source_weather/source.py")
    assert "# nobody to ask" in ours.read("source_weather/source.py"), "the local edit is kept"
    assert standing(ours) == {"source-weather": 0}

    assert "says something else now" in ours.headwater("release", "source-weather", status=1)
    assert ours.read("VERSION") == "v1\n"
    ours.headwater("raw", "discover", "--source", "source-weather/test.flow.yaml")
    ours.headwater("snapshot", "source-weather", "--update")
    compared = ours.headwater("compare", "HEAD:source-weather", "source-weather", "--markdown", status=1)
    assert "| **major** | documents of days `/degrees` |" in compared, compared
    assert "raise it to v2" in compared
    released = ours.headwater("release", "source-weather")

    assert "source-weather is v2 since" in released
    assert (ours.read("VERSION"), published(ours)) == ("v2\n", "v2")
    assert ours.read("CHANGELOG.md").index("## v2, ") < ours.read("CHANGELOG.md").index("## v1, ")
    ours.kept("release v2")
    assert "is v2 since" in ours.headwater("release", "source-weather", "--check")
    assert not ours("status", "--porcelain")


@pytest.mark.long
def test_its_image_says_what_it_says_and_captures(wrapped: tuple[Git, Ours], monkeypatch: pytest.MonkeyPatch) -> None:
    _, ours = wrapped
    with builder(driver()) as made:
        own = Builder(ours.folder, made.env)
        done = own.build("source-weather")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        for name in ("CONTAINERS_STORAGE_CONF", "BUILDAH_ISOLATION", "DOCKER_CLI"):
            monkeypatch.setenv(name, made.env[name])
        compared = ours.headwater("compare", "source-weather", "ghcr.io/estuary/source-weather:local")

    assert "nothing has changed" in compared


def snapshots(ours: Ours, degrees: str) -> None:
    """The snapshots that the tests of source-weather keep say that its degrees are of the type `degrees`."""
    spec = {
        "protocol": 3032023,
        "configSchema": SPEC["connectionSpecification"],
        "resourceConfigSchema": {"type": "object", "properties": {}},
        "resourcePathPointers": [],
    }
    schema = {
        "type": "object",
        "properties": {"day": {"type": "integer"}, "degrees": {"type": degrees}},
        "required": ["day", "degrees"],
    }
    binding = {
        "recommendedName": "days",
        "resourceConfig": {"stream": "days"},
        "documentSchema": schema,
        "key": ["/day"],
    }
    for name, value in (("spec", spec), ("discover", [binding])):
        path = ours.folder / "source-weather" / "tests" / "snapshots" / f"{name}.json"
        path.write_text(json.dumps(value))


def published(ours: Ours) -> str:
    """The version that CI publishes source-weather as."""
    loaded = yaml.safe_load((ours.folder / matrix.WORKFLOW).read_text())
    entries = loaded["jobs"]["connector"]["strategy"]["matrix"]["include"]
    return next(str(each["version"]) for each in entries if each["connector"] == "source-weather")


def standing(ours: Ours, *options: str) -> dict[str, int]:
    """How many commits of upstream's each imported folder lies behind."""
    lines = ours.headwater("import", "status", "--json", *options).splitlines()
    return {each["folder"]: each["behind"] for each in map(json.loads, lines)}


def changed() -> dict[str, str]:
    """What upstream does next: degrees become text, and there is wind."""
    source = SOURCE.replace(
        '"degrees": {"type": "number"},', '"degrees": {"type": "string"}, "wind": {"type": "number"},'
    )
    source = source.replace('"degrees": day * 1.5}', '"degrees": f"{day * 1.5} C", "wind": 0.5}')
    return {"connectors/source-weather/source_weather/source.py": source}
