"""Steps of tests are checked before anything runs, and what is wrong with them has its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from python.runner.loading import load_catalog
from python.runner.problems import CatalogError
from python.runner.testing_steps import Ingest, Verify, checked

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "region": {"type": "string"}},
    "required": ["id"],
}


def step(folder: Path, kind: str, *documents: Any, collection: Any = "a/b") -> Ingest | Verify:
    spec = {
        "collections": {
            "a/b": {"schema": SCHEMA, "key": ["/id"], "projections": {"r": {"location": "/region", "partition": True}}}
        },
        "tests": {"a/t": [{kind: {"collection": collection, "documents": documents}}]},
    }
    (folder / "test.flow.yaml").write_text(json.dumps(spec, indent=1))
    catalog = load_catalog(folder / "test.flow.yaml")
    return checked(catalog.tests["a/t"].steps[0], catalog)


def refused(folder: Path, kind: str, *documents: Any, collection: Any = "a/b") -> list[str]:
    with pytest.raises(CatalogError) as caught:
        step(folder, kind, *documents, collection=collection)
    lines = (folder / "test.flow.yaml").read_text().splitlines()
    return [f"{lines[problem.where.line - 1].strip()} {problem.sentence}" for problem in caught.value.problems]


def test_an_ingest_is_one_transaction_combined_by_key(tmp_path: Path) -> None:
    found = step(tmp_path, "ingest", {"id": 2}, {"id": 1}, {"id": 2, "region": "EU"})

    assert isinstance(found, Ingest)
    assert found.documents == [b'{"id":1}', b'{"id":2,"region":"EU"}']


def test_each_document_that_cannot_be_ingested_is_told(tmp_path: Path) -> None:
    first, second = refused(tmp_path, "ingest", {"id": "one"}, {"id": 1}, {})

    assert first.startswith("{ document 1 cannot be ingested: a/b: the document with key")
    assert 'at "/id"' in first or "/id" in first
    assert second.startswith("{} document 3 cannot be ingested: a/b: the document with key [null] violates")


@pytest.mark.parametrize(("kind", "does"), [("ingest", "ingests into"), ("verify", "verifies")])
def test_an_unknown_collection_is_told_with_the_one_that_is_meant(tmp_path: Path, kind: str, does: str) -> None:
    [problem] = refused(tmp_path, kind, collection="a/bb")

    assert problem.endswith(f"{does} a/bb, which no file defines; did you mean 'a/b'?")


def test_expected_documents_are_in_the_order_of_the_key(tmp_path: Path) -> None:
    [order] = refused(tmp_path, "verify", {"id": 2}, {"id": 1})
    [twice] = refused(tmp_path, "verify", {"id": 2}, {"id": 2})

    assert "document 2, [1], comes before the last one by key: want the order of the key /id, each once" in order
    assert "document 2, [2], has the key of the one before it" in twice


def test_a_selection_is_of_partitions(tmp_path: Path) -> None:
    found = step(tmp_path, "verify", collection={"name": "a/b", "partitions": {"include": {"r": ["EU"]}}})
    [problem] = refused(tmp_path, "verify", collection={"name": "a/b", "partitions": {"include": {"id": [1]}}})

    assert isinstance(found, Verify)
    assert found.source.accepts
    assert found.source.accepts(b'{"id":1,"region":"EU"}')
    assert not found.source.accepts(b'{"id":1}')
    assert "'id', which is no partition of a/b" in problem
