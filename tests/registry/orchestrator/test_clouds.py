"""The orchestrator on buckets of both clouds, in emulators: from the first tick to what readers get."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from python.registry.generation.publication import rollback
from python.registry.store import Store, open_store
from tests.registry.generation.buckets import NOW, generated, put, versions, whole
from tests.registry.orchestrator.orchestrating import checks, failure, run
from tests.registry.orchestrator.test_sensors import on_metadata, on_registry
from tests.registry.stores import BUCKET, contents

pytestmark = pytest.mark.slow


@pytest.fixture(params=["gs", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty bucket, with the environment that the orchestrator finds it by."""
    if request.param == "gs":
        for name, value in request.getfixturevalue("google").items():
            monkeypatch.setenv(name, value)
    else:
        request.getfixturevalue("s3")
    return open_store(f"{request.param}://{BUCKET}/{tmp_path.name}")


def test_what_is_uploaded_is_published_and_reported_run_by_run(store: Store) -> None:
    instance = dg.DagsterInstance.ephemeral()
    metadata, registry = on_metadata(store), on_registry(store)
    empty = [metadata.tick(), registry.tick()]
    put(store, "a")

    ticks = [metadata.tick()]
    first = run(store, instance=instance)
    ticks += [registry.tick()]
    reports = run(store, "generate_registry_reports", instance)
    done = [metadata.tick(), metadata.tick(), registry.tick()]
    store.put(put(store, "a", "1.1.0"), b"nonsense")
    put(store, "b")
    ticks += [metadata.tick()]
    second = run(store, instance=instance)

    assert empty[0].startswith(f"there are no connectors in {store.address} yet")
    assert empty[1] == f"nothing was published in {store.address} yet"
    assert ticks == ["", "", ""]
    assert [each.success for each in (first, reports, second)] == [True, True, True]
    assert b"airbyte/source-a" in store.get("generated_reports/connector_registry_report.md").data
    assert b"<!doctype html>" in store.get("generated_reports/registry/index.html").data.lower()
    assert done[:2] == [f"all that {store.address} has is published", f"nothing has changed in {store.address}"]
    assert done[2].endswith("is still the one that is published")
    assert checks(second)["quarantine"] is False
    assert versions(store) == versions(store, "cloud") == {"a": "1.0.0", "b": "1.0.0"}
    assert whole(store)


def test_a_run_that_changes_nothing_writes_nothing_and_one_during_a_rollback_is_refused(store: Store) -> None:
    for version in ("1.0.0", "1.1.0"):
        put(store, "a", version)
        generated(store)
    before = contents(store)
    again = run(store)
    after = contents(store)
    rollback(store, NOW, reason="1.1.0 is wrong")
    put(store, "b")

    assert again.success
    assert after == before
    assert on_metadata(store).tick().endswith("(1.1.0 is wrong): `headwater registry resume` ends it")
    assert failure(run(store)).startswith("a rollback to ")
    assert versions(store) == {"a": "1.0.0"}


def test_a_bucket_that_is_not_there_is_told_in_a_sentence(store: Store) -> None:
    address = f"{store.address.partition(':')[0]}://nobody-has-this-bucket"

    assert on_metadata(open_store(address)).tick().startswith(address)
