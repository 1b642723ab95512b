"""From entries of tests, which the grammar has accepted, to the values they stand for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from python.runner.catalog_tests import CatalogTest, Step
from python.runner.entries import Entry, Form
from python.runner.problems import Problem, Where
from python.runner.specs_readers import SourceForm, source_in

__all__ = ["test_of"]


class _Step(Form):
    collection: str | SourceForm
    documents: object
    description: str = ""


class _Test(Form):
    steps: list[dict[str, _Step]]
    description: str = ""


def test_of(entry: Entry) -> CatalogTest:
    """Return the test of `entry`: an object with steps, or a list of them. Raises CatalogError with all problems."""
    bare = isinstance(entry.spec, list)
    form = msgspec.convert({"steps": entry.spec} if bare else entry.spec, _Test)
    at = () if bare else ("steps",)
    steps = tuple(
        _step(entry, kind, step, *at, index) for index, given in enumerate(form.steps) for kind, step in given.items()
    )
    entry.settle()
    return CatalogTest(name=entry.name, steps=steps, description=form.description, where=entry.where())


def _step(entry: Entry, kind: str, form: _Step, *at: str | int) -> Step:
    here = (*at, kind)
    return Step(
        verify=kind == "verify",
        source=source_in(entry, form.collection, *here, "collection"),
        documents=tuple(_documents(entry, form.documents, *here, "documents")),
        description=form.description,
        where=entry.where(*here),
    )


def _documents(entry: Entry, given: object, *at: str | int) -> list[tuple[object, Where]]:
    """Return the documents, or those of the file that is named, each with its place. Notes what is none."""
    before = len(entry.problems)
    found, where = entry.value(given, *at)
    if not isinstance(found, list):
        if len(entry.problems) == before:
            entry.problems.append(Problem(where, "holds no list; want a list of documents"))
        return []
    inline = found is given
    placed = [(doc, entry.where(*at, index) if inline else where) for index, doc in enumerate(found)]
    entry.problems.extend(
        Problem(place, f"document {number} is {str(doc)[:60]}; a document is an object")
        for number, (doc, place) in enumerate(placed, 1)
        if not isinstance(doc, Mapping)
    )
    return placed
