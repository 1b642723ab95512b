"""Keeping a manifest from being a program where the CDK lets it be one: expressions, and files of the machine.

It runs inside of the interpreter that has airbyte-cdk: standard library and what the CDK brings, Python 3.9.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from pathlib import PurePosixPath

__all__ = ["enforce"]

_EXPRESSIONS = "airbyte_cdk.sources.declarative.interpolation.jinja"
_SCHEMA_FILES = "airbyte_cdk.sources.declarative.schema.json_file_schema_loader"


def enforce() -> contextlib.ExitStack:
    """From now on no expression reaches Python's own attributes, and no schema file lies outside of its package.

    CDKs before 1.0 evaluate expressions without jinja2's sandbox: `{{ cycler.__init__.__globals__.os… }}` runs
    programs there. Every CDK so far reads `json/../../../etc/x.json` as a schema. Leaving the result takes this back.
    """
    undo = contextlib.ExitStack()
    _sandbox_expressions(undo)
    _keep_schema_files_in(undo)
    return undo


def _sandbox_expressions(undo: contextlib.ExitStack) -> None:
    from jinja2 import Environment  # noqa: PLC0415 -- the CDK's own, imported with it
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415 -- same

    module = importlib.import_module(_EXPRESSIONS)
    if getattr(module, "Environment", None) is Environment:
        undo.callback(setattr, module, "Environment", Environment)
        module.Environment = SandboxedEnvironment  # type: ignore[attr-defined] # of the module as it was before 1.0


class _Packages:
    """What the loader of schema files asks of `pkgutil`."""

    @staticmethod
    def get_data(package: str, resource: str) -> bytes | None:
        """Return a file of a package, as pkgutil does."""
        path = PurePosixPath(resource.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or not package.isidentifier():
            raise PermissionError(f"a schema file may not lie outside of its package: {package}/{resource}")
        return pkgutil.get_data(package, resource)

    def __getattr__(self, name: str) -> object:
        return getattr(pkgutil, name)


def _keep_schema_files_in(undo: contextlib.ExitStack) -> None:
    module = importlib.import_module(_SCHEMA_FILES)
    undo.callback(setattr, module, "pkgutil", pkgutil)
    module.pkgutil = _Packages()  # type: ignore[attr-defined] # what it imports
