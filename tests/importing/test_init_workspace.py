from __future__ import annotations

from pathlib import Path

import pytest

from python.importing.scaffold.workspace import workspace
from python.protocol.errors import HeadwaterError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "python").mkdir()
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_published_is_in_place_without_its_environment_and_nothing_else_is_left(home: Path) -> None:
    with workspace(home, "source-x") as space:
        assert names(space.root) == ["pyproject.toml", "python", "source-x"]
        (space.folder / "VERSION").write_text("v1")
        (space.folder / ".venv").mkdir()
        with space.published() as folder:
            assert names(folder) == ["VERSION"]

    assert names(home) == [".cache", "pyproject.toml", "python", "source-x"]
    assert names(home / "source-x") == ["VERSION"]
    assert names(home / ".cache") == []


def test_what_fails_leaves_nothing_and_what_is_linked_stays(home: Path) -> None:
    (home / "python" / "kept.py").touch()

    with pytest.raises(FileExistsError), workspace(home, "source-x") as space:
        (space.root / "python").mkdir()

    assert names(home) == [".cache", "pyproject.toml", "python"]
    assert names(home / "python") == ["kept.py"]


@pytest.mark.parametrize("error", [HeadwaterError("no room"), KeyboardInterrupt()])
def test_what_fails_in_its_place_is_taken_out_of_it(error: BaseException, home: Path) -> None:
    def fails(folder: Path) -> None:
        (folder / ".venv").mkdir()
        raise error

    with pytest.raises(type(error)), workspace(home, "source-x") as space, space.published() as folder:
        fails(folder)

    assert names(home) == [".cache", "pyproject.toml", "python"]
    assert names(home / ".cache") == []


def test_what_a_killed_run_left_is_removed(home: Path) -> None:
    left = home / ".cache" / "init" / "source-x"
    (left / "source-x").mkdir(parents=True)
    (left / "source-x" / "half").touch()
    (left / "python").symlink_to(home / "python")

    with workspace(home, "source-x") as space:
        assert names(space.folder) == []


def test_two_runs_for_one_name_are_not_at_once(home: Path) -> None:
    with (
        workspace(home, "source-x") as space,
        pytest.raises(HeadwaterError, match="another `headwater init source-x` is running"),
        workspace(home, "source-x"),
    ):
        raise AssertionError("the second one began")
    assert not space.folder.exists()


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_nothing_is_overwritten(make: object, home: Path) -> None:
    assert callable(make)
    make(home / "source-x")

    with (
        pytest.raises(HeadwaterError, match="is there already, and nothing is overwritten"),
        workspace(home, "source-x"),
    ):
        raise AssertionError("it began")


def test_what_has_come_meanwhile_is_not_overwritten(home: Path) -> None:
    with workspace(home, "source-x") as space:
        (home / "source-x").mkdir()
        with pytest.raises(HeadwaterError, match="is there already, and nothing is overwritten"), space.published():
            raise AssertionError("it was published")

    assert names(home / "source-x") == []
