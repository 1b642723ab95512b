"""Looks into the environment that it runs in.

    python -m python.importing.scaffold.probe ANSWER.json QUESTION ARGUMENT…

Runs on every Python from 3.10 on, beside any upstream package, and needs none of ours. What upstream modules print
while they are imported is theirs; the answer goes into a file.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

__all__ = ["entries", "pythons"]

_BASES = {"airbyte": ("airbyte_cdk.sources", "Source"), "singer": ("singer_sdk", "Tap")}
_SUBMODULES = ("source", "tap", "run", "main")
_GIVEN = ("catalog", "config", "state")


def pythons() -> dict[str, str]:
    """Return which Pythons each installed package wants, as its metadata says."""
    found = [each.metadata for each in metadata.distributions() if "Requires-Python" in each.metadata]
    return {str(each["Name"]): str(each["Requires-Python"]) for each in found}


def entries(kind: str, package: str, wanted: str = "", *more: str) -> dict[str, Any]:
    """Return the classes of sources or taps that the installed `package` has, its commands, and what failed to import.

    `kind` is airbyte or singer. `wanted`, if given, is `module:Class`, the only place to look
    then; `more` are names of the package's modules.
    """
    distribution = metadata.distribution(package)
    commands = {each.name: each.value for each in distribution.entry_points if each.group == "console_scripts"}
    tops = [*dict.fromkeys([*_tops(distribution), *more])]
    modules, failed = _imported([wanted.partition(":")[0]] if wanted else _likely(commands, tops))
    base, problem = _base(kind)
    classes = list(_classes(modules, base, tops, wanted.partition(":")[2])) if base else []
    return {"commands": commands, "classes": classes, "failed": {**failed, **problem}, "looked": sorted(modules)}


def _tops(distribution: metadata.Distribution) -> list[str]:
    """Return the names under which the modules of a package are imported; an editable one tells them in a file."""
    parts = [file.parts for file in distribution.files or () if file.suffix == ".py"]
    found = {each[0].removesuffix(".py") for each in parts} - {"tests", "test", "docs", "unit_tests", "scripts"}
    found |= {each.value.partition(".")[0].partition(":")[0] for each in distribution.entry_points}
    found.add(distribution.metadata["Name"].replace("-", "_"))
    return sorted(name for name in found if name.isidentifier() and not name.startswith("_"))


def _likely(commands: dict[str, str], tops: list[str]) -> list[str]:
    named = [value.partition(":")[0] for value in commands.values()]
    return list(dict.fromkeys([*tops, *named, *(f"{top}.{name}" for top in tops for name in _SUBMODULES)]))


def _imported(names: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    modules: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for name in names:
        _import(name, modules, failed)
    return modules, failed


def _import(name: str, modules: dict[str, Any], failed: dict[str, str]) -> None:
    try:
        modules[name] = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            failed[str(error.name)] = f"{name} imports {error.name}, which is not installed"
    except Exception as error:  # noqa: BLE001 -- a module may raise anything while it is imported
        failed[name] = f"{name} cannot be imported: {type(error).__name__}: {error}"


def _base(kind: str) -> tuple[Any, dict[str, str]]:
    module, name = _BASES[kind]
    modules, failed = _imported([module])
    return (getattr(modules[module], name) if modules else None), failed


def _classes(modules: dict[str, Any], base: Any, tops: list[str], wanted: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 -- a class of a package that is not ours
    found: dict[Any, str] = {}
    for module, loaded in modules.items():
        for name, value in vars(loaded).items():
            own = inspect.isclass(value) and issubclass(value, base) and value.__module__.partition(".")[0] in tops
            if own and not inspect.isabstract(value) and name == (wanted or name):
                found.setdefault(value, module)
    for value, module in found.items():
        if not any(value is not other and issubclass(other, value) for other in found):
            taken = [name for name in _GIVEN if name in inspect.signature(value).parameters]
            yield {"module": module, "name": value.__name__, "taken": taken}


def _main(target: str, question: str, *arguments: str) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        answer = pythons() if question == "pythons" else entries(*arguments)
    with open(target, "w", encoding="utf-8") as file:  # noqa: PTH123 -- one line for a path and a file
        json.dump(answer, file)


if __name__ == "__main__":
    _main(*sys.argv[1:])
