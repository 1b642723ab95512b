"""Runs that fail are told to people, by a real server on loopback, and the webhook's address to nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from python.registry.orchestrator.sensors import notify_of_failed_runs
from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import put
from tests.registry.orchestrator.orchestrating import bucket, resources, run, shrunk
from tests.registry.service.test_notices import SECRET, chat

pytestmark = pytest.mark.slow  # a run of Dagster takes seconds


def broken(store: FolderStore) -> None:
    put(store, "a")
    store.put("registries/current.json", b"nonsense")


def tell(
    folder: Path,
    instance: dg.DagsterInstance | None = None,
    breaking: Callable[[FolderStore], None] = broken,
    **environment: str,
) -> None:
    """A run fails, as a bucket is broken, and the sensor is called for it."""
    store, instance = bucket(folder), instance or dg.DagsterInstance.ephemeral()
    breaking(store)
    result = run(store, instance=instance)
    assert not result.success
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        notices: Any = resources(store, **environment)["notices"]
        context = dg.build_run_status_sensor_context(
            sensor_name="notify_of_failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
            resources={"notices": notices},
        ).for_run_failure()
        notify_of_failed_runs(context)


def test_people_are_told_which_job_failed_and_why(tmp_path: Path) -> None:
    with chat() as slack:
        tell(tmp_path, SLACK_WEBHOOK_URL=slack.url)

    (text,) = slack.texts
    assert text.startswith("generate_registry failed (run ")
    assert "metadata: registries/current.json cannot be read" in text


def test_people_are_told_what_gates_refuse_and_why(tmp_path: Path) -> None:
    with chat() as slack:
        tell(tmp_path, breaking=shrunk, SLACK_WEBHOOK_URL=slack.url)

    (text,) = slack.texts
    assert "\ngates: shrink: oss would go from 8 to 1 entries" in text


def nothing(_: FolderStore) -> None: ...


def test_people_are_told_once_of_the_same_reasons(tmp_path: Path) -> None:
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    with chat() as slack:
        for breaking in (broken, nothing, nothing):
            tell(tmp_path, instance, breaking, SLACK_WEBHOOK_URL=slack.url)
        store.delete("registries/current.json")
        run(store, instance=instance)
        tell(tmp_path, instance, SLACK_WEBHOOK_URL=slack.url)

    assert len(slack.texts) == 2


def test_what_did_not_arrive_is_told_with_the_next_failure(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    with chat([404]) as slack:
        tell(tmp_path, instance, SLACK_WEBHOOK_URL=slack.url)
        tell(tmp_path, instance, nothing, SLACK_WEBHOOK_URL=slack.url)

    assert len(slack.texts) == 2


@pytest.mark.parametrize("statuses", [[], [404]])
def test_the_address_is_in_no_log(
    tmp_path: Path, statuses: list[int], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with chat(statuses) as slack:
        tell(tmp_path, NIGHTLY_REPORT_SLACK_WEBHOOK_URL=slack.url)
        assert len(slack.texts) == 1

    printed = capfd.readouterr()
    assert SECRET not in caplog.text + printed.out + printed.err
    assert "generate_registry failed" in caplog.text + printed.out + printed.err


def test_without_a_webhook_a_failure_is_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tell(tmp_path)

    assert "generate_registry failed" in capfd.readouterr().err


@pytest.mark.parametrize("statuses", [[], [404]])
def test_people_are_told_once_of_a_connector_that_is_wrong_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statuses: list[int]
) -> None:
    store, instance = bucket(tmp_path), dg.DagsterInstance.ephemeral()
    put(store, "a")
    store.put(put(store, "b"), b"nonsense")

    with chat(statuses) as slack:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", slack.url)
        results = [run(store, instance=instance, SLACK_WEBHOOK_URL=slack.url) for _ in range(2)]

    assert [each.success for each in results] == [True, True]
    (text,) = slack.texts
    assert text.startswith("Connectors that keep what they had:\nairbyte/source-b quarantined: ")
