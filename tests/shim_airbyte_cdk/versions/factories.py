"""Sources whose constructor takes catalog, config and state: file-based ones, and declarative ones since CDK 6."""

from __future__ import annotations

import contextlib
import fnmatch
import importlib.abc
import importlib.machinery
import importlib.metadata
import inspect
import io
import os
import sys
import types
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

FILES = {
    "a.csv": "id,name\n1,x\n2,y\n",
    "b.csv": "id,name\n3,z\n",
    "odd.table": 'id,price,of\n1,0.1234567890123456789,"{""big"":18446744073709551617}"\n',
    "odd.lines": '{"id":2,"price":0.1234567890123456789,"big":18446744073709551617}\n',
}
TAKES_STATE_FROM = 6
GLOBAL_CURSOR_FROM = 5
CURSOR = {
    "type": "DatetimeBasedCursor",
    "cursor_field": "at",
    "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
    "start_datetime": "2024-01-01T00:00:00Z",
    "end_datetime": "2024-01-03T23:59:59Z",
    "step": "P1D",
    # Finer than a step. With steps of one granule, CDK 6 and 7 take the first step for done once the second is, and
    # their state passes over it: a loss of their own, with their entrypoint, too.
    "cursor_granularity": "PT1S",
    "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "from"},
    "end_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "to"},
}


def _stream(name: str, url: str, path: str, **more: Any) -> dict[str, Any]:
    partitions = {"partition_router": more.pop("partition_router")} if "partition_router" in more else {}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": path, "http_method": "GET"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            **partitions,
        },
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "properties": {"id": {"type": ["null", "integer"]}}},
        },
        **more,
    }


def manifest(url: str, version: str) -> dict[str, Any]:
    parents = _stream("parents", url, "all_parents")
    link = {"type": "ParentStreamConfig", "stream": parents, "parent_key": "id", "partition_field": "parent"}
    router = {"type": "SubstreamPartitionRouter", "parent_stream_configs": [link]}
    visits = "parents/{{ stream_partition.parent }}/visits"
    streams = [
        parents,
        _stream("dated", url, "dated", incremental_sync=CURSOR),
        _stream("visits", url, visits, incremental_sync=CURSOR, partition_router=router),
    ]
    if int(version.partition(".")[0]) >= GLOBAL_CURSOR_FROM:
        shared = {**CURSOR, "global_substream_cursor": True}
        streams.append(_stream("shared", url, visits, incremental_sync=shared, partition_router=router))
    return {
        "version": version,
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["parents"]},
        "streams": streams,
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }


def declarative(catalog: Any, config: Any, state: Any) -> Any:
    version = importlib.metadata.version("airbyte-cdk")
    of = manifest((config or {}).get("url", "to be given"), version)
    if int(version.partition(".")[0]) < TAKES_STATE_FROM:
        old = importlib.import_module("airbyte_cdk.sources.declarative.manifest_declarative_source")
        return old.ManifestDeclarativeSource(source_config=of)
    module = importlib.import_module("airbyte_cdk.sources.declarative.concurrent_declarative_source")
    return module.ConcurrentDeclarativeSource(catalog=catalog, config=config, state=state, source_config=of)


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for the packages that read Avro, Parquet, Excel and PDF: large, and no more than imported here."""

    def find_spec(self, name: str, *given: Any) -> Any:
        of = name.partition(".")[0]
        found = of in ("fastavro", "pyarrow", "pandas", "numpy", "avro", "unstructured", "python_calamine")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if found else None

    def create_module(self, spec: Any) -> Any:
        class Module(types.ModuleType):
            def __getattr__(self, name: str) -> Any:
                if name.startswith("__"):
                    raise AttributeError(name)
                return type(name, (), {})

        return Module(spec.name)

    def exec_module(self, module: Any) -> None:
        """There is nothing in it."""


def _stand_in_for_readers() -> None:
    if any(isinstance(finder, Absent) for finder in sys.meta_path):
        return
    for name in ("pandas", "nltk"):  # where they are installed: pandas looks for pyarrow, and nltk downloads
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "nltk" in sys.modules:
        sys.modules["nltk"].download = lambda *_, **__: None  # type: ignore[attr-defined]  # it has one
    sys.meta_path.append(Absent())


def file_based(catalog: Any, config: Any, state: Any) -> Any:
    _stand_in_for_readers()
    base = "airbyte_cdk.sources.file_based."
    readers = importlib.import_module(base + "file_based_stream_reader")
    remote = importlib.import_module(base + "remote_file")
    spec = importlib.import_module(base + "config.abstract_file_based_spec").AbstractFileBasedSpec
    source = importlib.import_module(base + "file_based_source").FileBasedSource
    cursor = importlib.import_module(base + "stream.cursor").DefaultFileBasedCursor

    class Reader(readers.AbstractFileBasedStreamReader):  # type: ignore[misc, name-defined]  # imported just now
        config = None

        def get_matching_files(self, globs: list[str], *given: Any, **named: Any) -> Iterable[Any]:
            return [
                remote.RemoteFile(uri=name, last_modified=datetime(2024, 1, number + 1))  # noqa: DTZ001 -- as it wants it
                for number, name in enumerate(sorted(FILES))
                if any(fnmatch.fnmatch(name, each) for each in globs)
            ]

        def open_file(self, file: Any, *given: Any, **named: Any) -> Any:
            return io.StringIO(FILES[file.uri])

        def file_size(self, file: Any) -> int:
            return len(FILES[file.uri])

        def upload(self, *given: Any, **named: Any) -> Any:
            raise NotImplementedError

        get_file = upload

    class Spec(spec):  # type: ignore[misc, valid-type]  # imported just now
        @classmethod
        def documentation_url(cls) -> str:
            return "https://docs.test/files"

    class Files(source):  # type: ignore[misc, valid-type]  # same
        _concurrency_level = 10

    given = {"catalog": catalog, "config": config, "state": state}
    if catalog and "catalog_path" in inspect.signature(source.__init__).parameters:  # the first versions read a file
        given["catalog_path"] = str(Path(os.environ["REQUEST_CACHE_PATH"], "own.json"))  # goes with the request
        Path(given["catalog_path"]).write_text(catalog.json())
    taken = {name: value for name, value in given.items() if name in inspect.signature(source.__init__).parameters}
    return Files(Reader(), Spec, cursor_cls=cursor, **taken)


FACTORIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "declarative": declarative,
    "file_based": file_based,
    "files_refreshed": file_based,
    "files_odd": file_based,
}
