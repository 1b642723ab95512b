from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
import pytest
import yaml

from tests.registry.generation.buckets import generated, metadata, put, whole
from tests.registry.orchestrator.orchestrating import bucket, checks, facts, failure, run
from tests.registry.service.test_notices import chat

pytestmark = pytest.mark.slow  # a run of Dagster takes seconds


def test_reports_and_pages_are_kept_in_the_bucket(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    generated(store)

    result = run(store, "generate_registry_reports")

    assert result.success
    assert facts(result, "connector_registry_report")["snapshot"] == whole(store)
    assert facts(result, "connector_registry_report")["report"].startswith("# Connector registry: 1 in oss")
    paths = [each.path for each in store.list("generated_reports/")]
    assert "generated_reports/connector_registry_report.json" in paths
    assert facts(result, "connector_registry_pages")["path"] in paths


def test_what_was_never_released_is_a_warning_and_people_are_told_once(tmp_path: Path) -> None:
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    put(store, "a")
    file = tmp_path / "checkout/source-a/metadata.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(metadata("a", "1.1.0")))
    os.utime(file, (1_700_000_000, 1_700_000_000))

    with chat() as slack:
        how = {"METADATA_CHECKOUT": str(file.parent.parent), "SLACK_WEBHOOK_URL": slack.url}
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("SLACK_WEBHOOK_URL", slack.url)
            first = run(store, "generate_stale_metadata_report", instance, **how)
            run(store, "generate_stale_metadata_report", instance, **how)

    assert first.success
    assert checks(first) == {"released": False}
    assert facts(first, "stale_latest_metadata")["stale"] == 1
    assert len(slack.texts) == 1
    assert "airbyte/source-a is 1.1.0 in source-a/metadata.yaml" in slack.texts[0]


def test_a_checkout_that_is_not_named_is_told(tmp_path: Path) -> None:
    assert "METADATA_CHECKOUT names no folder" in failure(run(bucket(tmp_path), "generate_stale_metadata_report"))
