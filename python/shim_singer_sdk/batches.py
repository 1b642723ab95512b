"""BATCH messages: files that a tap has written its records to. They are read, and then removed."""

from __future__ import annotations

import contextlib
import gzip
import os
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from python.protocol import document
from python.protocol.errors import ConnectorError, DocumentError
from python.shim_common.values import Json, items, mapping

__all__ = ["LINE_BYTES_MAX", "records_of"]

LINE_BYTES_MAX = 256 * 1024 * 1024
"""The longest record of a file: a file with no line ends in it is none of ours, and must not fill the memory."""


def records_of(message: Json) -> Iterator[object]:
    """Yield the records of a BATCH message, numbers kept exactly. Afterwards its files are gone, however that is.

    Raises ConnectorError where a file is not what we can read.
    """
    try:
        yield from _read(message)
    finally:
        for url in items(message.get("manifest")):
            with contextlib.suppress(OSError, ConnectorError):
                os.remove(_path(str(url), message))  # noqa: PTH107 -- a plain function of a path


def _read(message: Json) -> Iterator[object]:
    encoding = mapping(message.get("encoding"))
    form, compression = encoding.get("format"), encoding.get("compression") or "none"
    if form != "jsonl" or compression not in ("gzip", "none"):
        told = f"format {form}, compression {compression}"
        raise ConnectorError(f"{_name(message)}: a batch has {told}; set the tap's batch_config to jsonl and gzip")
    for url in items(message.get("manifest")):
        path = _path(str(url), message)
        try:
            with contextlib.closing(_opened(path, str(compression))) as lines:
                yield from _records(lines, f"{_name(message)}: {path}")
        except (OSError, EOFError, zlib.error) as error:
            raise ConnectorError(f"{_name(message)}: cannot read the batch {path}: {error}") from None


def _opened(path: Path, compression: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if compression == "gzip" else path.open("rb")  # a GzipFile is one


def _records(lines: IO[bytes], where: str) -> Iterator[object]:
    number = 0
    while line := lines.readline(LINE_BYTES_MAX):
        number += 1
        if not line.strip():
            continue
        try:
            yield document.decode(line)
        except DocumentError as error:
            raise ConnectorError(f"{where}, line {number}: {error}") from None


def _path(url: str, message: Json) -> Path:
    """Return the local path of a file URL, or of what is a path already."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("", "file"):
        raise ConnectorError(
            f"{_name(message)}: a batch lies at {parts.scheme}://; set the tap's batch_config.storage.root to file://…"
        )
    return Path(urllib.parse.unquote(parts.path)) if parts.scheme else Path(url)


def _name(message: Json) -> str:
    return f"stream {message.get('stream')}"
