"""What git says."""

from __future__ import annotations

import pathlib
import subprocess

from python.protocol.errors import HeadwaterError

__all__ = ["GitError", "git"]


class GitError(HeadwaterError):
    """Git refuses, or is not there. Whoever named the repository or the revision must act."""


def git(cwd: pathlib.Path, *arguments: str) -> bytes:
    """Return what `git arguments` prints in the folder `cwd`. Raises GitError with the first line that it complains."""
    try:
        done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=False)
    except OSError as error:
        raise GitError(
            f"cannot ask git in {cwd}: {error.strerror}; install git, or name a folder that is there"
        ) from None
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise GitError(f"git {arguments[0]} in {cwd}: {told[0]}")
    return done.stdout
