"""The pyproject.toml of a connector."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from packaging.specifiers import SpecifierSet

from python.importing.scaffold.names import module_name

__all__ = ["MINORS", "Project", "fitting", "text_of"]

MINORS = (10, 11, 12, 13)
"""The Pythons 3.x that this project's core runs on."""

_BUILD = """[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

"""

_DEVELOPMENT = """[dependency-groups]
dev = ["debugpy>=1.8"]

"""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector's pyproject.toml says. `minors` are adjacent Pythons 3.x.

    `folders` are those of required packages that are local, from the connector's folder on. With `builds`, the
    connector has a package of its own, to be installed with the others: the `code`, by default the folder named after
    the connector, and the `commands`, by name.
    """

    name: str
    description: str
    requirements: Sequence[str]
    minors: Sequence[int] = MINORS
    folders: Mapping[str, str] = {}
    builds: bool = False
    version: str = "1.0.0"
    code: Sequence[str] = ()
    commands: Mapping[str, str] = {}


def text_of(project: Project) -> str:
    """Return the text of the pyproject.toml of `project`."""
    code = json.dumps([*project.code] or [module_name(project.name)])
    package = f"[tool.hatch.build.targets.wheel]\npackages = {code}\n\n"
    commands = "".join(f"{json.dumps(name)} = {json.dumps(target)}\n" for name, target in project.commands.items())
    dependencies = ", ".join(json.dumps(each) for each in project.requirements)
    sources = {**project.folders, "headwater": ".."}
    return "".join(
        [
            _BUILD if project.builds else "",
            f'[project]\nname = "{project.name}"\nversion = "{project.version}"\n',
            f"description = {json.dumps(project.description, ensure_ascii=False)}\n",
            f'requires-python = ">=3.{project.minors[0]},<3.{project.minors[-1] + 1}"\n',
            f"dependencies = [{dependencies}]\n\n",
            f"[project.scripts]\n{commands}\n" if commands else "",
            _DEVELOPMENT,
            package if project.builds else "[tool.uv]\npackage = false\n\n",
            "[tool.uv.sources]\n",
            *(f"{name} = {{ path = {json.dumps(path)}, editable = true }}\n" for name, path in sources.items()),
        ]
    )


def fitting(minors: Sequence[int], own: str, others: Iterable[str]) -> list[int]:
    """Return those Pythons 3.x of `minors` that fit the specifier `own`, and are not too new for one of the `others`.

    For a Python that is too old for the newest version of a dependency, a lock has an older one; uv does not look at
    upper bounds.

    >>> fitting((10, 11, 12, 13), ">=3.10", [">=3.11,<4.0", "<3.13,>=3.8"])
    [10, 11, 12]
    """
    bounds = [_fits(minors, each) for each in others]
    newest = min((max(fits, default=0) for fits in bounds), default=minors[-1])
    return [minor for minor in _fits(minors, own) if minor <= newest]


def _fits(minors: Sequence[int], specifier: str) -> list[int]:
    wanted = SpecifierSet(specifier)
    # A release late in its line: `>3.10` and `!=3.11.0` are about the first ones.
    return [minor for minor in minors if wanted.contains(f"3.{minor}.99")]
