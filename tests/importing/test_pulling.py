from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from python.importing import merging, pulling
from python.importing.import_status import import_statuses
from python.importing.licences import LicenceError
from python.importing.pulling import ConflictError, Order, RefusedError, pull
from python.importing.repository import GitError, here
from python.protocol.errors import HeadwaterError
from tests.importing.repositories import ORDER, Git

pytestmark = pytest.mark.slow

MAIN, OLD = "connectors/source-x/main.py", "connectors/source-x/old.py"


def order(**changes: str) -> Order:
    return msgspec.structs.replace(ORDER, **changes)


# What an import is


def test_an_import_brings_the_folder_alone_to_its_new_place(ours: Git) -> None:
    ours.pull()

    assert ours.files() == ["README.md", "source-x/main.py", "source-x/old.py"]
    assert ours.read("source-x/main.py") == "one\ntwo\nthree\n"
    assert ours("status", "--porcelain", "--ignored") == ""


def test_the_message_is_the_reference_s_to_the_letter(ours: Git, theirs: Git) -> None:
    sha = theirs("rev-parse", "HEAD")

    ours.pull()

    assert ours("log", "-1", "--format=%B") == (
        "import: source-x through airbyte @ master\n"
        f"Remote Repo URL: {theirs.folder}\n"
        "Source name: master\n"
        f"Source Commit ID: {sha}\n"
        "Source Repo Prefix: connectors/source-x/\n"
        "Import Path: source-x/\n"
        "License Type: MIT\n"
        "License Path: LICENSE\n"
        "\n"
        f"git-merge-subpath: {sha} connectors/source-x source-x"
    )
    assert ours("log", "-1", "--format=%(trailers)").startswith(f"git-merge-subpath: {sha} ")


def test_an_import_merges_upstream_s_files_and_nothing_of_its_history(ours: Git, theirs: Git) -> None:
    before = ours("rev-parse", "HEAD")
    ours.pull()

    assert ours("rev-parse", "HEAD^1") == before
    assert ours("ls-tree", "-r", "--name-only", "HEAD^2").splitlines() == ["source-x/main.py", "source-x/old.py"]
    assert ours("rev-parse", "HEAD^2:source-x") == theirs("rev-parse", "HEAD:connectors/source-x")
    assert ours("rev-list", "--count", "HEAD") == "3"
    assert ours("fsck", "--full", "--no-dangling") == ""


def test_a_commit_of_upstream_s_folder_names_no_person_and_has_upstream_s_date(ours: Git, theirs: Git) -> None:
    ours.pull()

    assert ours("show", "-s", "--format=%an %cn", "HEAD^2") == "airbyte (upstream) airbyte (upstream)"
    assert ours("show", "-s", "--format=%ad", "HEAD^2") == theirs("show", "-s", "--format=%cd", "HEAD")
    assert ours("show", "-s", "--format=%an", "HEAD") == "A Person"


