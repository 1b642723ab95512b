"""Custom code of a manifest: the classes that its components name, out of the components.py beside it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from python.protocol import pointer
from python.protocol.errors import ConnectorError

__all__ = ["class_names", "load", "problem_of", "register"]

_NAMES = ("components", "source_declarative_manifest.components")
_SHOWN_MAX = 10  # classes to name in an error


def load(path: Path) -> ModuleType:
    """Return the module in the file `path`, registered, and executed once. Raises ConnectorError where it fails.

    The file lies beside the manifest that the user asked to run, so its code is the user's own; code that comes in a
    config is another matter, which airbyte-cdk refuses unless AIRBYTE_ENABLE_UNSAFE_CODE is set.
    """
    spec = importlib.util.spec_from_file_location(_NAMES[0], path)
    assert spec is not None, path  # noqa: S101 -- a file that ends in .py has a loader
    assert spec.loader is not None, path  # noqa: S101 -- same
    module = importlib.util.module_from_spec(spec)
    register(module, ())
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        register(None, ())
        raise ConnectorError(f"{path}{_line_of(error, path)}: {type(error).__name__}: {error}") from error
    return module


def register(module: ModuleType | None, wanted: Mapping[str, str] | tuple[()]) -> None:
    """Make `module` what airbyte-cdk, and the class names `wanted` (by pointer), find as `components`; None undoes it.

    This lasts beyond the call, as it must: a source imports classes when it makes its streams. A manifest that was
    taken out of a package names its classes `source_x.components.X`, so these names lead to the module, too.
    """
    modules = {name.rpartition(".")[0] for name in dict(wanted).values()}
    own = {name for name in modules if name.rpartition(".")[2] == "components" and not _is_installed(name)}
    for name in own.union(_NAMES):
        if module is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = module


def class_names(resolved: Mapping[str, object]) -> dict[str, str]:
    """Return the class names of the custom components in a manifest without references, by their JSON pointers."""
    return dict(_named(resolved, ()))


def problem_of(class_name: str, components: Path | None) -> str:
    """Return why no class of this name can be had, or an empty text."""
    module_name, _, name = class_name.rpartition(".")
    try:
        module = importlib.import_module(module_name or _NAMES[0])
    except Exception as error:  # noqa: BLE001 -- a module may raise anything when it is imported
        if components is None and module_name.rpartition(".")[2] == _NAMES[0]:
            return f"the class {class_name} is looked for in components.py, and there is none beside the manifest"
        return f"the module {module_name} of the class {name} cannot be imported: {type(error).__name__}: {error}"
    if hasattr(module, name):
        return ""
    own = (module_name, _NAMES[0])  # not those which it imports
    known = [each for each, value in vars(module).items() if isinstance(value, type) and value.__module__ in own]
    offered = ", ".join(known[:_SHOWN_MAX]) or "none"
    return f"{components or module_name} has no class {name}; its classes are: {offered}"


def _named(value: object, at: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(item, (*at, str(index)))
    elif isinstance(value, dict):
        name = value.get("class_name")
        if isinstance(name, str) and str(value.get("type", "Custom")).startswith("Custom"):
            yield pointer.join((*at, "class_name")), name
        for key, item in value.items():
            # What definitions hold is used where it is referred to; the others are no components.
            if at or key not in ("definitions", "metadata", "schemas", "spec"):
                yield from _named(item, (*at, str(key)))


def _is_installed(module: str) -> bool:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # its package is not there; or it is ours, from before
        return False
    return found is not None


def _line_of(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
