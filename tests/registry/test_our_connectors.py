"""The metadata of this repository's own connectors (decision 0142)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml

from python.registry.service.packaging import Sources, package
from python.registry.service.uploading import Rules, checked

ROOT = Path(__file__).parents[2]
FOLDERS = [path.parent for kind in ("source", "materialize") for path in sorted(ROOT.glob(f"{kind}-*/pyproject.toml"))]

each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def data(folder: Path) -> Any:
    return yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))["data"]


@each
def test_nothing_is_wrong_with_it(folder: Path) -> None:
    assert checked(Sources(metadata=folder), Rules())[1] == ()


@each
def test_its_version_is_that_of_the_package(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    kept = (folder / "VERSION").read_text(encoding="utf-8").strip().removeprefix("v")

    assert data(folder)["dockerImageTag"] == project["version"]
    assert project["version"].split(".")[0] == kept


@each
def test_its_spec_goes_with_it(folder: Path) -> None:
    names = {"spec.json", "catalog.json"} if folder.name.startswith("source") else {"spec.json"}

    assert names <= package(Sources(metadata=folder)).files.keys()


def test_each_has_an_id_and_an_image_of_its_own() -> None:
    assert len({data(folder)["definitionId"] for folder in FOLDERS}) == len(FOLDERS)
    assert [data(folder)["dockerRepository"] for folder in FOLDERS] == [f"headwater/{each.name}" for each in FOLDERS]


def test_derivations_have_none() -> None:
    assert list(ROOT.glob("derive-*/metadata.yaml")) == []