@pytest.mark.parametrize("scheme", ["https", "ssh", "ftp"])
def test_credentials_of_the_remote_are_written_nowhere(ours: Git, theirs: Git, scheme: str) -> None:
    fetched = theirs.folder.with_name("canary")  # what is fetched from must be written nowhere, either
    theirs.folder.rename(fetched)
    ours("config", "remote.airbyte.url", f"{scheme}://me:canary@git.example/airbyte")
    ours("config", f"url.{fetched}.insteadOf", f"{scheme}://me:canary@git.example/airbyte")
    ours.pull()
    import_statuses(here(ours.folder), fetch=True)
    ours("config", "--remove-section", f"url.{fetched}")
    ours("remote", "remove", "airbyte")

    found = subprocess.run(["grep", "-rl", "canary", ours.folder], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    assert "canary" not in ours("log", "--all", "--format=%B")


def test_the_remote_s_own_address_is_recorded_and_not_the_one_that_git_uses_instead(ours: Git, theirs: Git) -> None:
    ours("config", "remote.airbyte.url", "https://git.example/airbyte")
    ours("config", f"url.{theirs.folder}.insteadOf", "https://git.example/airbyte")
    ours.pull()

    assert "\nRemote Repo URL: https://git.example/airbyte\n" in ours("log", "-1", "--format=%B")
    (status,) = import_statuses(here(ours.folder), fetch=True)
    assert (status.url, status.behind) == ("https://git.example/airbyte", 0)


# The next import


def test_nothing_new_is_said_and_not_committed(ours: Git, theirs: Git) -> None:
    ours.pull()
    before = ours.state()

    assert "already" in ours.pull()[-1]
    theirs.commit({"README.md": "elsewhere\n"})
    assert "nothing to import" in ours.pull()[-1]
    assert ours.state() == before


def test_upstream_s_changes_are_merged_into_local_edits(ours: Git, theirs: Git) -> None:
    theirs.commit({MAIN: "1\n" + "same\n" * 9 + "2\n"})
    ours.pull()
    ours.commit({"source-x/main.py": "ours\n" + "same\n" * 9 + "2\n", "source-x/VERSION": "v1\n"})
    theirs.commit({MAIN: "1\n" + "same\n" * 9 + "theirs\n"})

    ours.pull()

    assert ours.read("source-x/main.py") == "ours\n" + "same\n" * 9 + "theirs\n"
    assert ours.read("source-x/VERSION") == "v1\n"
    assert ours("show", "HEAD^2:source-x/main.py") == theirs.read(MAIN).rstrip("\n")
    assert ours("log", "--format=%s", "--first-parent", "HEAD^2").count("upstream: ") == 2


def test_a_file_that_upstream_deletes_goes(ours: Git, theirs: Git) -> None:
    ours.pull()
    theirs.commit({OLD: None})

    ours.pull()

    assert not (ours.folder / "source-x/old.py").exists()


def test_an_edit_follows_a_file_that_upstream_renames(ours: Git, theirs: Git) -> None:
    ours.pull()
    ours.commit({"source-x/old.py": "old\n" * 9 + "ours\n"})
    theirs("mv", OLD, "connectors/source-x/new.py")
    theirs.commit({})

    ours.pull()

    assert ours.read("source-x/new.py") == "old\n" * 9 + "ours\n"
    assert not (ours.folder / "source-x/old.py").exists()


def test_a_change_follows_a_file_that_we_renamed_within_the_folder(ours: Git, theirs: Git) -> None:
    ours.pull()
    (ours.folder / "source-x/tests").mkdir()
    ours("mv", "source-x/old.py", "source-x/tests/test_old.py")
    ours.commit({})
    theirs.commit({OLD: "old\n" * 9 + "theirs\n"})

    ours.pull()

    assert ours.read("source-x/tests/test_old.py") == "old\n" * 9 + "theirs\n"


def test_a_copy_outside_of_the_folder_is_never_taken_for_the_file(ours: Git, theirs: Git) -> None:
    """Git's own merge would see a file that is deleted here, and there one of the same content: moved."""
    ours.pull()
    ours.commit({"source-x/old.py": None, "other/old.py": "old\n" * 9})
    theirs.commit({OLD: "old\n" * 9 + "theirs\n"})

    with pytest.raises(ConflictError, match=r"source-x/old\.py: deleted by us, changed by upstream"):
        ours.pull()
    assert ours.read("other/old.py") == "old\n" * 9


def test_an_older_commit_takes_upstream_s_changes_back_and_keeps_ours(ours: Git, theirs: Git) -> None:
    first = theirs("rev-parse", "HEAD")
    theirs.commit({MAIN: "one\ntwo\nthree\nfour\n"})
    ours.pull()
    ours.commit({"source-x/old.py": "ours\n"})

    ours.pull(order(ref=first))

    assert ours.read("source-x/main.py") == "one\ntwo\nthree\n"
    assert ours.read("source-x/old.py") == "ours\n"


def test_what_we_had_already_is_recorded_so_that_the_next_import_starts_there(ours: Git, theirs: Git) -> None:
    ours.pull()
    sha = theirs.commit({MAIN: "one\ntwo\n3\n"})
    ours.commit({"source-x/main.py": "one\ntwo\n3\n"})

    assert "no file changed" in ours.pull()[-1]
    assert sha in ours("log", "-1", "--format=%B")
    assert "already" in ours.pull()[-1]


def test_a_folder_that_was_deleted_is_imported_anew(ours: Git) -> None:
    ours.pull()
    ours("rm", "-r", "--quiet", "source-x")
    ours.commit({})

    ours.pull()

    assert ours.files() == ["README.md", "source-x/main.py", "source-x/old.py"]


def test_an_import_into_a_folder_with_other_files_keeps_them(ours: Git) -> None:
    ours.commit({"source-x/VERSION": "v1\n", "source-x/old.py": "old\n" * 9})

    ours.pull()

    assert ours.files() == ["README.md", "source-x/VERSION", "source-x/main.py", "source-x/old.py"]


def test_a_file_that_both_had_before_the_first_import_is_a_conflict(ours: Git) -> None:
    ours.commit({"source-x/main.py": "ours\n"})

    with pytest.raises(ConflictError, match=r"source-x/main\.py: added by both"):
        ours.pull()


def test_the_import_of_the_old_script_is_the_base_of_the_next(ours: Git, theirs: Git) -> None:
    """It made a plain commit; a squash leaves one, too. What it imported is asked from upstream again."""
    sha = theirs("rev-parse", "HEAD")
    files: dict[str, str | bytes | None] = {"source-x/main.py": "one\ntwo\nthree\n", "source-x/old.py": "old\n" * 9}
    ours.commit(files, f"import: source-x through airbyte @ master\n\ngit-merge-subpath: {sha} {ORDER.prefix} source-x")
    ours.commit({"source-x/old.py": "ours\n"})
    theirs.commit({MAIN: "one\ntwo\n3\n"})

    ours.pull()

    assert ours.read("source-x/main.py") == "one\ntwo\n3\n"
    assert ours.read("source-x/old.py") == "ours\n"


def test_an_import_survives_a_rebase_that_flattens_it(ours: Git, theirs: Git) -> None:
    ours("checkout", "--quiet", "-b", "feature")
    ours.pull()
    ours("checkout", "--quiet", "main")
    ours.commit({"README.md": "news\n"})
    ours("rebase", "--quiet", "main", "feature")
    assert ours("rev-list", "--merges", "--count", "HEAD") == "0"
    ours.commit({"source-x/old.py": "ours\n"})
    theirs.commit({MAIN: "one\ntwo\n3\n"})

    ours.pull()

    assert ours.read("source-x/main.py") == "one\ntwo\n3\n"
    assert ours.read("source-x/old.py") == "ours\n"


def test_a_folder_that_upstream_moved_is_followed_when_told(ours: Git, theirs: Git) -> None:
    ours.pull()
    ours.commit({"source-x/old.py": "ours\n"})
    theirs("mv", "connectors", "moved")
    theirs.commit({"moved/source-x/main.py": "one\ntwo\n3\n"})
    before = ours.state()

    with pytest.raises(RefusedError, match="--moved-from connectors/source-x"):
        ours.pull(order(prefix="moved/source-x"))
    assert ours.state() == before

    ours.pull(order(prefix="moved/source-x", moved_from="connectors/source-x/"))
    assert ours.read("source-x/main.py") == "one\ntwo\n3\n"
    assert ours.read("source-x/old.py") == "ours\n"


def test_two_folders_of_one_upstream_do_not_meet(ours: Git, theirs: Git) -> None:
    theirs.commit({"connectors/source-xy/main.py": "xy\n", "connectors/source.x/main.py": "dot\n"})
    ours.pull()
    ours.pull(order(prefix="connectors/source-xy", dest="source-xy"))
    ours.pull(order(prefix="connectors/source.x", dest="source.x"))
    theirs.commit({"connectors/source.x/main.py": "dot 2\n", MAIN: "x 2\n"})

    ours.pull(order(prefix="connectors/source.x", dest="source.x"))

    assert ours.read("source.x/main.py") == "dot 2\n"
    assert ours.read("source-x/main.py") == "one\ntwo\nthree\n"
    assert ours.read("source-xy/main.py") == "xy\n"


# Conflicts


@pytest.fixture
def conflict(ours: Git, theirs: Git) -> str:
    """The import of this commit has met a conflict in main.py, and changed old.py without one."""
    ours.pull()
    ours.commit({"source-x/main.py": "one\nours\nthree\n"})
    sha = theirs.commit({MAIN: "one\ntheirs\nthree\n", OLD: "old 2\n"})
    with pytest.raises(ConflictError, match=r"source-x/main\.py: changed by both\n.*git merge --abort"):
        ours.pull()
    return sha


def test_a_conflict_leaves_a_merge_in_progress_with_markers(ours: Git, conflict: str) -> None:
    assert ours.read("source-x/main.py") == (
        "one\n<<<<<<< LOCAL_HEAD\nours\n=======\ntheirs\n>>>>>>> UPSTREAM_HEAD\nthree\n"
    )
    assert ours.read("source-x/old.py") == "old 2\n"
    assert ours("status", "--porcelain").splitlines() == ["UU source-x/main.py", "M  source-x/old.py"]
    assert ours("show", ":2:source-x/main.py") == "one\nours\nthree"
    assert "All conflicts fixed" not in ours("status")


def test_git_commit_completes_a_mended_import(ours: Git, theirs: Git, conflict: str) -> None:
    (ours.folder / "source-x/main.py").write_text("one\nboth\nthree\n")
    ours("add", "source-x/main.py")
    ours("commit", "--quiet", "--no-edit")

    assert ours("log", "-1", "--format=%B").splitlines()[0] == "import: source-x through airbyte @ master"
    assert ours("log", "-1", "--format=%B").endswith(f"\n\ngit-merge-subpath: {conflict} connectors/source-x source-x")
    assert ours("show", "HEAD^2:source-x/main.py") == "one\ntheirs\nthree"
    theirs.commit({OLD: "old 3\n"})
    ours.pull()
    assert ours.read("source-x/main.py") == "one\nboth\nthree\n"
    assert ours.read("source-x/old.py") == "old 3\n"


def test_the_same_command_completes_a_mended_import(ours: Git, conflict: str) -> None:
    (ours.folder / "source-x/main.py").write_text("one\nboth\nthree\n")
    ours("add", "source-x/main.py")

    assert "completed" in ours.pull()[-1]
    assert ours("log", "-1", "--format=%B").endswith(f"\n\ngit-merge-subpath: {conflict} connectors/source-x source-x")
    assert ours("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("another", "sentence"),
    [
        ({"ref": "v2"}, "was begun with SOURCE_REF master, and this call has v2: complete that one first"),
        ({"licence": "Apache-2.0"}, "was begun with LICENSE_ID MIT, and this call has Apache-2.0: complete"),
        ({"ref": "v2", "licence_path": "COPYING"}, "has v2; SOURCE_LICENSE_PATH LICENSE, and this call has COPYING:"),
    ],
)
def test_what_is_mended_is_not_completed_as_another_import(
    ours: Git, conflict: str, another: dict[str, str], sentence: str
) -> None:
    (ours.folder / "source-x/main.py").write_text("one\nboth\nthree\n")
    ours("add", "source-x/main.py")
    before = ours.state()

    with pytest.raises(RefusedError, match=re.escape(sentence)):
        ours.pull(order(**another))
    assert ours.state() == before


def test_the_same_command_waits_until_all_is_mended(ours: Git, conflict: str) -> None:
    with pytest.raises(ConflictError, match=r"not mended yet:\n  source-x/main\.py"):
        ours.pull()
    ours("add", "source-x/main.py")  # with its markers

    with pytest.raises(ConflictError, match=r"not mended yet:\n  source-x/main\.py"):
        ours.pull()
    assert ours("rev-parse", "--verify", "MERGE_HEAD")


def test_git_merge_abort_undoes_an_import_that_met_conflicts(ours: Git, theirs: Git, conflict: str) -> None:
    ours("merge", "--abort")

    assert ours.read("source-x/main.py") == "one\nours\nthree\n"
    assert ours.read("source-x/old.py") == "old\n" * 9
    assert ours("status", "--porcelain") == ""


def test_another_import_waits_for_the_one_that_met_conflicts(ours: Git, conflict: str) -> None:
    before = ours("status", "--porcelain")

    with pytest.raises(RefusedError, match="not of this import"):
        ours.pull(order(dest="source-y"))
    assert ours("status", "--porcelain") == before


def test_files_deleted_here_and_changed_there_and_binary_ones_are_conflicts(ours: Git, theirs: Git) -> None:
    theirs.commit({"connectors/source-x/logo.png": b"\x89PNG\0\1"})
    ours.pull()
    ours.commit({"source-x/old.py": None, "source-x/logo.png": b"\x89PNG\0ours"})
    theirs.commit({OLD: "old 2\n", "connectors/source-x/logo.png": b"\x89PNG\0theirs"})

    with pytest.raises(ConflictError, match=r"logo\.png: changed by both\n  source-x/old\.py: deleted by us, ch"):
        ours.pull()
    assert ours("status", "--porcelain").splitlines() == ["UU source-x/logo.png", "DU source-x/old.py"]
    ours("rm", "--quiet", "source-x/old.py")
    ours("checkout", "--quiet", "--theirs", "source-x/logo.png")
    ours("add", "source-x/logo.png")
    ours.pull()
    assert (ours.folder / "source-x/logo.png").read_bytes() == b"\x89PNG\0theirs"


# What is refused changes nothing


REFUSED: list[tuple[str, Order, type[HeadwaterError], str]] = [
    ("a remote that is none", order(remote="nobody"), GitError, "no remote nobody .*airbyte.*git remote add"),
    ("a ref that is none", order(ref="nowhere"), GitError, "airbyte has no branch, tag or commit nowhere"),
    ("a hash that is none", order(ref="deadbeef" * 5), GitError, "deadbeef"),
    ("a short hash that is none", order(ref="deadbee"), GitError, "airbyte has no branch, tag or commit deadbee"),
    ("an option for a ref", order(ref="--upload-pack=x"), RefusedError, "SOURCE_REF '--upload-pack=x' is no name"),
    ("an expression for a ref", order(ref="master~1"), GitError, "no branch, tag or commit master~1"),
    (
        "a prefix that is none",
        order(prefix="connectors/source-z"),
        GitError,
        "no folder .*source-z; do you mean connectors/source-x.$",
    ),
    ("a prefix that is a file", order(prefix=MAIN), GitError, "is no folder, but a file"),
    ("a prefix above", order(prefix="../x"), RefusedError, "SOURCE_PREFIX '../x' is no path inside"),
    ("no prefix", order(prefix=""), RefusedError, "SOURCE_PREFIX '' is no path"),
    ("a destination above", order(dest="../x"), RefusedError, "DEST_PREFIX '../x' is no path inside"),
    ("a destination above, in the end", order(dest="a/../../x"), RefusedError, "DEST_PREFIX"),
    ("a destination elsewhere", order(dest="/etc/x"), RefusedError, "DEST_PREFIX '/etc/x' is no path inside"),
    ("all for a destination", order(dest="./"), RefusedError, "the whole repository"),
    ("git's folder", order(dest="x/.git/hooks"), RefusedError, "git's own folder"),
    ("a destination that is a file", order(dest="README.md"), GitError, "README.md is no folder, but a file"),
    ("a destination in a file", order(dest="README.md/x"), GitError, "README.md is no folder, but a file"),
    ("two lines for a destination", order(dest="a\nb"), RefusedError, "DEST_PREFIX"),
    ("a licence that is none", order(licence="MTI"), LicenceError, "'MTI' is no SPDX identifier"),
    ("a licence that we refuse", order(licence="AGPL-3.0-or-later"), LicenceError, "run.* as a service"),
    (
        "another licence than there",
        order(licence="Apache-2.0"),
        LicenceError,
        "LICENSE .*not look like Apache-2.0.*MIT",
    ),
    (
        "a licence file that is none",
        order(licence_path="COPYING"),
        GitError,
        "has no file COPYING; it has: LICENSE, README.md, connectors$",
    ),
    ("a licence file that is a folder", order(licence_path="connectors"), GitError, "is no file .*tree"),
]


@pytest.mark.parametrize(
    ("refused", "kind", "sentence"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_what_is_refused_changes_nothing(ours: Git, refused: Order, kind: type[HeadwaterError], sentence: str) -> None:
    before = ours.state()

    with pytest.raises(kind, match=sentence):
        ours.pull(refused)
    assert ours.state() == before
    assert ours("for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize("how", ["staged", "changed", "deleted"])
def test_changes_that_are_not_committed_are_refused(ours: Git, how: str) -> None:
    readme = ours.folder / "README.md"
    if how == "deleted":
        readme.unlink()
    else:
        readme.write_text("changed\n")
    if how == "staged":
        ours("add", "README.md")
    before = ours.state()

    with pytest.raises(RefusedError, match=r"not committed: .*README\.md"):
        ours.pull()
    assert ours.state() == before


def test_files_that_git_does_not_know_may_stand_elsewhere(ours: Git) -> None:
    (ours.folder / "notes.txt").write_text("mine")
    ours.pull()

    assert ours.read("notes.txt") == "mine"


@pytest.mark.parametrize("ignored", [False, True])
def test_files_that_git_does_not_know_are_not_written_over(ours: Git, ignored: bool) -> None:
    (ours.folder / ".git/info/exclude").write_text("source-x\n" if ignored else "")
    (ours.folder / "source-x").mkdir()
    (ours.folder / "source-x/main.py").write_text("mine")
    before = ours.state()

    with pytest.raises(GitError, match=r"move them away: source-x/main\.py"):
        ours.pull()
    assert ours.state() == before
    assert ours.read("source-x/main.py") == "mine"


def test_a_link_in_place_of_the_folder_is_not_written_through(ours: Git, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (ours.folder / "source-x").symlink_to(tmp_path / "outside")

    with pytest.raises(GitError, match="move them away: source-x"):
        ours.pull()
    ours.commit({})
    with pytest.raises(GitError, match="source-x is no folder, but a symbolic link"):
        ours.pull()
    assert list((tmp_path / "outside").iterdir()) == []


def test_two_imports_at_once_are_refused(ours: Git) -> None:
    first = pull(ORDER, ours.folder)
    next(first)

    with pytest.raises(GitError, match="another import runs"):
        ours.pull(order(dest="source-y"))
    assert "imported" in list(first)[-1]
    assert "imported" in ours.pull(order(dest="source-y"))[-1]


def test_a_rebase_in_progress_is_refused(ours: Git) -> None:
    (ours.folder / ".git/rebase-merge").mkdir()

    with pytest.raises(RefusedError, match="a rebase is in progress"):
        ours.pull()


def test_a_repository_without_commits_is_refused(ours: Git) -> None:
    ours("checkout", "--quiet", "--orphan", "new")

    with pytest.raises(RefusedError, match="no commit yet"):
        ours.pull()


def test_a_clone_whose_history_ends_before_the_import_is_refused(ours: Git, tmp_path: Path) -> None:
    ours.pull()
    ours.commit({"README.md": "2\n"})
    shallow = Git(tmp_path / "shallow")
    ours("clone", "--quiet", "--depth=1", ours.folder.as_uri(), str(shallow.folder))
    shallow("remote", "add", "airbyte", ours("remote", "get-url", "airbyte"))

    with pytest.raises(RefusedError, match="git fetch --unshallow"):
        shallow.pull()
    shallow("fetch", "--quiet", "--unshallow")
    assert "already" in shallow.pull()[-1]


def test_a_partial_clone_can_import(ours: Git, theirs: Git, tmp_path: Path) -> None:
    ours.pull()
    ours("config", "uploadpack.allowFilter", "true")
    partial = Git(tmp_path / "partial")
    ours("clone", "--quiet", "--filter=blob:none", ours.folder.as_uri(), str(partial.folder))
    partial("remote", "add", "airbyte", str(theirs.folder))
    theirs.commit({MAIN: "news\n"})

    partial.pull()

    assert partial.read("source-x/main.py") == "news\n"


# What files may be


def test_every_kind_of_file_arrives_as_it_is(ours: Git, theirs: Git) -> None:
    folder = theirs.folder / "connectors/source-x"
    theirs.commit(
        {
            "connectors/source-x/a file with spaces.txt": "spaces\n",
            "connectors/source-x/Größe \u200b\U0001f600.txt": "unicode\n",
            'connectors/source-x/"quoted"\t\\.txt': "quotes\n",
            "connectors/source-x/[*].py": "a pattern\n",
            "connectors/source-x/windows.txt": b"a\r\nb\r\n",
            "connectors/source-x/binary": bytes(range(256)),
            "connectors/source-x/empty": "",
            "connectors/source-x/.gitignore": "*.log\n",
            "connectors/source-x/kept.log": "in spite of .gitignore\n",
            "connectors/source-x/run.sh": "#!/bin/sh\n",
        }
    )
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("main.py")
    (folder / os.fsdecode(b"not-utf-8-\xff")).write_text("bytes\n")
    theirs.commit({})

    ours.pull()

    assert ours("rev-parse", "HEAD:source-x") == theirs("rev-parse", "HEAD:connectors/source-x")
    assert ours("status", "--porcelain") == ""
    assert (ours.folder / "source-x/windows.txt").read_bytes() == b"a\r\nb\r\n"
    assert (ours.folder / "source-x/run.sh").stat().st_mode & 0o111
    assert (ours.folder / "source-x/link").readlink() == Path("main.py")
    theirs.commit(
        {"connectors/source-x/a file with spaces.txt": "theirs\n", 'connectors/source-x/"quoted"\t\\.txt': ""}
    )
    ours.commit({"source-x/a file with spaces.txt": "ours\n"})
    with pytest.raises(ConflictError, match=r"source-x/a file with spaces\.txt"):
        ours.pull()
    assert ours.read('source-x/"quoted"\t\\.txt') == ""


def test_names_with_spaces_and_signs_of_patterns_are_found_again(ours: Git, theirs: Git) -> None:
    theirs.commit({"a b/[c].*/main.py": "one\n"})
    strange = order(prefix="a b/[c].*", dest="to [d]/e f")
    ours.pull(strange)
    ours.commit({"to [d]/e f/ours.py": "ours\n"})
    theirs.commit({"a b/[c].*/main.py": "two\n"})

    ours.pull(strange)

    assert ours.read("to [d]/e f/main.py") == "two\n"
    assert "already" in ours.pull(strange)[-1]


@pytest.mark.parametrize(
    ("prefix", "dest"), [("connectors/source-x/", "source-x//"), ("./connectors//source-x", "./source-x/")]
)
def test_slashes_at_the_end_make_no_difference(ours: Git, prefix: str, dest: str) -> None:
    ours.pull(order(prefix=prefix, dest=dest))

    assert "already" in ours.pull()[-1]


def test_all_of_a_repository_can_be_imported(ours: Git, theirs: Git) -> None:
    whole = order(prefix=".", dest="vendor/airbyte")
    ours.pull(whole)
    assert "vendor/airbyte/connectors/source-x/main.py" in ours.files()
    theirs.commit({"README.md": "2\n"})

    ours.pull(whole)

    assert ours.read("vendor/airbyte/README.md") == "2\n"
    assert re.search(r"^git-merge-subpath: \w{40} \. vendor/airbyte$", ours("log", "-1", "--format=%B"), re.MULTILINE)


def test_a_submodule_is_left_out_and_told(ours: Git, theirs: Git) -> None:
    commit = theirs("rev-parse", "HEAD")
    theirs("update-index", "--add", "--cacheinfo", f"160000,{commit},connectors/source-x/lib/sub")
    theirs("commit", "--quiet", "-m", "submodule")

    told = ours.pull()

    assert f"left out: lib/sub is a submodule; import commit {commit} from its own repository" in told
    assert ours.files() == ["README.md", "source-x/main.py", "source-x/old.py"]
    assert "already" in ours.pull()[-1]


def test_a_file_that_becomes_a_folder_and_back(ours: Git, theirs: Git) -> None:
    ours.pull()
    theirs.commit({OLD: None})
    theirs.commit({"connectors/source-x/old.py/inner.py": "inner\n"})
    ours.pull()
    assert ours.read("source-x/old.py/inner.py") == "inner\n"

    theirs("rm", "-r", "--quiet", OLD)
    theirs.commit({OLD: "a file\n"})
    ours.pull()
    assert ours.read("source-x/old.py") == "a file\n"


def test_it_works_from_any_folder_of_the_repository_and_in_another_work_tree(ours: Git, tmp_path: Path) -> None:
    (ours.folder / "docs").mkdir()
    Git(ours.folder / "docs").pull()
    assert "source-x/main.py" in ours.files()

    ours("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "other"), "HEAD~1")
    other = Git(tmp_path / "other")
    other.pull()
    assert "source-x/main.py" in other.files()
    assert other("rev-parse", "--abbrev-ref", "HEAD") == "other"


def test_outside_of_a_work_tree_it_says_so(tmp_path: Path, ours: Git) -> None:
    with pytest.raises(GitError, match="is in no work tree of git"):
        Git(tmp_path).pull()


def test_a_detached_head_moves_on(ours: Git) -> None:
    ours("checkout", "--quiet", "--detach")
    ours.pull()

    assert "source-x/main.py" in ours.files()
    assert ours("rev-list", "--count", "main") == "1"


def test_environment_of_a_hook_does_not_mislead_it(ours: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))

    assert "imported" in ours.pull()[-1]


def test_commits_are_signed_where_git_is_told_to(ours: Git, tmp_path: Path) -> None:
    signer = tmp_path / "signer"
    signer.write_text("#!/bin/sh\ncat >/dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo '-----SIGNED-----'\n")
    signer.chmod(0o755)
    ours("config", "gpg.program", str(signer))
    ours("config", "commit.gpgsign", "true")

    ours.pull()

    assert "-----SIGNED-----" in ours("cat-file", "commit", "HEAD")
    assert "source-x/main.py" in ours.files()


def test_a_licence_that_is_not_imported_is_told_once(ours: Git, theirs: Git) -> None:
    theirs.commit({"connectors/source-x/LICENSE": theirs.read("LICENSE")})

    assert (
        ours.pull()[0] == "left out: LICENSE is not in connectors/source-x; most licences want a copy beside the code"
    )
    theirs.commit({MAIN: "2\n"})
    assert len(ours.pull()) == 1
    assert len(ours.pull(order(dest="source-y", licence_path="connectors/source-x/LICENSE"))) == 1


def test_files_that_each_side_moved_elsewhere_are_told(ours: Git, theirs: Git) -> None:
    ours.pull()
    ours("mv", "source-x/old.py", "source-x/ours.py")
    ours.commit({})
    theirs("mv", OLD, "connectors/source-x/theirs.py")
    theirs.commit({})

    with pytest.raises(ConflictError) as raised:
        ours.pull()
    assert [line.strip() for line in str(raised.value).splitlines()[1:4]] == [
        "source-x/old.py: moved to another place by each",
        "source-x/ours.py: added by us, where upstream's change leads, too",
        "source-x/theirs.py: added by upstream, where our change leads, too",
    ]
    ours("rm", "--quiet", "--cached", "source-x/old.py", "source-x/ours.py")
    (ours.folder / "source-x/ours.py").unlink()
    ours("add", "source-x/theirs.py")
    ours.pull()
    assert ours.files() == ["README.md", "source-x/main.py", "source-x/theirs.py"]


def test_a_licence_may_be_an_expression(ours: Git) -> None:
    ours.pull(order(licence="apache-2.0 or mit"))

    assert "\nLicense Type: Apache-2.0 OR MIT\n" in ours("log", "-1", "--format=%B")


# What people do meanwhile


def test_another_git_at_work_refuses_and_nothing_changes(ours: Git) -> None:
    lock = ours.folder / ".git" / "index.lock"
    lock.touch()

    with pytest.raises(GitError, match="another git is at work here"):
        ours.pull()

    lock.unlink()
    assert ours.files() == ["README.md"]
    assert ours("status", "--porcelain") == ""


def test_what_is_edited_during_an_import_is_kept(ours: Git, theirs: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.pull()
    theirs.commit({MAIN: "upstream\n"})
    fetched = merging.merged

    def edited(*given: object) -> merging.Merged:
        found = fetched(*given)  # type: ignore[arg-type] # as it is called
        for name in ("README.md", "source-x/main.py"):
            (ours.folder / name).write_text("mine\n")
        return found

    monkeypatch.setattr(pulling, "merged", edited)

    with pytest.raises(GitError, match="edited meanwhile"):
        ours.pull()

    assert (ours.read("README.md"), ours.read("source-x/main.py")) == ("mine\n", "mine\n")


def test_an_import_that_fails_takes_back_its_own_files_alone(
    ours: Git, theirs: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.pull()
    theirs.commit({MAIN: "upstream\n", "connectors/source-x/new.py": "new\n"})
    written = merging._check_out

    def full(*given: object) -> None:
        written(*given)  # type: ignore[arg-type] # as it is called
        (ours.folder / "README.md").write_text("mine\n")
        raise OSError("no space")

    monkeypatch.setattr(merging, "_check_out", full)

    with pytest.raises(GitError, match="no space; index and work tree are as they were"):
        ours.pull()

    assert ours("status", "--porcelain").split() == ["M", "README.md"]
    assert ours.read("source-x/main.py") == "one\ntwo\nthree\n"
    assert not (ours.folder / "source-x" / "new.py").exists()
