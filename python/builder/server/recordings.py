"""Recordings by their name: folders below the one that the server was given for them."""

from __future__ import annotations

import re
from pathlib import Path

from python.builder.server.problems import Problem
from python.builder.server.settings import Settings

__all__ = ["folder_of"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def folder_of(settings: Settings, name: str | None, member: str) -> str | None:
    """Return the folder of the recording that `member` of a request names; None where it names none.

    Raises Problem for a name that is none, or leads elsewhere, and for one to read that is not there.
    """
    if name is None:
        return None
    if settings.recordings is None:
        raise Problem(400, f"`{member}` needs a folder on the server: start it with --recordings FOLDER")
    if not _NAME.fullmatch(name):
        raise Problem(400, f"`{member}` is a name of letters, digits, dots, dashes and underscores, not a path")
    folder = Path(settings.recordings) / name
    if member != "record" and not folder.is_dir():
        raise Problem(404, f"there is no recording {name}")
    return str(folder)
