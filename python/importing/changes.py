"""Which connectors a change touches: those whose folder it is in, and those whose code or image is made of it."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from python.importing.repository import Repository

__all__ = ["TYPES", "Connector", "changed", "connector_type", "connectors", "touched"]

TYPES = {"source-": "capture", "derive-": "derive", "materialize-": "materialize"}
"""The protocol that a connector speaks, by how its folder's name begins; also the label FLOW_RUNTIME_PROTOCOL."""

# uv writes each package's source on a line of its own; this way, a lock that is broken by a merge can be read, too.
_LOCAL = re.compile(r'^source = \{ (?:editable|directory|path|virtual) = "(.*)" \}$', re.MULTILINE)
_SHIM = re.compile(r"shim_(?:airbyte_cdk|singer_sdk)")


class Connector(NamedTuple):
    """A connector's folder: its name, the protocol it speaks, its VERSION, and the shim that it is made with, or "".

    `packages` are the folders of local packages that its lock names, relative to the repository: imported ones, mostly.
    """

    name: str
    type: str
    version: str
    shim: str
    packages: tuple[str, ...] = ()


class _Reach(NamedTuple):
    """Paths, and the connectors that are made of them: by protocol and shim, "" being any; `none` is no connector."""

    path: re.Pattern[str]
    type: str = ""
    shim: str = ""
    none: bool = False


_REACHES = (
    _Reach(re.compile(r"python/shim_airbyte_cdk/.*"), shim="shim_airbyte_cdk"),
    _Reach(re.compile(r"python/shim_singer_sdk/.*"), shim="shim_singer_sdk"),
    _Reach(re.compile(r"python/shim_common/.*"), type="capture"),
    _Reach(re.compile(r"python/capture[^/]*\.py"), type="capture"),
    _Reach(re.compile(r"python/derive[^/]*\.py"), type="derive"),
    _Reach(re.compile(r"python/materialize[^/]*(?:\.py|/.*)"), type="materialize"),
    _Reach(re.compile(r"python/(?:runner|importing|acceptance|cli)/.*"), none=True),
    _Reach(re.compile(r"python/.*\.md"), none=True),
    _Reach(
        re.compile(
            r"python/.*|pyproject\.toml|build-local\.sh|\.dockerignore|\.github/workflows/(?:python|connector)\.yaml"
        )
    ),
)
"""What lies outside of the connectors' folders; the first row that fits counts, and what fits none touches nothing."""


def connector_type(name: str) -> str | None:
    """Return the protocol of the connector that is called `name`, or None where the name says none.

    >>> connector_type("source-faker"), connector_type("benchmarks")
    ('capture', None)
    """
    return next((kind for start, kind in TYPES.items() if name.startswith(start)), None)


def connectors(root: pathlib.Path) -> list[Connector]:
    """Return the connectors in the folders of the repository at `root`, by name."""
    folders = [path.parent for path in root.glob("*-*/pyproject.toml") if connector_type(path.parent.name)]
    return [_connector(root, folder) for folder in sorted(folders)]


def _connector(root: pathlib.Path, folder: pathlib.Path) -> Connector:
    version = folder / "VERSION"
    return Connector(
        name=folder.name,
        type=connector_type(folder.name) or "",
        version=version.read_text(encoding="utf-8", errors="replace").strip() if version.is_file() else "",
        shim=_shim(folder),
        packages=tuple(_packages(root.resolve(), folder)),
    )


def _packages(root: pathlib.Path, folder: pathlib.Path) -> Iterator[str]:
    """Yield the local packages that the lock in `folder` names, but for the connector itself and this project."""
    lock = folder / "uv.lock"
    for told in _LOCAL.findall(lock.read_text(encoding="utf-8", errors="replace")) if lock.is_file() else ():
        at = (folder / told).resolve()
        if at not in (root, folder.resolve()) and at.is_relative_to(root):
            yield at.relative_to(root).as_posix()


def _shim(folder: pathlib.Path) -> str:
    if (folder / "manifest.yaml").is_file():
        return "shim_airbyte_cdk"  # a manifest needs no code that names it
    code = (
        path.read_text(encoding="utf-8", errors="replace")
        for path in [folder / "__main__.py", *folder.glob("*/*.py")]
        if path.is_file()
    )
    return next((found[0] for found in map(_SHIM.search, code) if found), "")


def touched(known: Sequence[Connector], paths: Iterable[str]) -> list[Connector]:
    """Return those of `known` that a change of `paths`, relative to the repository, touches.

    >>> faker = Connector("source-faker", "capture", "v1", "shim_airbyte_cdk")
    >>> sales = Connector("derive-sales", "derive", "v1", "")
    >>> [each.name for each in touched([faker, sales], ["derive-sales/README.md", "docs/protocol.md"])]
    ['derive-sales']
    >>> [each.name for each in touched([faker, sales], ["python/shell/serve.py"])]
    ['source-faker', 'derive-sales']
    """
    found = {each for path in paths for each in _made_of(known, path)}
    return [each for each in known if each in found]


def _made_of(known: Sequence[Connector], path: str) -> Iterator[Connector]:
    owners = [each for each in known if any(_is_in(path, own) for own in (each.name, *each.packages))]
    if owners:
        yield from owners
        return
    reach = next((each for each in _REACHES if each.path.fullmatch(path)), None)
    if reach is not None and not reach.none:
        yield from (each for each in known if each.type.startswith(reach.type) and each.shim.startswith(reach.shim))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def changed(repository: Repository, since: str) -> list[str]:
    """Return the paths in which the work tree differs from where it left `since`, a revision of git.

    Files that git does not know yet count. Raises GitError where there is no such revision, or no common commit.
    """
    base = repository.text("merge-base", since, "HEAD")
    listed = repository.run("diff", "--name-only", "--no-renames", "-z", base)
    listed += repository.run("ls-files", "-o", "--exclude-standard", "-z")
    return [path for path in os.fsdecode(listed).split("\0") if path]
