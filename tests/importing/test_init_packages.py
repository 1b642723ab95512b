from __future__ import annotations

from pathlib import Path

import pytest

from python.importing.scaffold.packages import Package, package, pinned
from python.protocol.errors import HeadwaterError


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("tap-x", Package(name="tap-x", requirement="tap-x")),
        ("Tap_X[s3]==1.2", Package(name="tap-x", requirement="Tap_X[s3]==1.2")),
        ("airbyte-source-faker>=6,<7", Package(name="airbyte-source-faker", requirement="airbyte-source-faker<7,>=6")),
    ],
)
def test_a_package_of_the_index_may_have_a_version_and_extras(text: str, known: Package, tmp_path: Path) -> None:
    assert package(text, tmp_path) == known


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tap x!", "is no package"),
        ("", "is no package"),
        ("tap-x @ https://example.com/tap.zip", "is no package|is an address"),
        ("tap-x; python_version > '3'", "has a condition"),
        ("./nothing", "nothing is no package: it has no pyproject.toml"),
    ],
)
def test_what_names_no_package_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(HeadwaterError, match=problem):
        package(text, tmp_path)


@pytest.mark.parametrize("section", ["project", "tool.poetry"])
def test_a_folder_s_package_is_named_by_its_project(section: str, tmp_path: Path) -> None:
    folder = tmp_path / "vendor" / "x"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[{section}]\nname = "Tap_X"\n')

    assert package(str(folder), tmp_path) == Package(name="tap-x", requirement="tap-x", folder="vendor/x")


def test_a_folder_outside_of_the_repository_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "tap-x"\n')

    with pytest.raises(HeadwaterError, match="is outside of this repository"):
        package(str(folder), tmp_path / "repository")


@pytest.mark.parametrize("text", ["[project", "[project]\nversion = '1'\n"])
def test_a_folder_whose_project_has_no_name_is_refused(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(text)

    with pytest.raises(HeadwaterError, match=r"cannot be read|does not say the package's name"):
        package(str(folder), tmp_path)


def test_a_local_package_is_not_pinned() -> None:
    local = Package(name="tap-x", requirement="tap-x", folder="vendor/x")

    assert pinned(local, "1.2") == "tap-x"
    assert pinned(Package(name="tap-x", requirement="tap-x[b,a]"), "1.2") == "tap-x[a,b]==1.2"
