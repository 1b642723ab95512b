from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.importing.import_records import (
    ImportRecord,
    LastImport,
    as_message,
    newest_imports,
    recorded_in,
    recorded_url,
)
from python.importing.repository import here
from tests.importing.repositories import Git

SHA = "0123456789abcdef0123456789abcdef01234567"
RECORD = ImportRecord(
    remote="airbyte",
    url="https://git.example/airbyte.git",
    ref="master",
    sha=SHA,
    prefix="connectors/source-x",
    dest="source-x",
    licence="MIT",
    licence_path="LICENSE",
)


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
paths = words.map(lambda text: text.strip().strip("/")).filter(bool)


@given(paths, paths, words.filter(lambda text: text == text.strip()))
def test_what_is_written_is_read_again(prefix: str, dest: str, ref: str) -> None:
    record = ImportRecord(
        remote="r", url="u", ref=ref, sha=SHA, prefix=prefix, dest=dest, licence="MIT", licence_path="LICENSE"
    )

    assert recorded_in(as_message(record)) == record


def test_a_trailer_alone_is_enough_where_it_is_clear() -> None:
    found = recorded_in(f"some words\n\ngit-merge-subpath: {SHA} a/b c\n")

    assert found is not None
    assert (found.sha, found.prefix, found.dest, found.remote) == (SHA, "a/b", "c", "")


@pytest.mark.parametrize(
    "trailer",
    [f"{SHA} a b c", f"{SHA} a", f"{SHA} a ", SHA, "", "abc a b", f"{SHA[:-1]}x a b", f"{SHA}  a"],
)
def test_a_trailer_that_is_not_clear_is_none(trailer: str) -> None:
    assert recorded_in(f"words\n\ngit-merge-subpath: {trailer}\n") is None


def test_of_several_imports_in_one_message_the_last_counts() -> None:
    """A squash lists the messages of its commits, the oldest first."""
    first = as_message(RECORD)
    second = as_message(RECORD).replace(SHA, SHA[::-1]).replace("License Type: MIT", "License Type: ISC")

    found = recorded_in(f"import (#12)\n\n* {first}\n* {second}\nSigned-off-by: a person\n")

    assert found is not None
    assert (found.sha, found.licence) == (SHA[::-1], "ISC")


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://token@git.example/a.git", "https://git.example/a.git"),
        ("https://me:secret@git.example:8443/a.git?x=1", "https://git.example:8443/a.git"),
        ("https://git.example/a.git?access_token=tok", "https://git.example/a.git"),
        ("helper::https://me@git.example/a.git#tok", "helper::https://git.example/a.git"),
        ("/srv/a?b.git", "/srv/a?b.git"),
        ("http://git.example/a.git", "http://git.example/a.git"),
        ("https://me:p@ss@git.example/a.git", "https://git.example/a.git"),
        ("https://me:p?s#s@git.example/a.git", "https://git.example/a.git"),
        ("https://git.example/@team/a.git", "https://git.example/@team/a.git"),
        ("HTTPS://token@git.example/a.git", "HTTPS://git.example/a.git"),
        ("ssh://git@git.example/a.git", "ssh://git@git.example/a.git"),
        ("ssh://me:secret@git.example:22/a@b.git", "ssh://me@git.example:22/a@b.git"),
        ("git+ssh://me:secret@git.example/a.git", "git+ssh://me@git.example/a.git"),
        ("git+https://token@git.example/a.git", "git+https://git.example/a.git"),
        ("ftp://me:secret@git.example/a.git", "ftp://git.example/a.git"),
        ("helper::https://me:secret@git.example/a.git", "helper::https://git.example/a.git"),
        ("git@git.example:a.git", "git@git.example:a.git"),
        ("git@git.example:team@work/a.git", "git@git.example:team@work/a.git"),
        ("me:s@cret@git.example:a.git", "me@git.example:a.git"),
        ("git.example:me@home.git", "git.example:me@home.git"),
        ("/srv/a@b:c.git", "/srv/a@b:c.git"),
        ("../a@b.git", "../a@b.git"),
    ],
)
def test_a_url_is_recorded_without_credentials(url: str, recorded: str) -> None:
    assert recorded_url(url) == recorded


def test_the_newest_import_of_each_folder_is_found_however_the_branches_run(ours: Git) -> None:
    def trailer(digit: str, dest: str) -> str:
        return f"words\n\ngit-merge-subpath: {digit * 40} a {dest}"

    ours.commit({}, trailer("1", "x"))
    ours("checkout", "--quiet", "-b", "side")
    side = ours.commit({}, trailer("2", "x"))
    ours("checkout", "--quiet", "main")
    other = ours.commit({}, trailer("3", "y"))
    ours("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    ours.commit({}, "git-merge-subpath: is what we write")

    found = newest_imports(here(ours.folder))

    assert {dest: (each.commit, each.record.sha[0]) for dest, each in found.items()} == {
        "x": (side, "2"),
        "y": (other, "3"),
    }


def test_a_second_parent_that_is_no_import_is_not_taken_for_one(ours: Git) -> None:
    ours("checkout", "--quiet", "-b", "side")
    ours.commit({"b": "b"})
    ours("checkout", "--quiet", "main")
    ours("merge", "--quiet", "--no-ff", "-m", as_message(RECORD), "side")

    assert newest_imports(here(ours.folder)) == {"source-x": LastImport(RECORD, ours("rev-parse", "HEAD"), None)}
