"""Files of documents for a preview: transactions, each of documents of some collections (reference, 10.1).

A line is `["collection",{…}]`, or `{"commit":true}` after the last document of a transaction. The older form is one
JSON array of transactions, each an array of `[collection, document]`.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
from collections.abc import Generator, Iterator
from typing import NamedTuple

import msgspec

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.runner.problems import CatalogError, Where
from python.runner.stop import Stop

__all__ = ["LINE_BYTES_MAX", "Given", "transactions_in"]

LINE_BYTES_MAX = 64 * 1024 * 1024
"""No document of Flow's is as large: what has no newline for so long is no fixture."""

_PIECE_BYTES = 64 * 1024
_TICK_SECONDS = 0.1  # a stop is noticed this soon, while nothing comes
_FORMS = 'want ["collection",{document}], or {"commit":true}'

_pair = msgspec.json.Decoder(tuple[str, msgspec.Raw]).decode
_array = msgspec.json.Decoder(list[list[tuple[str, msgspec.Raw]]]).decode


class _Commit(msgspec.Struct, forbid_unknown_fields=True):
    commit: bool


class Given(NamedTuple):
    """A document of a fixture: its collection, its JSON text on one line, and where it stands."""

    collection: str
    doc: bytes
    where: Where


def transactions_in(path: str, stop: Stop) -> Generator[list[Given], None, None]:
    """Yield the transactions of the file at `path`, or of stdin where that is `-`, as they come, until `stop` is asked.

    Documents after the last commit are a transaction too. Raises HeadwaterError for what is no file that can
    be read, and CatalogError, which names the line, for what is no fixture.
    """
    with _told(path):
        descriptor = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO may have no writer yet
    try:
        pieces = _pieces(descriptor, path, stop)
        for transaction in _transactions(_lines(pieces, pathlib.Path("stdin" if path == "-" else path), stop)):
            if stop.asked:
                return
            yield transaction
    finally:
        if path != "-":
            os.close(descriptor)


def _transactions(lines: Iterator[tuple[bytes, Where]]) -> Iterator[list[Given]]:
    transaction: list[Given] = []
    for line, where in lines:
        if line[1:].lstrip()[:1] in (b"[", b"]", b"") and line.startswith(b"["):
            yield from _array_in(b"\n".join([line, *(rest for rest, _ in lines)]), where)
            return
        given = _given(line, where)
        if given is not None:
            transaction.append(given)
        else:
            yield transaction
            transaction = []
    if transaction:
        yield transaction


def _given(line: bytes, where: Where) -> Given | None:
    """Return the document of a line; None where the line is a commit."""
    try:
        if not line.startswith(b"{"):
            collection, doc = _pair(line)
            return Given(collection, bytes(doc), where)
        if msgspec.json.decode(line, type=_Commit).commit:
            return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CatalogError.at(where, f"{error}; {_FORMS}") from None
    raise CatalogError.at(where, f"commit is false; {_FORMS}")


def _array_in(text: bytes, where: Where) -> Iterator[list[Given]]:
    try:
        found = _array(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CatalogError.at(where, f"{error}; want an array of transactions; or in lines, {_FORMS}") from None
    for transaction in found:
        yield [Given(collection, document.one_line(doc), where) for collection, doc in transaction]


def _lines(pieces: Iterator[bytes], path: pathlib.Path, stop: Stop) -> Iterator[tuple[bytes, Where]]:
    """Yield the lines with something in them, stripped, each with its place."""
    rest, number = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            number += 1
            if line.strip():
                yield line.strip(), Where(path, number)
        if len(rest) > LINE_BYTES_MAX:
            raise CatalogError.at(Where(path, number + 1), f"is longer than {LINE_BYTES_MAX:,} bytes; {_FORMS}")
    if rest.strip() and not stop.asked:
        yield rest.strip(), Where(path, number + 1)


def _pieces(descriptor: int, path: str, stop: Stop) -> Iterator[bytes]:
    while not stop.asked:
        with _told(path):
            ready, _, _ = select.select([descriptor], [], [], _TICK_SECONDS)
            piece = os.read(descriptor, _PIECE_BYTES) if ready else None
        if piece is None:
            continue
        if not piece:
            return
        yield piece


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """What the system says against reading the fixture is a sentence."""
    try:
        yield
    except OSError as error:
        advice = "give a file of documents, or - for stdin"
        raise HeadwaterError(f"--fixture {path}: {error.strerror or error}; {advice}") from None
