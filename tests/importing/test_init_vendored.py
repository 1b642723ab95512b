from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from python.importing.scaffold import drafts, entries, environments
from python.importing.scaffold import vendored as module
from python.importing.scaffold.project import Project, text_of
from python.importing.scaffold.vendored import Vendored, vendored
from python.protocol.errors import HeadwaterError

METADATA = """\
Metadata-Version: 2.1
Name: tap-x
Version: 1.2.3
Requires-Python: >=3.11,<4.0
License: MIT
Provides-Extra: dev
Requires-Dist: singer-sdk (>=0.40)
Requires-Dist: tomli>=2; python_version < "3.11"
Requires-Dist: pytest; extra == "dev"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose build is stood in for by a wheel with what a test puts into `wheel`."""
    folder = tmp_path / "source-x"
    folder.mkdir()

    def built(_project: Path, into: Path) -> Path:
        path = into / "x.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("tap_x-1.2.3.dist-info/METADATA", METADATA)
            archive.writestr("tap_x-1.2.3.dist-info/entry_points.txt", "[console_scripts]\ntap-x = tap_x.tap:cli\n")
            for name in (tmp_path / "wheel").read_text().split():
                archive.writestr(name, "")
        return path

    monkeypatch.setattr(module, "wheel", built)
    return folder


def made(folder: Path, *names: str, stand: tuple[str, ...] = ()) -> Vendored:
    (folder.parent / "wheel").write_text("\n".join(names))
    for name in stand:
        (folder / name).mkdir(parents=True)
    return vendored(folder)


def test_a_package_is_what_its_wheel_says(folder: Path) -> None:
    found = made(folder, "tap_x/__init__.py", "tests/test_x.py", "helper.py", stand=("src/tap_x", "tests"))

    assert found == Vendored(
        version="1.2.3",
        python=">=3.11,<4.0",
        requirements=["singer-sdk>=0.40", 'tomli>=2; python_version < "3.11"'],
        commands={"tap-x": "tap_x.tap:cli"},
        code=["src/tap_x"],
        licence="MIT",
        extras=["dev"],
    )
    assert found.tops == ["tap_x"]


def test_what_the_connector_s_project_does_not_say_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "wheel").write_text("tap_x/__init__.py")
    (folder / "tap_x").mkdir()
    for owner, name in ((environments, "install"), (entries, "found_in"), (entries, "chosen"), (entries, "main_of")):
        monkeypatch.setattr(owner, name, lambda *_: "")

    draft = drafts.of_own(folder, "singer", None, [])

    assert draft.lost == (
        "Upstream's project names the license MIT and the extras dev, which pyproject.toml does not have now"
    )


def test_a_package_without_code_in_its_folder_is_refused(folder: Path) -> None:
    with pytest.raises(HeadwaterError, match="source-x builds a package without code"):
        made(folder, "tap_x/__init__.py")


def test_the_connector_s_project_builds_that_code_and_has_its_commands() -> None:
    project = Project(
        name="source-x",
        description="x",
        requirements=['tomli>=2; python_version < "3.11"'],
        builds=True,
        version="1.2.3",
        code=["src/tap_x"],
        commands={"tap-x": "tap_x.tap:cli"},
    )

    text = text_of(project)

    assert 'version = "1.2.3"\n' in text
    assert '[project.scripts]\n"tap-x" = "tap_x.tap:cli"\n' in text
    assert '[tool.hatch.build.targets.wheel]\npackages = ["src/tap_x"]\n' in text
    assert 'dependencies = ["tomli>=2; python_version < \\"3.11\\""]' in text
