"""What every job would do first, done once: importing the CDK, reading its component schema, a first read."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import importlib.util
import platform
import types
from collections.abc import Iterable
from pathlib import Path

from . import rehearsing
from .kinds import Foreign

__all__ = ["preload", "version"]

_GC_THRESHOLD = 20_000  # of new objects; never looking would scatter over more pages what jobs write to
_MAIN = "airbyte_cdk.connector_builder.main"
_SCHEMA = "sources/declarative/declarative_component_schema.yaml"
_SOURCES = (
    "airbyte_cdk.sources.declarative.concurrent_declarative_source",
    "airbyte_cdk.sources.declarative.manifest_declarative_source",
)
_READERS = ("get_declarative_component_schema", "_get_declarative_component_schema")  # since 7.29 or so; before
_LATER = (
    "orjson",
    "jsonschema",
    "genson",
    "requests_cache",
    "socks",
    "idna",
    "encodings.idna",
    "html.parser",
    "stringprep",
)


def preload(*, rehearse: bool = True) -> dict[str, str]:
    """Import the CDK, read its component schema once for all jobs, and return the versions that health tells of.

    With `rehearse`, a test read is done, too; see `rehearsing.read` for what it leaves.
    """
    gc.set_threshold(_GC_THRESHOLD)  # looking through all that is imported, again and again, is a quarter of the time
    try:
        raw, schema = _schema()  # first: importing then takes the memory that parsing has left over
    except OSError:
        importlib.import_module(_MAIN)  # tells better what is wrong with a CDK that is there by half
        raise
    _skip_docs()
    importlib.import_module(_MAIN)
    _imported(_LATER)
    _keep_schema(raw, schema)
    told = version()
    if rehearse:
        with contextlib.suppress(Exception):  # it saves time, and nothing depends on it
            rehearsing.read(told["cdk_version"])
    return told


def version() -> dict[str, str]:
    """Return which CDK and which Python these are."""
    return {"cdk_version": importlib.metadata.version("airbyte-cdk"), "python": platform.python_version()}


def _imported(names: Iterable[str]) -> list[types.ModuleType]:
    """Return those of the modules that there are."""
    modules = []
    for name in names:
        with contextlib.suppress(ImportError):
            modules.append(importlib.import_module(name))
    return modules


def _skip_docs() -> None:
    """Let the CDK's serializers be made without the documentation of their fields, which no job asks for.

    To find it, the library behind them parses the CDK's own source: a third of the time that importing takes.
    """
    for module in _imported(["attributes_doc"]):
        setattr(module, "get_attributes_doc", lambda _: {})  # noqa: B010 -- mypy takes a module for what it was


def _keep_checked(schema: Foreign) -> None:
    """Let jsonschema not check, for each job, that the CDK's component schema is one: 80 ms since its version 4."""
    checker = importlib.import_module("jsonschema").validators.validator_for(schema)
    check = checker.check_schema

    def checked(other: Foreign, *arguments: Foreign, **options: Foreign) -> None:
        if other is not schema:
            check(other, *arguments, **options)

    checker.check_schema = checked


def _schema() -> tuple[bytes, Foreign]:
    """Return the CDK's component schema, as it is written and parsed, without importing the CDK."""
    found = importlib.util.find_spec("airbyte_cdk")
    if found is None or not found.submodule_search_locations:
        raise ImportError("No module named 'airbyte_cdk'")
    raw = Path(found.submodule_search_locations[0], _SCHEMA).read_bytes()
    yaml = importlib.import_module("yaml")
    return raw, yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _keep_schema(raw: bytes, schema: Foreign) -> None:
    """Let the component schema be parsed once, here. Each job has it to itself: it runs in a process of its own."""
    yaml = importlib.import_module("yaml")
    for module in _imported(_SOURCES):
        for reader in _READERS:
            if hasattr(module, reader):
                setattr(module, reader, lambda: schema)
    _keep_checked(schema)
    load = yaml.load

    def loaded(stream: Foreign, Loader: Foreign) -> Foreign:  # noqa: N803 -- the name that callers use
        return schema if stream == raw else load(stream, Loader=Loader)

    setattr(yaml, "load", loaded)  # noqa: B010 -- mypy takes a module for what it was
