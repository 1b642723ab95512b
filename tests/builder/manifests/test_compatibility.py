"""The compatibility report: what is built in, what is custom, and where the config is nested."""

from __future__ import annotations

from pathlib import Path

import pytest

from python.builder.manifests import cdk
from python.builder.manifests.compatibility import Row, Status, as_json, as_table, compatibility, is_compatible
from python.builder.manifests.gathering import gathered
from python.builder.manifests.linting import opened, read

pytest.importorskip("airbyte_cdk")

MANIFESTS = Path(__file__).parent.parent.parent / "manifests"


def rows(path: Path) -> list[Row]:
    found = gathered(path)
    allowed = cdk.installed()
    return compatibility(read(opened(found.text), allowed), allowed, found.components)


def test_what_is_built_in_needs_no_attention() -> None:
    found = rows(MANIFESTS / "lists")

    assert is_compatible(found)
    assert [(row.question, row.what) for row in found][-2:] == [
        ("Incremental", "DatetimeBasedCursor"),
        ("Schema", "InlineSchemaLoader"),
    ]


def test_a_custom_component_is_told_with_its_class_and_what_is_built_in_instead() -> None:
    [row] = [row for row in rows(MANIFESTS / "custom") if row.question == "Records"]

    assert (row.what, row.status) == (
        "CustomRecordExtractor source_declarative_manifest.components.Table",
        Status.CUSTOM,
    )
    assert row.note == (
        "components.py has the class Table; built in are CombinedExtractor, DpathExtractor, ResponseToFileExtractor"
    )


def test_a_class_that_components_py_lacks_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text((MANIFESTS / "custom" / "manifest.yaml").read_text(encoding="utf-8"))
    (tmp_path / "components.py").write_text("class Signer: ...\n", encoding="utf-8")

    notes = {row.question: row.note.partition(";")[0] for row in rows(tmp_path) if row.note}

    assert notes["Authentication"] == "components.py has the class Signer"
    assert notes["Pagination"] == "components.py does not have the class WhatIsLeft"


def test_nested_config_is_told_for_expressions_and_for_paths() -> None:
    found = [row for row in rows(MANIFESTS / "oauth") if row.status is Status.NESTED]

    assert [(row.line, row.what) for row in found] == [
        (18, "config.credentials.client_id"),
        (19, "config.credentials.client_secret"),
        (20, "config.credentials.refresh_token"),
        (47, "config.credentials.refresh_token"),
    ]


def test_what_the_cdk_does_not_have_is_missing(tmp_path: Path) -> None:
    text = (MANIFESTS / "csv" / "manifest.yaml").read_text(encoding="utf-8")
    (tmp_path / "manifest.yaml").write_text(text.replace("CsvDecoder", "ParquetDecoder"), encoding="utf-8")

    [row] = [row for row in rows(tmp_path) if row.status is Status.MISSING]

    assert (row.question, row.what, row.line) == ("Response format", "ParquetDecoder", 12)


def test_a_report_counts_what_needs_attention() -> None:
    found = rows(MANIFESTS / "custom")

    assert as_table("m", "7", found).splitlines()[-1] == "8 features, 4 need attention"
    assert '"status":"custom code"' in as_json("m", "7", found)
