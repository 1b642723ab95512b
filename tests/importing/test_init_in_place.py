"""What `init` adds to a folder that was imported, and takes back where it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from python.importing.scaffold import in_place
from python.importing.scaffold.workspace import workspace
from python.protocol.errors import HeadwaterError
from tests.importing.repositories import Git, isolated

IMPORTED = {
    "source-x/pyproject.toml": "upstream's",
    "source-x/README.md": "upstream's",
    "source-x/source_x/__init__.py": "x=1",
    "source-x/tests/test_old.py": "upstream's",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    isolated(monkeypatch)
    git = Git(tmp_path)
    git("init", "--quiet")
    git.commit({**IMPORTED, ".gitignore": ".cache/\n.venv/\n"})
    return git


def adds(folder: Path) -> None:
    """What making a connector of it does to the copy."""
    for name in (
        "pyproject.toml",
        "README.md",
        "__main__.py",
        "uv.lock",
        "tests/test_source_x.py",
        "tests/snapshots/a",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("ours")
    (folder / "source_x" / "__init__.py").write_text("x = 1\n")  # as formatting the whole folder does
    for name in (".venv", "source_x/__pycache__", "source_x.egg-info"):
        (folder / name).mkdir()
        (folder / name / "file").touch()


def test_what_is_new_is_added_and_a_few_files_become_ours(home: Git) -> None:
    folder = home.folder / "source-x"
    assert in_place.replaced(folder) == ["README.md", "pyproject.toml"]

    with workspace(home.folder, "source-x", found=True) as space:
        adds(space.folder)
        with space.published() as placed:
            assert placed == folder

    assert home("status", "--porcelain", "--untracked-files=all").splitlines() == [
        " M source-x/README.md",
        " M source-x/pyproject.toml",
        "?? source-x/__main__.py",
        "?? source-x/tests/snapshots/a",
        "?? source-x/tests/test_source_x.py",
        "?? source-x/uv.lock",
    ]


@pytest.mark.parametrize("error", [HeadwaterError("no environment"), KeyboardInterrupt()])
def test_what_fails_in_its_place_is_taken_back(home: Git, error: BaseException) -> None:
    def fails(folder: Path) -> None:
        (folder / ".venv").mkdir()
        raise error

    def made() -> None:
        with workspace(home.folder, "source-x", found=True) as space:
            adds(space.folder)
            with space.published() as placed:
                fails(placed)

    with pytest.raises(type(error)):
        made()
    assert home("status", "--porcelain", "--untracked-files=all") == ""
    assert (home.folder / "source-x" / "README.md").read_text() == "upstream's"
    assert not (home.folder / "source-x" / ".venv").exists()


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(home: Git) -> None:
    folder = home.folder / "source-x"
    with workspace(home.folder, "source-x", found=True) as space:
        adds(space.folder)
        (space.folder / "tests" / "snapshots" / "a").unlink()
        (space.folder / "tests" / "snapshots" / "a").symlink_to("nowhere")

        with pytest.raises(HeadwaterError, match="cannot be written: No such file"), space.published():
            raise AssertionError("it was published")

    assert home("status", "--porcelain", "--untracked-files=all", "--", "source-x") == ""
    assert not (folder / "tests" / "snapshots").exists()


def test_a_link_that_leads_nowhere_stays_as_it_is(home: Git) -> None:
    (home.folder / "source-x" / "nowhere").symlink_to("../not-imported")
    home.commit({"other": ""})

    def made() -> None:
        with workspace(home.folder, "source-x", found=True) as space, space.published() as placed:
            assert (placed / "nowhere").readlink() == Path("../not-imported")
            raise HeadwaterError("no environment")

    with pytest.raises(HeadwaterError, match="no environment"):
        made()
    assert home("status", "--porcelain", "--untracked-files=all") == ""


def test_what_is_stopped_between_two_files_is_taken_back(home: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = shutil.copyfile

    def stopped(source: Path, target: Path) -> None:
        copied(source, target)
        if target.name == "uv.lock":
            raise KeyboardInterrupt

    with workspace(home.folder, "source-x", found=True) as space:
        adds(space.folder)
        monkeypatch.setattr(shutil, "copyfile", stopped)
        with pytest.raises(KeyboardInterrupt):
            in_place.add(space.folder, home.folder / "source-x")

    assert home("status", "--porcelain", "--untracked-files=all") == ""


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("source-x/source_x/__init__.py", "x=2", r"is not as git has it.*git restore source-x && git clean -d"),
        ("source-x/__main__.py", "half", r"is not as git has it.*\n\?\? source-x/__main__.py"),
    ],
)
def test_what_could_not_be_taken_back_is_not_begun(home: Git, name: str, content: str, sentence: str) -> None:
    (home.folder / name).write_text(content)

    with pytest.raises(HeadwaterError, match=f"(?s){sentence}"), workspace(home.folder, "source-x", found=True):
        raise AssertionError("it began")


def test_a_test_of_upstream_s_that_would_be_written_over_is_refused(home: Git) -> None:
    home.commit({"source-x/tests/test_source_x.py": "upstream's"})

    with pytest.raises(HeadwaterError, match=r"source-x has tests/test_source_x.py already, which init writes"):
        in_place.check(home.folder / "source-x")


def test_a_page_of_upstream_s_that_is_a_link_is_not_written_through(home: Git) -> None:
    (home.folder / "source-x" / "CHANGELOG.md").symlink_to("../CHANGELOG.md")
    home.commit({"CHANGELOG.md": "of all"})

    with pytest.raises(HeadwaterError, match=r"source-x has CHANGELOG.md as a symbolic link"):
        in_place.check(home.folder / "source-x")


def test_a_connector_and_a_folder_that_git_does_not_know_are_refused(home: Git) -> None:
    home.commit({"source-x/VERSION": "v1\n"})
    with pytest.raises(HeadwaterError, match="source-x has VERSION already, which init writes: it is a connector"):
        in_place.check(home.folder / "source-x")

    (home.folder / "source-y").mkdir()
    with pytest.raises(HeadwaterError, match="source-y is there already, and git does not know it"):
        in_place.check(home.folder / "source-y")
