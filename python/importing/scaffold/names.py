"""What a new connector is called, and where it goes."""

from __future__ import annotations

import pathlib
import re

import tomllib

from python.importing.changes import TYPES, connector_type
from python.protocol.errors import HeadwaterError

__all__ = ["class_name", "module_name", "protocol_of", "repository"]

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")


def protocol_of(name: str) -> str:
    """Return the protocol that the connector `name` is to speak. Raises HeadwaterError for what is no such name.

    >>> protocol_of("derive-sales")
    'derive'
    """
    kind = connector_type(name)
    if kind is None or not _NAME.fullmatch(name):
        want = ", ".join(f"{start}x" for start in TYPES)
        raise HeadwaterError(f"{name!r} is no name for a connector: want {want}, in small letters, digits and dashes")
    return kind


def module_name(name: str) -> str:
    """Return the name of the Python package of the connector `name`.

    >>> module_name("source-big-data")
    'source_big_data'
    """
    return name.replace("-", "_")


def class_name(name: str) -> str:
    """Return the name of the class of the connector `name`.

    >>> class_name("source-big-data")
    'SourceBigData'
    """
    return "".join(part.capitalize() for part in name.split("-"))


def repository(start: pathlib.Path) -> pathlib.Path:
    """Return the folder of this project that `start` is in. Raises HeadwaterError where there is none."""
    for folder in (start, *start.parents):
        project = folder / "pyproject.toml"
        if project.is_file() and (folder / "python" / "activate.sh").is_file() and _is_ours(project):
            return folder
    raise HeadwaterError(f"{start} is in no Headwater repository: change into one, where connectors have their folders")


def _is_ours(project: pathlib.Path) -> bool:
    try:
        read = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False
    return bool(read.get("project", {}).get("name") == "headwater")
