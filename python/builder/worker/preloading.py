"""What every job would do first, done once: importing the CDK, and reading its component schema."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import importlib.util
import json
import platform
import types
from collections.abc import Iterable
from pathlib import Path

from .kinds import Foreign

__all__ = ["preload", "version"]

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

_REHEARSED = """{
  "version": "0.29.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["a"]},
  "streams": [{
    "type": "DeclarativeStream", "name": "a", "primary_key": ["id"],
    "retriever": {
      "type": "SimpleRetriever",
      "requester": {
        "type": "HttpRequester", "url_base": "https://a.invalid", "path": "/a", "http_method": "GET",
        "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['a'] }}"}
      },
      "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["a"]}},
      "paginator": {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "a"},
        "pagination_strategy": {
          "type": "CursorPagination", "cursor_value": "{{ response.a }}", "stop_condition": "{{ not response.a }}"
        }
      }
    },
    "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}}
  }]
}"""


def preload() -> dict[str, str]:
    """Import the CDK, read its component schema once for all jobs, and return the versions that health tells of."""
    gc.disable()  # what is imported stays: looking through it for garbage, again and again, is a quarter of the time
    try:
        raw, schema = _schema()  # first: importing then takes the memory that parsing has left over
    except OSError:
        importlib.import_module(_MAIN)  # tells better what is wrong with a CDK that is there by half
        raise
    _skip_docs()
    importlib.import_module(_MAIN)
    _imported(_LATER)
    _keep_schema(raw, schema)
    with contextlib.suppress(Exception):  # it saves time, and nothing depends on it
        _rehearse()
    gc.enable()
    return version()


def version() -> dict[str, str]:
    """Return which CDK and which Python these are."""
    return {"cdk_version": importlib.metadata.version("airbyte-cdk"), "python": platform.python_version()}


def _rehearse() -> None:
    """Do what fills caches: a source of the most usual components made, and the formats of dates tried.

    Nothing is read: that would start threads, and a process with threads must not be forked.
    """
    handler = importlib.import_module("airbyte_cdk.connector_builder.connector_builder_handler")
    config = {"__injected_declarative_manifest": json.loads(_REHEARSED)}
    handler.create_source(config, handler.get_limits(config)).streams(config)
    inferrers = importlib.import_module("airbyte_cdk.utils.datetime_format_inferrer")
    record = types.SimpleNamespace(data={"a": "x"}, stream="a")
    inferrers.DatetimeFormatInferrer().accumulate(record)


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
