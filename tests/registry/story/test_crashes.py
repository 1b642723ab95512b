"""A crash at each write of an upload and of a generation: readers see whole registries, and going on heals.

One test stops a store, in each kind of bucket; the other kills real processes that write to a folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from python.registry.generation.verifying import faults
from python.registry.store import Store
from tests.registry.stores import CrashError, FailingStore, contents
from tests.registry.story.conftest import Place
from tests.registry.story.processes import killed_at, work
from tests.registry.story.world import TEXT, check_copies, connector, generated, lasting, seen

pytestmark = pytest.mark.slow

KEY = {**TEXT, "title": "A key"}
OLD = {"a": "1.0.0", "b": "1.0.0"}
NEW = {"a": "1.1.0", "b": "1.0.0", "c": "1.0.0"}
WRITES_MIN = 30
"""Fewer writes than these would mean that a test tries less than it says."""


@pytest.fixture
def news(tmp_path: Path) -> list[Path]:
    """A new version of a connector, and a new connector."""
    return [connector(tmp_path / "a1", "a", "1.1.0", key=KEY), connector(tmp_path / "c", "c", "1.0.0")]


def before(store: Store, tmp_path: Path) -> Mapping[str, bytes]:
    """A registry of two connectors is in `store`; return all its bytes, for others."""
    work(store, [connector(tmp_path / f"{name}0", name, version) for name, version in OLD.items()])
    return contents(store)


def restored(store: Store, held: Mapping[str, bytes]) -> Store:
    with store.batch():
        for path, data in held.items():
            store.put(path, data)
    return store


def check_seen(store: Store) -> None:
    """Readers see the old registry or a whole newer one, at the pointer and at the fixed paths."""
    view = seen(store)
    assert view is not None
    assert view.versions["oss"] == view.versions["cloud"]
    for name, version in view.versions["oss"].items():
        assert version in (OLD.get(name), NEW[name])
    assert view.versions["oss"].keys() >= OLD.keys()
    check_copies(store)


def check_goes_on(store: Store, news: list[Path], wanted: Mapping[str, bytes]) -> None:
    """What a crash left is whole; so is a registry made of it; done again, it is what it would have been."""
    check_seen(store)
    generated(store)
    check_seen(store)
    assert list(faults(store)) == []
    work(store, news)
    assert list(faults(store)) == []
    assert lasting(store) == wanted


def test_a_crash_at_any_write_is_healed_by_going_on(place: Place, tmp_path: Path, news: list[Path]) -> None:
    held = before(place.open("/first/bucket"), tmp_path)
    undisturbed = restored(place.open("/undisturbed/bucket"), held)
    work(undisturbed, news)
    wanted, writes = lasting(undisturbed), 0

    while True:
        store = restored(place.open(f"/{writes}/bucket"), held)
        with contextlib.suppress(CrashError):
            work(FailingStore(store, writes), news)
            break
        check_goes_on(store, news, wanted)
        writes += place.stride

    assert lasting(store) == wanted
    assert writes >= WRITES_MIN


def test_a_process_that_is_killed_at_any_write_is_healed_by_going_on(tmp_path: Path, news: list[Path]) -> None:
    place = Place(str(tmp_path / "bucket"), {})
    held = before(place.open("/first/bucket"), tmp_path)
    undisturbed = restored(place.open("/undisturbed/bucket"), held)
    work(undisturbed, news)
    wanted, writes = lasting(undisturbed), 0

    store = restored(place.open("/0/bucket"), held)
    while killed_at(writes, tmp_path / f"bucket/{writes}/bucket", news):
        check_goes_on(store, news, wanted)
        writes += 1
        store = restored(place.open(f"/{writes}/bucket"), held)

    assert lasting(store) == wanted
    assert writes >= WRITES_MIN
