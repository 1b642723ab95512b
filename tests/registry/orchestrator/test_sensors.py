"""What makes jobs run: each sensor and schedule, called as Dagster calls it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from python.registry.generation.applying import prepare
from python.registry.generation.planning import plan
from python.registry.generation.publication import point, resume, rollback
from python.registry.generation.snapshots import current
from python.registry.orchestrator import gates, sensors
from python.registry.store import Store
from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import NOW, generated, put, versions
from tests.registry.orchestrator.orchestrating import bucket, resources, run, shrunk
from tests.registry.stores import CrashError, FailingStore


class Sensed:
    """A sensor and its cursor, from tick to tick."""

    def __init__(self, sensor: Any, store: Store, **how: Any) -> None:
        self._sensor = sensor
        self._resources = {name: resources(store, **how)[name] for name in sensor.required_resource_keys}
        self.cursor: str | None = None
        self.keys: list[str] = []

    def tick(self) -> str:
        """Why nothing is run, empty if something is."""
        with dg.build_sensor_context(cursor=self.cursor, resources=self._resources) as context:
            told = self._sensor(context)
        if isinstance(told, dg.SkipReason):
            return str(told.skip_message)
        self.cursor = told.cursor
        self.keys += [str(each.run_key) for each in told.run_requests or ()]
        return str(told.skip_reason.skip_message) if told.skip_reason else ""


def on_metadata(store: Store, **how: Any) -> Sensed:
    return Sensed(sensors.generate_registry_on_metadata_changed, store, **how)


def on_registry(store: Store, **how: Any) -> Sensed:
    return Sensed(sensors.generate_registry_reports_on_registry_updated, store, **how)


BOTH = pytest.mark.parametrize("sensed", [on_metadata, on_registry])


def test_the_first_tick_runs_and_the_next_ones_do_not(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    sensed = on_metadata(store)

    assert sensed.tick() == ""
    assert sensed.tick() == f"nothing has changed in {store.address}"


def test_the_first_tick_runs_where_all_is_published_so_that_assets_are_there(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    generated(store)

    assert on_metadata(store).tick() == ""


def test_what_a_run_has_published_does_not_start_another(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    sensed = on_metadata(store)
    sensed.tick()
    generated(store)

    assert sensed.tick() == f"all that {store.address} has is published"
    assert sensed.tick() == f"nothing has changed in {store.address}"


def test_a_change_runs(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    sensed = on_metadata(store)
    sensed.tick()
    put(store, "b")

    assert sensed.tick() == ""
    assert len(sensed.keys) == 2


def edited_copy(store: FolderStore) -> None:
    store.put("registries/v0/oss_registry.json", b"{}")


def killed_after_the_switch(store: FolderStore) -> None:
    put(store, "b")
    made = prepare(store, plan(store, NOW))
    assert made is not None
    point(store, made, current(store), NOW)


@pytest.mark.parametrize("what", [edited_copy, killed_after_the_switch])
def test_copies_for_readers_that_are_not_what_is_published_run(
    tmp_path: Path, what: Callable[[FolderStore], None], instance: dg.DagsterInstance
) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    generated(store)
    sensed = on_metadata(store)
    sensed.tick()
    what(store)

    hourly, ticked = scheduled(sensors.generate_registry_hourly, store, instance), sensed.tick()
    generated(store)

    assert (len(hourly), ticked) == (1, "")
    assert sensed.tick() == f"all that {store.address} has is published"


def test_a_state_that_comes_back_after_a_deletion_runs_with_a_key_of_its_own(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    sensed = on_metadata(store)
    generated(store)
    sensed.tick()
    for _ in range(2):
        path = put(store, "a", "1.1.0")
        assert sensed.tick() == ""
        store.delete(path)
        store.delete(path.replace("metadata.yaml", "spec.json"))
        sensed.tick()

    assert len(set(sensed.keys)) == len(sensed.keys) >= 3


def test_a_request_that_was_lost_with_its_cursor_is_made_again_with_the_same_key(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    sensed, again = on_metadata(store), on_metadata(store)
    sensed.tick()
    again.tick()

    assert sensed.keys == again.keys


@pytest.mark.parametrize("cursor", ["nonsense", '{"mark": 1}', "\x00"])
def test_a_cursor_that_cannot_be_read_starts_anew(tmp_path: Path, cursor: str) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    sensed = on_metadata(store)
    sensed.cursor = cursor

    assert sensed.tick() == ""


def file_in_place(store: FolderStore) -> None:
    Path(store.address).write_text("")


def no_bucket(store: FolderStore) -> None: ...


def empty_bucket(store: FolderStore) -> None:
    Path(store.address).mkdir()


def broken_pointer(store: FolderStore) -> None:
    put(store, "a")
    store.put("registries/current.json", b"nonsense")


@pytest.mark.parametrize(
    ("breaking", "told"),
    [
        (no_bucket, "there are no connectors in {} yet"),
        (empty_bucket, "there are no connectors in {} yet"),
        (file_in_place, "{} is a file; want the folder that is the bucket"),
        (broken_pointer, "registries/current.json cannot be read"),
    ],
)
def test_a_bucket_that_is_not_well_is_a_sentence(
    tmp_path: Path, breaking: Callable[[FolderStore], None], told: str
) -> None:
    store = bucket(tmp_path)
    breaking(store)

    assert on_metadata(store).tick().startswith(told.format(store.address))


@BOTH
def test_a_bucket_that_is_not_named_is_a_sentence(tmp_path: Path, sensed: Callable[..., Sensed]) -> None:
    assert sensed(bucket(tmp_path), METADATA_BUCKET="").tick().startswith("METADATA_BUCKET names no bucket")


@BOTH
def test_a_store_that_cannot_be_opened_is_a_sentence(tmp_path: Path, sensed: Callable[..., Sensed]) -> None:
    assert "names no store" in sensed(bucket(tmp_path), METADATA_BUCKET="ftp://somewhere").tick()


def test_a_rollback_holds_until_somebody_resumes(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    generated(store)
    put(store, "a", "1.1.0")
    generated(store)
    sensed = on_metadata(store)
    sensed.tick()
    rollback(store, NOW, reason="1.1.0 is wrong")

    held = sensed.tick()
    still = sensed.tick()
    resume(store)
    free = sensed.tick()

    assert held == still
    assert held.startswith("a rollback to ")
    assert held.endswith("(1.1.0 is wrong): `headwater registry resume` ends it")
    assert free == ""


@pytest.mark.slow
def test_a_rollback_that_was_killed_before_readers_got_it_runs_once_and_then_holds(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        put(store, "a", version)
        generated(store)
    sensed = on_metadata(store)
    sensed.tick()
    with pytest.raises(CrashError):
        rollback(FailingStore(store, 1), NOW, reason="1.1.0 is wrong")
    put(store, "b")

    ticked = sensed.tick()
    run(store)

    assert ticked == ""
    assert versions(store) == {"a": "1.0.0"}
    assert sensed.tick().startswith("a rollback to ")


def test_reports_follow_what_is_published_and_rollbacks(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    sensed = on_registry(store)
    first = sensed.tick()
    put(store, "a")
    generated(store)
    ran = [sensed.tick()]
    skipped = sensed.tick()
    put(store, "b")
    generated(store)
    ran.append(sensed.tick())
    rollback(store, dt.datetime(2026, 3, 2, tzinfo=dt.timezone.utc), reason="b is wrong")
    ran.append(sensed.tick())

    assert first == f"nothing was published in {store.address} yet"
    assert skipped.endswith("is still the one that is published")
    assert ran == ["", "", ""]
    assert len(set(sensed.keys)) == 3


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that is in a folder: schedules open it by themselves."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.instance_for_test(temp_dir=str(folder)) as made:
        yield made


def scheduled(
    schedule: dg.ScheduleDefinition, store: FolderStore, instance: dg.DagsterInstance, **how: Any
) -> list[dg.RunRequest] | str:
    needed = {name: resources(store, **how)[name] for name in schedule.required_resource_keys}
    with dg.build_schedule_context(instance, NOW, needed) as context:
        told = schedule.evaluate_tick(context)
    return str(told.skip_message) if told.skip_message else list(told.run_requests or ())


def test_the_hourly_run_is_for_what_is_not_published(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    store = bucket(tmp_path)
    empty = scheduled(sensors.generate_registry_hourly, store, instance)
    put(store, "a")
    needed = scheduled(sensors.generate_registry_hourly, store, instance)
    generated(store)
    done = scheduled(sensors.generate_registry_hourly, store, instance)

    assert str(empty).startswith("there are no connectors in ")
    assert len(needed) == 1
    assert done == f"all that {store.address} has is published"
    assert str(scheduled(sensors.generate_registry_hourly, store, instance, METADATA_BUCKET="")).startswith(
        "METADATA_BUCKET"
    )


@pytest.mark.slow
def test_what_gates_refused_is_not_run_again_before_something_changes(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    store = bucket(tmp_path)
    shrunk(store)
    before = scheduled(sensors.generate_registry_hourly, store, instance)
    run(store, instance=instance)
    refused = scheduled(sensors.generate_registry_hourly, store, instance)
    put(store, "i")
    changed = scheduled(sensors.generate_registry_hourly, store, instance)

    assert (len(before), len(changed)) == (1, 1)
    assert str(refused).startswith(
        "nothing has changed since gates refused to publish it, and whoever means it runs it"
    )
    assert "shrink: oss would go from 8 to 1 entries: if that is meant" in str(refused)


def killed(*_: object) -> None:
    raise CrashError


@pytest.mark.slow
def test_a_run_that_died_before_its_gates_is_run_again(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gates, "examine", killed)
        died = run(store, instance=instance)

    assert not died.success
    assert len(scheduled(sensors.generate_registry_hourly, store, instance)) == 1


def test_stale_metadata_is_looked_for_where_there_is_a_checkout(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    hourly, checkout = sensors.generate_stale_metadata_report_hourly, str(tmp_path)
    without = scheduled(hourly, bucket(tmp_path), instance)
    within = scheduled(hourly, bucket(tmp_path), instance, METADATA_CHECKOUT=checkout)

    assert without == "METADATA_CHECKOUT names no checkout to compare the bucket with"
    assert len(within) == 1
