"""A connector's folder up to where it can be asked: project, lock, environment and code, by the kind of connector."""

from __future__ import annotations

import pathlib
import posixpath
import shutil
from collections.abc import Sequence

import msgspec

from python.importing.scaffold import entries, environments
from python.importing.scaffold.entries import MissingModuleError
from python.importing.scaffold.names import class_name, module_name, protocol_of
from python.importing.scaffold.packages import Package
from python.importing.scaffold.project import MINORS, Project, fitting
from python.importing.scaffold.templates import rendered
from python.importing.scaffold.vendored import Vendored, vendored
from python.protocol.errors import HeadwaterError

__all__ = ["Draft", "of_manifest", "of_native", "of_own", "of_package"]

_WRAPPED = {
    "airbyte": "connector",
    "singer": "tap",
}
_MANIFEST = "manifest.yaml"
_BESIDE = ("components.py", "spec.yaml", "spec.yml", "spec.json")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder's README says of its connector, the command that runs it, and the name of the README's template.

    `lost` is a sentence about what upstream's project said and the connector's does not, or "".
    """

    what: str
    command: Sequence[str]
    readme: str = "README_upstream.md"
    lost: str = ""


def of_package(folder: pathlib.Path, kind: str, known: Package, wanted: str | None, more: Sequence[str]) -> Draft:
    """The connector in `folder` wraps the upstream package `known`, an Airbyte source or a Singer tap.

    `wanted` names what of it is wrapped, where that is not clear; `more` are further requirements. Raises
    HeadwaterError where the package cannot be had, or has nothing that could be wrapped.
    """
    local = {known.name: posixpath.relpath(known.folder, folder.name)} if known.folder else {}
    (folder / "__main__.py").touch()  # python/activate.sh wants one
    project = Project(
        name=folder.name,
        description=f"A capture of what the upstream {_WRAPPED[kind]} {known.name} reads.",
        requirements=[known.requirement, "headwater", *more],
        folders=local,
    )
    project = environments.install(folder, project, known)
    try:
        entry = entries.chosen(entries.found_in(folder, kind, known.name, wanted), kind, known.name, wanted)
    except MissingModuleError as error:
        completed = [*project.requirements, error.requirement]
        environments.install(folder, msgspec.structs.replace(project, requirements=completed), known)
        entry = entries.chosen(entries.found_in(folder, kind, known.name, wanted), kind, known.name, wanted)
    main = entries.main_of(kind, entry, folder)
    (folder / "__main__.py").write_text(main, encoding="utf-8")
    origin = f"comes from `{known.folder}`" if known.folder else "is installed from the package index"
    what = f"Captures what the upstream {_WRAPPED[kind]} `{known.name}` reads. It {origin}, and is wrapped in "
    return Draft(what=what + "`__main__.py`; nothing of it is copied.", command=("python", "-m", folder.name))


def of_own(folder: pathlib.Path, kind: str, wanted: str | None, more: Sequence[str]) -> Draft:
    """The connector in `folder` wraps the upstream package whose project stood there, and its project is that one.

    Raises HeadwaterError where it cannot be built, or has nothing that could be wrapped.
    """
    found = vendored(folder)
    minors = fitting(MINORS, found.python, [])
    if not minors:
        raise HeadwaterError(f"{folder.name} would run on no Python from 3.10 to 3.13: upstream wants {found.python}")
    (folder / "__main__.py").touch()  # python/activate.sh wants one
    project = Project(
        name=folder.name,
        description=f"A capture of what the upstream {_WRAPPED[kind]} in this folder reads.",
        version=found.version,
        requirements=[*found.requirements, "headwater", *more],
        minors=minors,
        builds=True,
        code=found.code,
        commands=found.commands,
    )
    environments.install(folder, project)
    offered = entries.found_in(folder, kind, folder.name, wanted, found.tops)
    entry = entries.chosen(offered, kind, folder.name, wanted)
    (folder / "__main__.py").write_text(entries.main_of(kind, entry, folder), encoding="utf-8")
    what = f"Captures what the upstream {_WRAPPED[kind]} in `{found.code[0]}` reads, which was imported here: "
    said = "`headwater import status` says from where. It is wrapped in `__main__.py`; `pyproject.toml` is ours."
    return Draft(what=what + said, command=("python", "-m", folder.name), lost=_lost(found))


def _lost(found: Vendored) -> str:
    lost = [f"the license {found.licence}"] if found.licence else []
    lost += [f"the extras {', '.join(found.extras)}"] if found.extras else []
    return f"Upstream's project names {' and '.join(lost)}, which pyproject.toml does not have now" if lost else ""


def of_manifest(folder: pathlib.Path, manifest: pathlib.Path, more: Sequence[str]) -> Draft:
    """The connector in `folder` is a copy of `manifest`, with the components.py and spec beside it, if any."""
    for source, name in [(manifest, _MANIFEST), *((manifest.parent / each, each) for each in _BESIDE)]:
        if source.is_file() and not (folder / name).exists():  # what was imported into the folder is there
            shutil.copyfile(source, folder / name)
    project = Project(
        name=folder.name,
        description="A capture that is a declarative manifest.",
        requirements=["airbyte-cdk", "headwater", *more],
    )
    environments.install(folder, project, Package(name="airbyte-cdk", requirement="airbyte-cdk"))
    what = "Captures what `manifest.yaml` describes, a declarative manifest as Airbyte's connectors have it. "
    runs = f"There is no code but that: `python -m python.shim_airbyte_cdk {folder.name}` runs the folder."
    return Draft(what=what + runs, command=("python", "-m", "python.shim_airbyte_cdk", folder.name))


def of_native(folder: pathlib.Path, more: Sequence[str]) -> Draft:
    """The connector in `folder` is a small one of our own, of the protocol that its name says, to be made another."""
    kind = protocol_of(folder.name)
    package = folder / module_name(folder.name)
    package.mkdir()
    names = {"name": folder.name, "module": package.name, "class_name": class_name(folder.name)}
    (package / "__init__.py").write_text(rendered(f"{kind}.py", names), encoding="utf-8")
    (package / "py.typed").touch()
    (folder / "__main__.py").write_text(rendered("main_native.py", names), encoding="utf-8")
    project = Project(
        name=folder.name,
        description=f"A {_NATIVE[kind]} in Python.",
        requirements=["headwater", "pydantic>=2.7", *more],
        builds=True,
    )
    environments.install(folder, project)
    return Draft(what="", command=("python", "-m", folder.name), readme=f"README_{kind}.md")


_NATIVE = {"capture": "capture", "derive": "derivation", "materialize": "materialization"}
