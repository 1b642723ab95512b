"""Upstream's repository: which commit a name means there, and as little of it as an import needs.

What is fetched goes into bare repositories of its own, below our repository's `headwater` folder of git: so ours never
becomes shallow or partial, and has none of upstream's history. They may be deleted at any time. See decision 0092.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import pathlib
import re
from collections.abc import Iterator

import msgspec

from python.importing.import_records import recorded_url
from python.importing.repository import EMPTY_TREE, Entry, GitError, Repository

__all__ = ["Upstream", "at_url", "configured"]

_FULL_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT_HASH = re.compile(r"[0-9a-f]{4,39}")
_SCP_URL = re.compile(r"[^/]+:.*")
_FETCH_HISTORY = ("fetch", "--no-tags", "--filter=blob:none", "--no-write-fetch-head", "--prune", "upstream")
_NAMES_MAX = 12  # what fits on a line or two
_NOBODY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "upstream"), ("EMAIL", "upstream@localhost"), ("DATE", "@0 +0000"))
}


class Upstream(msgspec.Struct, frozen=True):
    """The repository that ours calls `remote`, or "" where ours has no name for it.

    `url` is where it is fetched from, and may have credentials; it is written nowhere. `recorded` is what imports say
    of it: the remote's own address, without them, and not another one that git is told to use instead of it.
    """

    ours: Repository
    remote: str
    url: str
    recorded: str

    def resolve(self, ref: str) -> str:
        """Return the commit that `ref` means upstream: a branch, a tag, or a hash, whole or the beginning of one.

        What our own repository calls `ref` never counts. Asks the remote, but for a whole hash. Raises GitError where
        upstream has no such thing, or several that differ.
        """
        if _FULL_HASH.fullmatch(ref):
            return ref
        found = self._named(ref)
        if _SHORT_HASH.fullmatch(ref):
            found |= {f"commit {sha}": sha for sha in self._beginning_with(ref)}
        if len(set(found.values())) > 1:
            raise GitError(
                f"{ref} means several things in {self.name}: {', '.join(found)}; "
                "name one in full: refs/heads/…, refs/tags/…, or all 40 digits of a hash"
            )
        if not found:
            raise GitError(f"{self.name} has no branch, tag or commit {ref}")
        return next(iter(found.values()))

    @property
    def name(self) -> str:
        """How to call it in a sentence."""
        return self.remote or self.recorded

    def has(self, sha: str) -> bool:
        """Return whether the commit `sha` of upstream was fetched before."""
        pulled = Repository(self._folder("pulled"))
        kept = f"refs/pulled/{sha}"
        return self._is_ours(sha) or (pulled.folder.is_dir() and pulled.asked("show-ref", "--verify", kept) is not None)

    def has_folder(self, sha: str, prefix: str) -> bool:
        """Return whether `bring` needs no remote: the folder of that commit was fetched before, with its files."""
        if not self.has(sha):
            return False
        store = self.store(sha)
        tree = store.subtree(sha, prefix)
        return tree is not None and not _missing(store, tree)

    def is_branch(self, name: str) -> bool:
        """Return whether upstream has a branch `name` now."""
        return f"refs/heads/{name}" in self._named(f"refs/heads/{name}")

    def store(self, sha: str) -> Repository:
        """Return a repository that has all folders of the commit `sha` of upstream, fetched if need be.

        Ours is one if it has fetched `sha` from this remote. Raises GitError where upstream has no such commit.
        """
        if self._is_ours(sha):
            return self.ours
        pulled = self._cache("pulled")
        if not self.has(sha):
            kept = f"refs/pulled/{sha}"
            # One commit, without its history and its files: those of one folder follow in `bring`.
            fetch = ("fetch", "--no-tags", "--depth=1", "--filter=blob:none", "--no-write-fetch-head")
            pulled.run(*fetch, "upstream", f"{sha}:{kept}")
            if pulled.asked("rev-parse", "--verify", f"{kept}^{{commit}}") != sha:
                pulled.run("update-ref", "-d", kept)
                raise GitError(f"{sha} is no commit of {self.name}, but a tag or a part of one: name the commit")
        return pulled

    def bring(self, sha: str, prefix: str) -> tuple[str, list[Entry]]:
        """Return the tree at `prefix` of the commit `sha`, which ours then has, and the submodules that it has not.

        A submodule is a commit of yet another repository, which ours would not find. Raises GitError where the commit
        has no such folder.
        """
        store = self.store(sha)
        found = store.subtree(sha, prefix)
        if found is None:
            raise GitError(f"commit {sha[:10]} of {self.name} has no folder {prefix}{self._near(store, sha, prefix)}")
        submodules = [each for each in store.entries(found, "-r") if each.kind == "commit"]
        if store != self.ours:
            self._fetch_files(store, found)
            self._transfer(store, found)
        return _without(self.ours, found, submodules), submodules

    def file(self, sha: str, path: str) -> bytes:
        """Return what is in the file `path` of the commit `sha`. Raises GitError where there is none."""
        store = self.store(sha)
        parent, _, name = path.rpartition("/")
        folder = store.subtree(sha, parent or ".")
        members = {each.path: each for each in (store.entries(folder) if folder else ())}
        entry = members.get(name)
        where = f"commit {sha[:10]} of {self.name}"
        if entry is None:
            raise GitError(f"{where} has no file {path}{self._near(store, sha, path)}")
        if entry.kind != "blob":
            raise GitError(f"{path} is no file in {where}, but a {entry.kind}")
        content = store.run("cat-file", "blob", entry.oid)
        if entry.mode == "120000":
            raise GitError(f"{path} is a symbolic link in {where}: name the file itself, {os.fsdecode(content)}")
        return content

    def date(self, sha: str) -> str:
        """Return when the commit `sha` was made, in seconds since 1970, with its time zone, as git has it."""
        return self.store(sha).text("show", "--no-patch", "--format=%cd", "--date=raw", sha)

    def fetch_history(self, branch: str) -> None:
        """All commits of upstream's `branch` are known from now on, without their files."""
        wanted = f"+refs/heads/{branch}:refs/heads/{branch}"
        self._cache("history").run(*_FETCH_HISTORY, wanted)

    def histories(self, branch: str) -> Iterator[tuple[Repository, str]]:
        """Yield what is known of the branch's history without asking the remote: a repository, and the tip there."""
        folder = self._folder("history")
        known = [(Repository(folder), f"refs/heads/{branch}")] if folder.is_dir() else []
        known += [(self.ours, f"refs/remotes/{self.remote}/{branch}")] if self.remote else []
        for repository, name in known:
            tip = repository.asked("rev-parse", "--verify", "--quiet", name)
            if tip is not None:
                yield repository, tip

    def _named(self, ref: str) -> dict[str, str]:
        """Return the branches and tags of upstream that `ref` can mean, and their commits."""
        names = [ref] if ref.startswith("refs/") else _full_names(ref, self.remote)
        told = self.ours.text("ls-remote", "--", self.remote or self.url, *names, *(f"{name}^{{}}" for name in names))
        lines = (line.split("\t") for line in told.splitlines())
        known = {name: sha for sha, name in lines}
        # An annotated tag is an object of its own; ^{} is the commit that it names.
        return {name: known.get(f"{name}^{{}}", known[name]) for name in names if name in known}

    def _beginning_with(self, digits: str) -> list[str]:
        """Return the commits of upstream whose hashes begin so; the remote is asked for all of them where need be."""
        in_ours = [sha for sha in _commits(self.ours, digits) if self._is_ours(sha)]
        if in_ours:
            return in_ours
        history = self._cache("history")
        every = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        history.run(*_FETCH_HISTORY, *every)
        return _commits(history, digits)

    def _is_ours(self, sha: str) -> bool:
        """Return whether our repository has fetched `sha` from this remote; a commit of our own does not count."""
        if not self.remote:
            return False
        return bool(self.ours.asked("for-each-ref", "--count=1", f"--contains={sha}", f"refs/remotes/{self.remote}/"))

    def _folder(self, what: str) -> pathlib.Path:
        known_by = _absolute(self.ours, self.recorded)
        return self.ours.private() / f"{hashlib.sha256(known_by.encode()).hexdigest()[:16]}-{what}.git"

    def _cache(self, what: str) -> Repository:
        folder = self._folder(what)
        if not (folder / "ready").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            Repository(folder).run("init", "--quiet", "--bare", ".")
            settings = {"promisor": "true", "partialclonefilter": "blob:none"}
            for key, value in settings.items():
                Repository(folder).run("config", f"remote.upstream.{key}", value)
            (folder / "ready").touch()
        return Repository(folder, {"remote.upstream.url": self.url})

    def _fetch_files(self, store: Repository, tree: str) -> None:
        """`store` has every file of `tree`, fetched at once."""
        missing = _missing(store, tree)
        if missing:
            fetch = ("fetch", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none")
            lines = "\n".join(missing).encode()
            store.run("-c", "fetch.negotiationAlgorithm=noop", *fetch, "--stdin", "upstream", stdin=lines)

    def _transfer(self, store: Repository, tree: str) -> None:
        """Our repository has `tree`, with all that is in it."""
        carrier = store.text("commit-tree", "-m", "carries a tree", tree, env=_NOBODY)
        name = f"refs/transfer/{tree}"
        store.run("update-ref", name, carrier)
        self.ours.run("fetch", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", str(store.folder), name)

    def _near(self, store: Repository, sha: str, path: str) -> str:
        """Return what of the folder above `path` may have been meant."""
        above, _, last = path.rpartition("/")
        folder = store.subtree(sha, above or ".")
        names = sorted(each.path for each in store.entries(folder)) if folder else []
        close = difflib.get_close_matches(last, names, n=1)
        if close:
            return f"; do you mean {'/'.join(filter(None, [above, *close]))}?"
        shown = [*names[:_NAMES_MAX], *(["…"] if len(names) > _NAMES_MAX else [])]
        return f"; {above or 'it'} has: {', '.join(shown)}" if shown else ""


def configured(ours: Repository, remote: str) -> Upstream:
    """Return what our repository calls `remote`. Raises GitError where it has no such remote."""
    url = ours.asked("remote", "get-url", "--", remote)
    if url is None:
        known = ", ".join(ours.text("remote").split()) or "none"
        raise GitError(
            f"there is no remote {remote} (there are: {known}); `git remote add --no-tags {remote} URL` makes it"
        )
    own = (ours.asked("config", "--get-all", f"remote.{remote}.url") or url).splitlines()[0]
    return Upstream(ours, remote, _absolute(ours, url), recorded_url(own))


def at_url(ours: Repository, url: str) -> Upstream:
    """Return the repository that imports have recorded as `url`, and that ours has no name for."""
    return Upstream(ours, "", _absolute(ours, url), recorded_url(url))


def _full_names(ref: str, remote: str) -> list[str]:
    """Return what `ref` may be short for.

    >>> _full_names("airbyte/master", "airbyte")[-2:]
    ['refs/heads/master', 'refs/tags/master']
    """
    shorts = dict.fromkeys([ref, ref.removeprefix(f"{remote}/") if remote else ref])
    return [f"refs/{kind}/{short}" for short in shorts for kind in ("heads", "tags")]


def _absolute(ours: Repository, url: str) -> str:
    """Return `url` so that it means the same in any folder."""
    if "://" in url or _SCP_URL.fullmatch(url):
        return url
    return str((ours.folder / url).resolve())


def _missing(store: Repository, tree: str) -> list[str]:
    """Return the files of `tree` that were not fetched yet."""
    told = store.text("rev-list", "--objects", "--missing=print", tree)
    return [line[1:] for line in told.splitlines() if line.startswith("?")]


def _commits(repository: Repository, digits: str) -> list[str]:
    objects = repository.text("rev-parse", f"--disambiguate={digits}").split()
    kinds = repository.text("cat-file", "--batch-check", stdin="".join(f"{each}\n" for each in objects).encode())
    return [line.split()[0] for line in kinds.splitlines() if line.split()[1] == "commit"]


def _without(repository: Repository, tree: str, left_out: list[Entry]) -> str:
    """Return `tree` without the members `left_out`."""
    for each in left_out:
        folder, _, name = each.path.rpartition("/")
        within = repository.subtree(tree, folder or ".") or EMPTY_TREE
        kept = [entry for entry in repository.entries(within) if entry.path != name]
        tree = repository.put(tree, folder or ".", repository.tree(kept))
    return tree
