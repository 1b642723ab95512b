from __future__ import annotations

from pathlib import Path

import pytest
from materialize_parquet.folder import Folder, file_name

from python.protocol.errors import ConfigError, ConnectorError


@pytest.fixture
def folder(root: Folder) -> Folder:
    return root.folder("a b/%23")


def write(folder: Folder, name: str, text: bytes) -> None:
    file = folder.begin(name)
    file.write(text)
    folder.end(name, file)


def test_files_are_written_listed_read_moved_and_removed(folder: Folder) -> None:
    assert (folder.names(), folder.names("in"), folder.has("x")) == ([], [], False)
    write(folder, "in/x", b"1")
    write(folder, "y", b"2")
    assert (folder.names(), folder.names("in"), folder.has("in/x")) == (["y"], ["x"], True)

    folder.move("in/x", "y")
    with folder.opened("y") as opened:
        assert (opened.read(), folder.read("y"), folder.has("in/x")) == (b"1", b"1", False)
    for _ in range(2):
        folder.remove("y")
    assert folder.names() == []


def test_a_file_is_created_once(folder: Folder) -> None:
    assert [folder.create("m/1", b"a"), folder.create("m/1", b"b"), folder.create("m/2", b"c")] == [True, False, True]
    assert (folder.names("m"), folder.read("m/1")) == (["1", "2"], b"a")


def test_what_is_not_there_is_told_from_what_cannot_be(folder: Folder) -> None:
    for missing in (lambda: folder.read("x"), lambda: folder.move("x", "y"), lambda: folder.opened("x").__enter__()):
        with pytest.raises(FileNotFoundError):
            missing()


def test_a_folder_that_cannot_be_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ConnectorError, match=r"cannot write .*/file/x: "):
        Folder.at(str(tmp_path / "file")).begin("x")
    with pytest.raises(ConfigError, match=r"nowhere://x.*fsspec knows"):
        Folder.at("nowhere://x")


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("orders", "orders"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("_staged", "%5Fstaged"),
        ("a/b", "a%2Fb"),
        ("x*?[1]", "x%2A%3F%5B1%5D"),
        ("ü\0", "%C3%BC%00"),
        ("%2E.", "%252E."),
    ],
)
def test_names_of_tables_are_names_of_folders(name: str, encoded: str) -> None:
    assert file_name(name) == encoded


@pytest.mark.parametrize("name", ["", "n" * 256, "ü" * 43])
def test_names_that_no_folder_can_have_are_refused(name: str) -> None:
    with pytest.raises(ConnectorError, match="there can be no folder"):
        file_name(name)
