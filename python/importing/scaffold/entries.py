"""What of an upstream package is wrapped, and the `__main__.py` that does so."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Mapping, Sequence

import msgspec

from python.importing.scaffold.environments import ask
from python.protocol.errors import HeadwaterError

__all__ = ["REMEDIES", "Entry", "Found", "MissingModuleError", "chosen", "found_in", "main_of"]

REMEDIES = {"pkg_resources": "setuptools<81", "distutils": "setuptools<81"}
"""What to install for a module that packages import and do not require: it came with Python, or setuptools, once."""

_HELP_SECONDS_MAX = 60.0
_NAMED = {"airbyte": "Airbyte source", "singer": "Singer tap"}
_GIVEN = ("catalog", "config", "state")
_MAIN = """{imports}from python import {shim}

{shim}.{capture}.main()
"""


class Entry(msgspec.Struct, frozen=True):
    """A class of a source or tap. `taken` are those of catalog, config and state that its constructor takes."""

    module: str
    name: str
    taken: Sequence[str]

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


class Found(msgspec.Struct, frozen=True):
    """What an installed package offers. `failed` says of a module why it was not looked into, or what it lacks."""

    commands: Mapping[str, str]
    classes: Sequence[Entry]
    failed: Mapping[str, str]
    looked: Sequence[str]


class MissingModuleError(HeadwaterError):
    """A package imports a module that it does not require, and `requirement` has it."""

    def __init__(self, sentence: str, requirement: str) -> None:
        super().__init__(sentence)
        self.requirement = requirement


def found_in(folder: pathlib.Path, kind: str, package: str, wanted: str | None, tops: Sequence[str] = ()) -> Found:
    """Return what `package` offers in the environment of the connector in `folder`; `wanted` is `module:Class`.

    `tops` are names of its modules that it does not tell itself.
    """
    look = wanted if wanted and ":" in wanted else ""
    return msgspec.convert(ask(folder, "entries", kind, package, look, *tops), Found)


def chosen(found: Found, kind: str, package: str, wanted: str | None) -> Entry | str:
    """Return the class to wrap; of a package with a Singer tap that has no class, its command.

    `wanted` chooses where there are several. Raises MissingModuleError where the package would offer more with another
    one installed, and HeadwaterError where it offers nothing, or more than one thing.
    """
    if wanted and ":" not in wanted and kind == "singer":
        return _command(found, package, wanted)
    if len(found.classes) == 1:
        return found.classes[0]
    if found.classes:
        names = ", ".join(map(str, found.classes))
        raise HeadwaterError(f"{package} has several classes to wrap: {names}; choose one with --entry")
    missing = next((name for name in found.failed if name in REMEDIES), None)
    if missing is not None:
        raise MissingModuleError(found.failed[missing], REMEDIES[missing])
    if kind == "singer" and found.commands:
        return _command(found, package, None)
    looked = "; ".join([f"looked into {', '.join(found.looked) or 'no module'}", *found.failed.values()])
    raise HeadwaterError(f"{package} has no {_NAMED[kind]} ({looked}); name its class with --entry module:Class")


def _command(found: Found, package: str, wanted: str | None) -> str:
    commands = [name for name in found.commands if name == (wanted or name)]
    if len(commands) != 1:
        names = ", ".join(found.commands) or "none"
        raise HeadwaterError(f"{package} has these commands: {names}; choose one with --entry, or module:Class")
    return commands[0]


def main_of(kind: str, entry: Entry | str, folder: pathlib.Path) -> str:
    """Return the `__main__.py` that wraps `entry`, a class or a command in the environment of `folder`.

    Raises HeadwaterError where it is a command, and no Singer tap.
    """
    return _airbyte_main(entry) if kind == "airbyte" and isinstance(entry, Entry) else _singer_main(entry, folder)


def _airbyte_main(entry: Entry) -> str:
    """Return the `__main__.py` that wraps a source: anew for each request where its constructor takes the state."""
    given = ", ".join(name if name in entry.taken else f"_{name}" for name in _GIVEN)
    taken = ", ".join(f"{name}={name}" for name in entry.taken)
    delegate = f"lambda {given}: {entry.name}({taken})" if taken else f"{entry.name}()"
    return _MAIN.format(
        imports=f"from {entry.module} import {entry.name}\n\n",
        shim="shim_airbyte_cdk",
        capture=f"CaptureShim(delegate={delegate}, oauth2=None)",
    )


def _singer_main(entry: Entry | str, folder: pathlib.Path) -> str:
    """Return the `__main__.py` that wraps a tap: its class, or its command in the environment of `folder`."""
    if isinstance(entry, Entry):
        imports, made = f"from {entry.module} import {entry.name}\n\n", f"CaptureShim({entry.name})"
    else:
        option = "" if _knows_catalogs(folder, entry) else ', catalog_option="--properties"'
        imports, made = "", f'ExecutableShim(["{entry}"]{option})'
    return _MAIN.format(imports=imports, shim="shim_singer_sdk", capture=made)


def _knows_catalogs(folder: pathlib.Path, command: str) -> bool:
    """Whether a tap's command has the option --catalog, as its own help says; old ones have --properties alone."""
    path = folder / ".venv" / "bin" / command
    try:
        done = subprocess.run(
            [str(path), "--help"], capture_output=True, text=True, check=False, timeout=_HELP_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HeadwaterError(f"{command} --help cannot be run: {error}") from None
    told = done.stdout + done.stderr
    if "--catalog" not in told and "--properties" not in told:
        raise HeadwaterError(
            f"{command} is no Singer tap: its --help knows neither --catalog nor --properties; choose another command "
            "with --entry"
        )
    return "--catalog" in told
