"""Which commit is meant, and what is fetched of it. The old script's mistakes are here, each as a test."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from python.importing.repository import GitError, here
from python.importing.upstream import Upstream, configured
from tests.importing.repositories import ORDER, Git

pytestmark = pytest.mark.slow


def airbyte(ours: Git) -> Upstream:
    return configured(here(ours.folder), "airbyte")


@pytest.mark.parametrize("ref", ["master", "airbyte/master", "refs/heads/master", "v1", "refs/tags/v1", "light"])
@pytest.mark.parametrize("fetched", [False, True])
def test_a_branch_or_a_tag_is_upstream_s_however_it_is_named(ours: Git, theirs: Git, ref: str, fetched: bool) -> None:
    theirs("tag", "-a", "v1", "-m", "annotated")
    theirs("tag", "light")
    if fetched:
        ours("fetch", "--quiet", "--no-tags", "airbyte")

    assert airbyte(ours).resolve(ref) == theirs("rev-parse", "HEAD")


def test_a_branch_or_a_tag_of_ours_never_wins(ours: Git, theirs: Git) -> None:
    """With the old script, a local branch silently won, and the names of remote branches never worked."""
    ours("branch", "master")
    ours("branch", "airbyte/master")
    ours("tag", "master")
    ours("update-ref", "refs/heads/refs/heads/master", "HEAD")

    for ref in ("master", "airbyte/master", "refs/heads/master"):
        assert airbyte(ours).resolve(ref) == theirs("rev-parse", "HEAD")


def test_a_branch_or_a_tag_that_only_we_have_is_none(ours: Git) -> None:
    ours("branch", "feature")
    ours("tag", "v9")

    for ref in ("feature", "v9", "main"):
        with pytest.raises(GitError, match=f"airbyte has no branch, tag or commit {ref}"):
            airbyte(ours).resolve(ref)


def test_a_name_that_is_a_branch_and_a_tag_is_refused_unless_both_are_one_commit(ours: Git, theirs: Git) -> None:
    theirs("tag", "master")
    assert airbyte(ours).resolve("master") == theirs("rev-parse", "HEAD")

    theirs.commit({"README.md": "2\n"})
    with pytest.raises(
        GitError, match=r"several things in airbyte: refs/heads/master, refs/tags/master; name one in full"
    ):
        airbyte(ours).resolve("master")
    assert airbyte(ours).resolve("refs/heads/master") == theirs("rev-parse", "HEAD")
    assert airbyte(ours).resolve("refs/tags/master") == theirs("rev-parse", "HEAD~1")


@pytest.mark.parametrize("digits", [40, 12, 7])
@pytest.mark.parametrize("fetched", [False, True])
def test_a_hash_may_be_whole_or_the_beginning(ours: Git, theirs: Git, digits: int, fetched: bool) -> None:
    sha = theirs("rev-parse", "HEAD~1")
    if fetched:
        ours("fetch", "--quiet", "--no-tags", "airbyte")

    assert airbyte(ours).resolve(sha[:digits]) == sha


def test_a_short_hash_of_several_commits_is_refused(ours: Git, theirs: Git) -> None:
    tree = theirs("rev-parse", "HEAD^{tree}")
    first, second = _alike(tree)
    hashes = [theirs("hash-object", "-t", "commit", "-w", "--stdin", stdin=text) for text in (first, second)]
    for sha in hashes:
        theirs("branch", f"branch-{sha}", sha)
    digits = hashes[0][:4]

    with pytest.raises(GitError, match=f"{digits} means several things in airbyte: commit {digits}"):
        airbyte(ours).resolve(digits)


def _alike(tree: str) -> tuple[str, str]:
    """Two commits whose hashes begin with the same four digits: of 2,000, some do, as birthdays meet."""
    seen: dict[str, str] = {}
    for number in range(2000):
        text = f"tree {tree}\nauthor a <a> {number} +0000\ncommitter a <a> {number} +0000\n\n{number}\n"
        digits = hashlib.sha1(b"commit %d\0%s" % (len(text), text.encode()), usedforsecurity=False).hexdigest()[:4]
        if digits in seen:
            return seen[digits], text
        seen[digits] = text
    raise AssertionError("no two are alike")


def test_a_branch_that_looks_like_a_hash_is_a_branch(ours: Git, theirs: Git) -> None:
    theirs("branch", "decade")

    assert airbyte(ours).resolve("decade") == theirs("rev-parse", "HEAD")


def test_a_commit_of_our_own_is_not_upstream_s(ours: Git, tmp_path: Path) -> None:
    sha = ours.commit({"connectors/source-x/main.py": "ours\n"})

    with pytest.raises(GitError, match=f"no branch, tag or commit {sha[:8]}"):
        airbyte(ours).resolve(sha[:8])
    with pytest.raises(GitError, match=r"fetch|not our ref"):
        airbyte(ours).store(sha)


def test_what_is_recorded_is_what_is_imported_when_the_branch_has_moved_since_it_was_fetched(
    ours: Git, theirs: Git
) -> None:
    """The old script took the folder from the text of the ref, and wrote another commit down."""
    ours("fetch", "--quiet", "--no-tags", "airbyte")
    ours("branch", "master", "airbyte/master")
    sha = theirs.commit({"connectors/source-x/main.py": "news\n"})
    ours.pull()

    assert f"\nSource Commit ID: {sha}\n" in ours("log", "-1", "--format=%B")
    assert ours("rev-parse", "HEAD:source-x") == theirs("rev-parse", f"{sha}:connectors/source-x")


@pytest.mark.parametrize("filters", ["true", "false"])
def test_an_import_fetches_no_history_and_leaves_our_repository_whole(ours: Git, theirs: Git, filters: str) -> None:
    theirs("config", "uploadpack.allowFilter", filters)
    before = theirs.commit({"connectors/source-x/main.py": "before\n", "other/big.bin": bytes(100_000)})
    theirs.commit({"connectors/source-x/main.py": "after\n"})
    blob = theirs("rev-parse", "HEAD:other/big.bin")
    ours.pull()

    assert ours.read("source-x/main.py") == "after\n"
    for commit in (before, theirs("rev-parse", "HEAD")):
        assert not _has(ours, commit)
    assert not _has(ours, blob)
    assert ours("rev-parse", "--is-shallow-repository") == "false"
    assert "promisor" not in ours("config", "--list", "--local")
    (pulled,) = (ours.folder / ".git/headwater").glob("*-pulled.git")
    assert not _has(Git(pulled), before)
    assert _has(Git(pulled), blob) == (filters == "false")


def _has(repository: Git, oid: str) -> bool:
    """Whether it is there, without asking anybody for it."""
    return oid in repository("cat-file", "--batch-all-objects", "--batch-check")


def test_what_was_fetched_may_be_deleted(ours: Git, theirs: Git) -> None:
    ours.pull()
    shutil.rmtree(ours.folder / ".git/headwater")
    ours("gc", "--quiet", "--prune=now")
    ours.commit({"source-x/old.py": "ours\n"})
    theirs.commit({"connectors/source-x/main.py": "news\n"})
    ours.pull()

    assert (ours.read("source-x/main.py"), ours.read("source-x/old.py")) == ("news\n", "ours\n")


def test_a_fetch_that_was_cut_off_is_done_again(ours: Git, theirs: Git) -> None:
    folder = airbyte(ours)._folder("pulled")
    folder.mkdir(parents=True)  # and nothing more: the process was killed
    assert "imported" in ours.pull()[-1]

    for name in ("shallow.lock", "packed-refs.lock", "refs/pulled/x.lock"):
        (folder / name).touch()
    theirs.commit({"connectors/source-x/main.py": "2\n"})
    assert "imported" in ours.pull()[-1]


def test_a_commit_that_was_fetched_before_needs_no_remote(ours: Git, theirs: Git) -> None:
    sha = theirs("rev-parse", "HEAD")
    ours("fetch", "--quiet", "--no-tags", "airbyte")
    shutil.move(theirs.folder, theirs.folder.parent / "gone")

    upstream = airbyte(ours)
    assert upstream.file(upstream.resolve(sha), "LICENSE").startswith(b"MIT")
    assert upstream.store(sha).folder == ours.folder


def test_a_remote_that_is_not_there_is_told(ours: Git, theirs: Git) -> None:
    shutil.move(theirs.folder, theirs.folder.parent / "gone")
    before = ours.state()

    with pytest.raises(GitError, match="theirs"):
        ours.pull()
    assert ours.state() == before


def test_a_relative_url_is_seen_from_the_top_of_ours(ours: Git) -> None:
    ours("config", "remote.airbyte.url", "../theirs")
    (ours.folder / "docs").mkdir()

    assert "imported" in Git(ours.folder / "docs").pull()[-1]


def test_a_hash_that_is_no_commit_is_refused(ours: Git, theirs: Git) -> None:
    theirs("tag", "-a", "v1", "-m", "annotated")

    for sha in (theirs("rev-parse", "refs/tags/v1"), theirs("rev-parse", "HEAD^{tree}")):
        with pytest.raises(GitError):
            airbyte(ours).store(sha)
        assert not airbyte(ours).has(sha)


def test_a_licence_that_is_a_link_is_refused_with_the_file_it_leads_to(ours: Git, theirs: Git) -> None:
    (theirs.folder / "COPYING").symlink_to("LICENSE")
    sha = theirs.commit({})

    with pytest.raises(GitError, match=r"COPYING is a symbolic link in .*: name the file itself, LICENSE"):
        airbyte(ours).file(sha, "COPYING")


def test_a_folder_is_brought_with_its_files_at_once(ours: Git, theirs: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs.commit({f"connectors/source-x/{number}.py": f"{number}\n" for number in range(20)})
    trace = ours.folder.parent / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))

    airbyte(ours).bring(theirs("rev-parse", "HEAD"), ORDER.prefix)

    fetches = [line for line in trace.read_text().splitlines() if "built-in: git fetch" in line]
    assert len(fetches) == 3  # the commit, the files, and from there into ours
