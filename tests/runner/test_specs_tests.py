"""Tests of a specification become values, each with its place."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from python.runner.catalog import Catalog
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError


def load(folder: Path, text: str) -> Catalog:
    path = folder / "test.flow.yaml"
    path.write_text(textwrap.dedent(text))
    return load_catalog(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load(folder, text)
    return [f"{problem.where.line}: {problem.sentence}" for problem in caught.value.problems]


def test_steps_and_documents_have_their_places(tmp_path: Path) -> None:
    catalog = load(
        tmp_path,
        """\
        tests:
          a/t:
            - ingest:
                collection: a/b
                documents:
                  - {id: 1}
            - verify:
                collection: {name: a/c, partitions: {include: {region: [EU]}}}
                description: All of Europe.
                documents: []
        """,
    )
    ingest, verify = catalog.tests["a/t"].steps

    assert (ingest.verify, ingest.source.collection, ingest.where.line) == (False, "a/b", 3)
    assert [(doc, where.line) for doc, where in ingest.documents] == [({"id": 1}, 6)]
    assert (verify.verify, verify.source.collection, verify.source.include) == (True, "a/c", {"region": ("EU",)})
    assert (verify.description, verify.documents) == ("All of Europe.", ())


def test_an_object_with_steps_is_a_test_too(tmp_path: Path) -> None:
    found = load(tmp_path, "tests: {a/t: {description: Why, steps: [{ingest: {collection: a/b, documents: []}}]}}")

    assert found.tests["a/t"].description == "Why"
    assert len(found.tests["a/t"].steps) == 1


def test_documents_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "docs.json").write_text('[{"id": 1}]')
    found = load(tmp_path, "tests: {a/t: [{ingest: {collection: a/b, documents: docs.json}}]}")

    [(doc, where)] = found.tests["a/t"].steps[0].documents
    assert (doc, where.file.name) == ({"id": 1}, "docs.json")


def test_what_is_no_document_and_what_is_no_list_are_told(tmp_path: Path) -> None:
    (tmp_path / "docs.json").write_text('{"id": 1}')
    text = """\
    tests:
      a/t:
        - ingest: {collection: a/b, documents: [{id: 1}, 5]}
        - ingest: {collection: a/b, documents: gone.json}
      a/u:
        - verify: {collection: a/b, documents: docs.json}
    """
    found = problems(tmp_path, text)

    assert "3: document 2 is 5; a document is an object" in found
    assert "1: holds no list; want a list of documents" in found
    assert len(found) == 3
