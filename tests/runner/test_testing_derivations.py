"""Which derivations the tests of a specification need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from python.runner.loading import load_catalog
from python.runner.testing_derivations import downstream


def derived(*sources: str, **more: Any) -> dict[str, Any]:
    transforms = [{"name": f"t{n}", "source": name, "shuffle": "any", **more} for n, name in enumerate(sources)]
    return {"schema": {}, "key": ["/id"], "derive": {"using": {"sqlite": {}}, "transforms": transforms}}


@pytest.mark.parametrize(
    ("ingested", "needed"),
    [
        (["a/source"], ["a/last", "a/middle"]),
        (["a/middle"], ["a/last"]),
        (["a/circle"], ["a/circle"]),
        (["a/last"], []),
        ([], []),
    ],
)
def test_what_reads_a_collection_directly_or_not_is_downstream(
    tmp_path: Path, ingested: list[str], needed: list[str]
) -> None:
    collections = {
        "a/last": derived("a/middle"),
        "a/middle": derived("a/source"),
        "a/off": derived("a/source", disable=True),
        "a/circle": derived("a/circle"),
        "a/source": {"schema": {}, "key": ["/id"]},
    }
    (tmp_path / "test.flow.yaml").write_text(json.dumps({"collections": collections}))
    catalog = load_catalog(tmp_path / "test.flow.yaml")

    assert [task.name for task in downstream(catalog, ingested)] == needed
