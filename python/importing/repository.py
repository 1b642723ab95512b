"""A git repository, and the few things of git that an import is made of."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from python.protocol.errors import HeadwaterError

__all__ = ["EMPTY_TREE", "Entry", "GitError", "Repository", "alone", "here"]

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without files. Git knows it in every repository of SHA-1 objects."""

# What a hook or a wrapper may have set for another repository, another index than the one that is asked.
_OF_ANOTHER = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
)
_GIT_VERSION_MIN = (2, 38)  # the first whose merge-tree writes a tree


class GitError(HeadwaterError):
    """Git refuses, or is not there. Whoever named the repository or the revision must act."""


class Entry(NamedTuple):
    """One member of a tree: `mode` as git writes it, `kind` is blob, tree, or commit for a submodule."""

    mode: str
    kind: str
    oid: str
    path: str


class Repository:
    """The git repository at `folder`: the top of a work tree, or a bare repository.

    Paths that git prints are text as `os.fsdecode` has it, so that each name of a file survives. Every method raises
    GitError where git refuses.
    """

    def __init__(self, folder: pathlib.Path, settings: Mapping[str, str] | None = None) -> None:
        """Git is asked with `settings` beside its configuration; no file shows the values, nor our commands."""
        self.folder = folder
        named = {f"HEADWATER_SETTING_{index}": each for index, each in enumerate((settings or {}).items())}
        self._options = [f"--config-env={key}={variable}" for variable, (key, _) in named.items()]
        self._variables = {variable: value for variable, (_, value) in named.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repository) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def run(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Return what `git arguments` prints."""
        done = self._run(arguments, stdin, env)
        if done.returncode:
            raise GitError(f"git {_command(arguments)}: {_complaint(done)}")
        return done.stdout

    def text(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Return what `git arguments` prints, without the end of its last line."""
        return os.fsdecode(self.run(*arguments, stdin=stdin, env=env)).rstrip("\n")

    def asked(self, *arguments: str) -> str | None:
        """Return what `git arguments` prints, without the end of its last line, or None where git says no."""
        done = self._run(arguments, b"", None)
        return None if done.returncode else os.fsdecode(done.stdout).rstrip("\n")

    def status(self, *arguments: str) -> tuple[int, bytes]:
        """Return the exit status of `git arguments`, 0 or 1, and what it prints. Raises GitError for any other."""
        done = self._run(arguments, b"", None)
        if done.returncode not in (0, 1) or (done.returncode and not done.stdout):
            raise GitError(f"git {_command(arguments)}: {_complaint(done)}")
        return done.returncode, done.stdout

    def path(self, name: str) -> pathlib.Path:
        """Return where git keeps its own file `name`, such as MERGE_HEAD."""
        return self.folder / self.text("rev-parse", "--git-path", name)

    def private(self) -> pathlib.Path:
        """Return the folder in which we keep what is ours alone, beside git's files, for all work trees."""
        return self.folder / self.text("rev-parse", "--git-common-dir") / "headwater"

    def entries(self, tree: str, *options: str) -> Iterator[Entry]:
        """Yield the members of `tree`; `options` are those of git ls-tree."""
        for line in os.fsdecode(self.run("ls-tree", "-z", *options, tree)).split("\0"):
            if line:
                about, path = line.split("\t", 1)
                mode, kind, oid = about.split()
                yield Entry(mode, kind, oid, path)

    def subtree(self, tree: str, path: str) -> str | None:
        """Return the tree at `path` in `tree`, or None where there is nothing. `.` is all of it.

        Raises GitError where a file, a symbolic link or a submodule is there, or on the way.
        """
        for done, part in _steps(path):
            entry = next((each for each in self.entries(tree) if each.path == part), None)
            if entry is None:
                return None
            if entry.kind != "tree":
                raise GitError(f"{done} is no folder, but {_kind(entry)}")
            tree = entry.oid
        return self.text("rev-parse", "--verify", f"{tree}^{{tree}}")

    def put(self, tree: str, path: str, new: str) -> str:
        """Return `tree` with the tree `new` at `path`, in place of what is there; an empty one is not kept."""
        if path in ("", "."):
            return new
        first, _, rest = path.partition("/")
        kept = {each.path: each for each in self.entries(tree)}
        old = kept.pop(first, None)
        child = self.put(old.oid if old is not None and old.kind == "tree" else EMPTY_TREE, rest, new)
        entries = [*kept.values(), *([] if child == EMPTY_TREE else [Entry("040000", "tree", child, first)])]
        return self.tree(entries)

    def tree(self, entries: Iterable[Entry]) -> str:
        """Return the tree that has `entries`, which name its own members."""
        lines = (f"{each.mode} {each.kind} {each.oid}\t{each.path}\0" for each in entries)
        # --missing: a partial clone has not got every file that stays where it is.
        return self.text("mktree", "-z", "--missing", stdin=os.fsencode("".join(lines)))

    def _run(
        self, arguments: tuple[str, ...], stdin: bytes, env: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", "-c", "gc.auto=0", *self._options, *arguments],
                cwd=self.folder,
                input=stdin,
                capture_output=True,
                check=False,
                env=_environment() | self._variables | dict(env or {}),
            )
        except OSError as error:
            raise GitError(f"cannot run git in {self.folder}: {error.strerror}") from None


def here(cwd: pathlib.Path) -> Repository:
    """Return the repository whose work tree `cwd` is in. Raises GitError where there is none, or git is too old."""
    asking = Repository(cwd)
    version = asking.text("version").split()[2]
    if tuple(int(part) for part in version.split(".")[:2]) < _GIT_VERSION_MIN:
        raise GitError(f"git is {version}, want {'.'.join(map(str, _GIT_VERSION_MIN))} or later")
    top = asking.asked("rev-parse", "--show-toplevel")
    if not top:
        raise GitError(f"{cwd} is in no work tree of git: run this in the repository of your connectors")
    return Repository(pathlib.Path(top))


@contextlib.contextmanager
def alone(ours: Repository) -> Iterator[None]:
    """In the `with`, nobody else imports into the repository, or fetches for that; nor has one that was killed a lock.

    Raises GitError where somebody does.
    """
    folder = ours.private()
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GitError("another import runs in this repository: wait until it is done") from None
        for lock in folder.glob("*.git/**/*.lock"):
            lock.unlink(missing_ok=True)
        yield


def _environment() -> dict[str, str]:
    """Return an environment in which git speaks English, opens no editor, and asks nobody who is not there."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    quiet = {} if sys.stdin and sys.stdin.isatty() else {"GIT_TERMINAL_PROMPT": "0"}
    return kept | {"LC_ALL": "C", "GIT_EDITOR": ":"} | quiet


def _command(arguments: tuple[str, ...]) -> str:
    return next((each for each in arguments if each.isidentifier() or "-" in each[1:]), arguments[0])


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the line of git's stderr that says what is wrong."""
    told = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    grave = [line for line in told if line.startswith(("fatal:", "error:"))]
    end = f"exit status {done.returncode}"
    if done.returncode < 0:
        end = f"it was ended by {signal.Signals(-done.returncode).name}"
    return (grave or told or [end])[0].strip()


def _kind(entry: Entry) -> str:
    kinds = {"120000": "a symbolic link", "160000": "a submodule"}
    return kinds.get(entry.mode, "a file")


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """Yield each part of `path` after the path up to it.

    >>> list(_steps("a/b"))
    [('a', 'a'), ('a/b', 'b')]
    >>> list(_steps("."))
    []
    """
    parts = [] if path == "." else path.split("/")
    yield from (("/".join(parts[: index + 1]), part) for index, part in enumerate(parts))
