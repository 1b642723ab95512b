"""What every job would do first, done once: importing the CDK, and reading its component schema."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import pkgutil
import platform

from .kinds import Foreign

__all__ = ["preload", "version"]

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
_MANIFEST = {
    "version": "0.29.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["a"]},
    "streams": [],
}


def preload() -> dict[str, str]:
    """Import the CDK, read its component schema once for all jobs, and return the versions that health tells of."""
    importlib.import_module("airbyte_cdk.connector_builder.main")
    for name in _LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _keep_schema()
    return version()


def version() -> dict[str, str]:
    """Return which CDK and which Python these are."""
    return {"cdk_version": importlib.metadata.version("airbyte-cdk"), "python": platform.python_version()}


def _keep_schema() -> None:
    """Let the component schema be parsed once, here. Each job has it to itself: it runs in a process of its own."""
    raw = pkgutil.get_data("airbyte_cdk", _SCHEMA)
    yaml = importlib.import_module("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    schema = yaml.load(raw, Loader=loader)
    for module_name in _SOURCES:
        with contextlib.suppress(ImportError):
            module = importlib.import_module(module_name)
            for reader in _READERS:
                if hasattr(module, reader):
                    setattr(module, reader, lambda: schema)
    load = yaml.load

    def loaded(stream: Foreign, Loader: Foreign) -> Foreign:  # noqa: N803 -- the name that callers use
        return schema if stream == raw else load(stream, Loader=Loader)

    setattr(yaml, "load", loaded)  # noqa: B010 -- mypy takes a module for what it was
