"""What `headwater changed` does: list connectors."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from python.importing.changes import Connector, changed, connectors, touched
from python.importing.repository import here

__all__ = ["lines"]


def lines(since: str | None, form: str) -> Iterator[str]:
    """Yield what to print of the connectors of the repository around the current folder, in one of the `_FORMS`.

    With `since`, a revision of git, of those that differ from it. Raises GitError outside of a repository.
    """
    repository = here(pathlib.Path.cwd())
    found = connectors(repository.folder)
    yield from _FORMS[form](touched(found, changed(repository, since)) if since else found)


def _json(found: Sequence[Connector]) -> Iterator[str]:
    yield msgspec.json.encode([each.name for each in found]).decode()


def _matrix(found: Sequence[Connector]) -> Iterator[str]:
    for each in found:
        yield f"- {{ connector: {each.name}, connector_type: {each.type}, version: {each.version} }}"


def _names(found: Sequence[Connector]) -> Iterator[str]:
    yield from (each.name for each in found)


_FORMS: Mapping[str, Callable[[Sequence[Connector]], Iterator[str]]] = {
    "json": _json,
    "matrix": _matrix,
    "names": _names,
}
