"""What `PACKAGE` says on the command line: a package of the index, or the folder of one."""

from __future__ import annotations

import os
import pathlib

import msgspec
import tomllib
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from python.protocol.errors import HeadwaterError

__all__ = ["Package", "is_folder", "package", "pinned"]


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream package: its name as an index spells it, what to require of it, and its folder if it is a local one.

    `folder` is relative to the repository.
    """

    name: str
    requirement: str
    folder: str | None = None


def package(text: str, root: pathlib.Path) -> Package:
    """Return the package that `text` names: `name`, `name==1.2`, `name[extra]`, or a folder in the repository `root`.

    Raises HeadwaterError where it names none.
    """
    if is_folder(text):
        return _local(pathlib.Path(text), root)
    try:
        required = Requirement(text)
    except InvalidRequirement as error:
        told = str(error).splitlines()[0]
        raise HeadwaterError(
            f"{text!r} is no package: {told}; want a name such as tap-x, tap-x==1.2, or a folder such as ./tap-x"
        ) from None
    if required.url or required.marker:
        raise HeadwaterError(
            f"{text!r} is an address or has a condition: want a package of the index, or the folder of one"
        )
    return Package(name=canonicalize_name(required.name), requirement=str(required))


def is_folder(text: str) -> bool:
    """Return whether `text` names a package by its folder, as ./tap-x, and not by its name."""
    return os.sep in text or text.startswith(".")


def pinned(known: Package, version: str) -> str:
    """Return the requirement of exactly `version` of a package; a local one is as it is.

    >>> pinned(Package(name="tap-x", requirement="tap-x[s3]>=1"), "1.2")
    'tap-x[s3]==1.2'
    """
    if known.folder:
        return known.requirement
    required = Requirement(known.requirement)
    extras = f"[{','.join(sorted(required.extras))}]" if required.extras else ""
    return f"{required.name}{extras}=={version}"


def _local(folder: pathlib.Path, root: pathlib.Path) -> Package:
    project = folder / "pyproject.toml"
    if not project.is_file():
        raise HeadwaterError(f"{folder} is no package: it has no pyproject.toml")
    inside = folder.resolve()
    if not inside.is_relative_to(root) or inside == root:
        raise HeadwaterError(
            f"{folder} is outside of this repository, so that nobody else could install the connector; "
            "pull it in first: see pull_upstream.sh"
        )
    try:
        read = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HeadwaterError(f"{project} cannot be read: {error}") from None
    name = read.get("project", {}).get("name") or read.get("tool", {}).get("poetry", {}).get("name")
    if not isinstance(name, str):
        raise HeadwaterError(f"{project} does not say the package's name: want it under [project]")
    known = canonicalize_name(name)
    return Package(name=known, requirement=known, folder=inside.relative_to(root).as_posix())
