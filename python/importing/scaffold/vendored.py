"""Upstream's package where it stands in the connector's own folder, as an import into that folder leaves it.

Its project becomes the connector's: with upstream's requirements and commands, and ours. What those are says the wheel
that upstream's own build makes, so that it does not matter which tool a project is written for.
"""

from __future__ import annotations

import pathlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from python.importing.scaffold.environments import wheel
from python.protocol.errors import HeadwaterError

__all__ = ["Vendored", "vendored"]

_NO_CODE = frozenset({"tests", "test", "unit_tests", "integration_tests", "docs", "examples", "scripts"})


class Vendored(msgspec.Struct, frozen=True, kw_only=True):
    """A package, as its wheel tells it. `python` is a specifier of versions, or "".

    `code` are the folders and modules that are installed, by their paths in the project's folder. `licence` is the
    first line of what it says of that, or "".
    """

    version: str
    python: str
    requirements: Sequence[str]
    commands: Mapping[str, str]
    code: Sequence[str]
    licence: str = ""
    extras: Sequence[str] = ()

    @property
    def tops(self) -> list[str]:
        """The names under which its modules are imported."""
        return [path.rpartition("/")[2].removesuffix(".py") for path in self.code]


def vendored(folder: pathlib.Path) -> Vendored:
    """Return the package whose project is `folder`. Raises HeadwaterError where it cannot be built, or has no code."""
    with tempfile.TemporaryDirectory(prefix="headwater-") as built:
        archive = zipfile.ZipFile(wheel(folder, pathlib.Path(built)))
        with archive:
            found = _read(folder, archive)
    if not found.code:
        raise HeadwaterError(f"{folder.name} builds a package without code: want a folder of that name, or src")
    return found


def _read(folder: pathlib.Path, archive: zipfile.ZipFile) -> Vendored:
    names = archive.namelist()
    (info,) = {name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info")}
    told = metadata.PathDistribution(zipfile.Path(archive, f"{info}/"))
    return Vendored(
        version=told.version,
        python=_first(told.metadata, "Requires-Python"),
        requirements=list(_without_extras(told.requires or [])),
        commands={each.name: each.value for each in told.entry_points if each.group == "console_scripts"},
        code=list(_code(folder, names)),
        licence=_first(told.metadata, "License-Expression") or _first(told.metadata, "License"),
        extras=told.metadata.get_all("Provides-Extra") or [],
    )


def _first(told: metadata.PackageMetadata, name: str) -> str:
    """Return the first line of the first member `name`, or ""."""
    return next(iter((told.get_all(name) or [""])[0].splitlines()), "")


def _without_extras(requires: Sequence[str]) -> Iterator[str]:
    for each in requires:
        try:
            required = Requirement(each)
        except InvalidRequirement as error:
            raise HeadwaterError(f"upstream requires {each!r}: {str(error).splitlines()[0]}") from None
        if required.marker is None or "extra" not in str(required.marker):
            yield str(required)


def _code(folder: pathlib.Path, names: Sequence[str]) -> Iterator[str]:
    tops = sorted({name.partition("/")[0] for name in names} - _NO_CODE)
    for top in tops:
        yield from (path for path in (top, f"src/{top}") if (folder / path).exists())
