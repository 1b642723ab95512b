from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from python.importing.import_status import Edits, ImportStatus, import_statuses, status_lines
from python.importing.repository import here
from python.protocol.errors import HeadwaterError
from tests.importing.repositories import ORDER, Git

pytestmark = pytest.mark.slow


@pytest.fixture
def ours(repositories: tuple[Git, Git]) -> Git:
    repositories[0].pull()
    return repositories[0]


def status(ours: Git, *, fetch: bool = False) -> ImportStatus:
    (found,) = import_statuses(here(ours.folder), fetch=fetch)
    return found


def test_an_import_tells_what_it_is(ours: Git, theirs: Git) -> None:
    assert status(ours) == ImportStatus(
        folder="source-x",
        url=str(theirs.folder),
        remote="airbyte",
        ref="master",
        prefix="connectors/source-x",
        commit=theirs("rev-parse", "HEAD"),
        date="2026-03-04",
        behind=None,
        behind_unknown="unknown: fetch the remote",
        edits=Edits(0, 0, 0),
        licence="MIT",
        licence_path="LICENSE",
    )


def test_commits_that_touch_the_folder_are_counted_once_they_are_fetched(ours: Git, theirs: Git) -> None:
    theirs.commit({"connectors/source-x/main.py": "2\n"})
    theirs.commit({"README.md": "elsewhere\n"})
    theirs.commit({"connectors/source-x/new.py": "3\n"})

    assert status(ours).behind is None
    assert status(ours, fetch=True).behind == 2
    assert status(ours).behind == 2
    ours.pull()
    assert status(ours).behind == 0


def test_what_git_fetch_brought_counts_too(ours: Git, theirs: Git) -> None:
    theirs.commit({"connectors/source-x/main.py": "2\n"})
    ours("fetch", "--quiet", "airbyte")

    assert status(ours).behind == 1


def test_nothing_is_fetched_unless_told(ours: Git, theirs: Git) -> None:
    shutil.move(theirs.folder, theirs.folder.parent / "gone")

    assert status(ours).behind is None
    with pytest.raises(HeadwaterError, match="theirs"):
        status(ours, fetch=True)


def test_a_clone_without_the_remote_knows_all_but_how_far_behind(ours: Git, theirs: Git, tmp_path: Path) -> None:
    clone = Git(tmp_path / "clone")
    ours("clone", "--quiet", str(ours.folder), str(clone.folder))
    theirs.commit({"connectors/source-x/main.py": "2\n"})

    assert status(clone) == status(ours)
    assert status(clone, fetch=True).behind == 1


@pytest.mark.parametrize(
    ("ref", "why"),
    [("", "imported by its hash"), ("refs/tags/v1", "imported by a tag"), ("v1", "upstream has no branch v1 (now)")],
)
def test_what_is_no_branch_has_no_tip_to_be_behind_of(ours: Git, theirs: Git, ref: str, why: str) -> None:
    sha = theirs.commit({"connectors/source-x/main.py": "2\n"})
    theirs("tag", "v1")
    ours.pull(msgspec.structs.replace(ORDER, ref=ref or sha[:12]))

    found = status(ours, fetch=True)
    assert (found.behind, found.behind_unknown) == (None, why)


def test_a_branch_that_was_forced_elsewhere_is_told(ours: Git, theirs: Git) -> None:
    theirs("commit", "--quiet", "--amend", "-m", "another")

    found = status(ours, fetch=True)
    assert (found.behind, found.behind_unknown) == (None, "master does not lead there any more")


def test_local_edits_are_counted_committed_or_not(ours: Git) -> None:
    ours.commit({"source-x/main.py": "one\n2\nthree\n", "source-x/logo.png": b"\0", "README.md": "elsewhere\n"})
    ours("mv", "source-x/old.py", "source-x/moved.py")
    assert status(ours).edits == Edits(files=3, added=1, deleted=1)

    (ours.folder / "source-x/main.py").write_text("1\n2\n3\n4\n")
    assert status(ours).edits == Edits(files=3, added=4, deleted=3)


def test_edits_are_counted_from_the_last_import(ours: Git, theirs: Git) -> None:
    ours.commit({"source-x/VERSION": "v1\n"})
    theirs.commit({"connectors/source-x/main.py": "2\n"})
    ours.pull()

    assert status(ours).edits == Edits(files=1, added=1, deleted=0)


def test_an_import_of_the_old_script_needs_the_remote_for_edits(ours: Git, theirs: Git) -> None:
    message = ours("log", "-1", "--format=%B")
    ours("reset", "--quiet", "--soft", "HEAD~1")
    ours("commit", "--quiet", "-m", message)
    shutil.rmtree(ours.folder / ".git/headwater")

    assert (status(ours).edits, status(ours).date) == (None, None)
    assert (status(ours, fetch=True).edits, status(ours, fetch=True).date) == (Edits(0, 0, 0), "2026-03-04")
    assert status(ours).edits == Edits(0, 0, 0)


def test_a_commit_that_was_fetched_for_another_folder_is_not_fetched_for_this_one(ours: Git, theirs: Git) -> None:
    sha = theirs.commit({"connectors/source-y/main.py": "y\n"})
    ours.pull()
    ours.pull(msgspec.structs.replace(ORDER, prefix=".", dest="all"))  # so that it was fetched
    shutil.rmtree(ours.folder / ".git/headwater")
    ours.pull(msgspec.structs.replace(ORDER, dest="again"))
    ours.commit({"source-y/main.py": "y\n"}, f"squashed\n\ngit-merge-subpath: {sha} connectors/source-y source-y")
    ours("gc", "--quiet", "--prune=now")
    shutil.move(theirs.folder, theirs.folder.parent / "gone")

    found = {each.folder: each.edits for each in import_statuses(here(ours.folder))}
    assert found == {"again": Edits(0, 0, 0), "all": Edits(0, 0, 0), "source-x": Edits(0, 0, 0), "source-y": None}


def test_folders_are_listed_by_name_and_can_be_chosen(ours: Git) -> None:
    ours.pull(msgspec.structs.replace(ORDER, prefix="connectors", dest="a/b"))
    ours.pull(msgspec.structs.replace(ORDER, dest="gone"))
    ours("rm", "-r", "--quiet", "gone")
    ours.commit({})
    repository = here(ours.folder)

    assert [each.folder for each in import_statuses(repository)] == ["a/b", "source-x"]
    assert [each.folder for each in import_statuses(repository, ["source-x/"])] == ["source-x"]
    assert [each.folder for each in import_statuses(repository, ["a"])] == ["a/b"]
    with pytest.raises(HeadwaterError, match=r"nothing was imported into source-y, .*: a/b, source-x"):
        import_statuses(repository, ["source-x", "source-y"])


def test_a_repository_without_imports_says_so(repositories: tuple[Git, Git]) -> None:
    found = import_statuses(here(repositories[0].folder))

    assert list(status_lines(found)) == ["no folder of this repository was imported"]


def test_the_table_has_a_line_for_each(ours: Git, theirs: Git) -> None:
    ours.commit({"source-x/VERSION": "v1\n"})
    sha = theirs("rev-parse", "--short=10", "HEAD")

    heading, line = status_lines([status(ours)])

    assert heading.split() == ["folder", "upstream", "at", "commit", "of", "behind", "local", "edits", "licence"]
    assert " ".join(line.split()) == (
        f"source-x {theirs.folder} master {sha} 2026-03-04 unknown: fetch the remote 1 file, +1 -0 MIT"
    )
