"""Repositories of git that tests make: an upstream one, and ours that imports from it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from python.importing.pulling import Order, pull

__all__ = ["MIT", "ORDER", "Git", "isolated", "ours_and_theirs"]

MIT = """MIT License

Copyright (c) 2023 Airbyte, Inc.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction. The above copyright notice and this
permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND.
"""

ORDER = Order(
    remote="airbyte",
    ref="master",
    prefix="connectors/source-x",
    dest="source-x",
    licence="MIT",
    licence_path="LICENSE",
)


class Git:
    """A repository in `folder`, with nobody's configuration but the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What git prints, without the end of its last line."""
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.folder, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "change") -> str:
        """The new commit, which has these files, and has not those that are None."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self("add", "--all", "--force")
        self("commit", "--quiet", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def files(self) -> list[str]:
        """What HEAD has, quoted where git quotes."""
        return self("ls-tree", "-r", "--name-only", "HEAD").splitlines()

    def state(self) -> tuple[str, str, list[str]]:
        """What a refused import leaves as it was: HEAD, what differs from it, and the files of the work tree."""
        files = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if ".git" not in path.parts]
        return self("rev-parse", "HEAD"), self("status", "--porcelain", "--ignored"), sorted(files)

    def pull(self, order: Order = ORDER) -> list[str]:
        return list(pull(order, self.folder))


def isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git sees no configuration and no repository of the machine, and a person who is always the same."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    values = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        values |= {f"GIT_{role}_NAME": "A Person", f"GIT_{role}_EMAIL": "a@person.example"}
        values[f"GIT_{role}_DATE"] = "2026-03-04T05:06:07Z"
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@functools.cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """The folder of the repositories that `ours_and_theirs` copies: to make them takes a dozen processes."""
    made = tempfile.TemporaryDirectory(prefix="headwater-")
    folder = Path(made.name)
    ours, theirs = Git(folder / "ours"), Git(folder / "theirs")
    for each, branch in ((ours, "main"), (theirs, "master")):
        each.folder.mkdir()
        each("init", "--quiet", f"--initial-branch={branch}")
    theirs("config", "uploadpack.allowFilter", "true")
    theirs.commit({"LICENSE": MIT, "README.md": "a monorepo\n"}, "first")
    theirs.commit({"connectors/source-x/main.py": "one\ntwo\nthree\n", "connectors/source-x/old.py": "old\n" * 9}, "x")
    ours.commit({"README.md": "our connectors\n"}, "first")
    return made


def ours_and_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Git, Git]:
    """Ours has a README, and upstream as its remote `airbyte`; upstream has a connector of two files."""
    isolated(monkeypatch)
    ours, theirs = Git(tmp_path / "ours"), Git(tmp_path / "theirs")
    for each in (ours, theirs):
        shutil.copytree(Path(_template().name, each.folder.name), each.folder)
        each("update-index", "--refresh")  # git knows files by their inodes, too
    ours("remote", "add", "--no-tags", "airbyte", str(theirs.folder))
    return ours, theirs
