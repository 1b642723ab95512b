from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import hashlib
from collections.abc import Mapping

import pytest

from python.registry.service.copies import settle
from python.registry.service.layout import FILES, LATEST, MARKER, At
from python.registry.service.writing import CLAIM_SECONDS_MAX, ImmutableError, claim_of, write
from python.registry.store import Store, Version, When
from python.registry.store.base import Headers
from python.registry.store.memory import MemoryStore
from tests.registry.stores import CrashError, FailingStore, RecordingStore, contents

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.timezone.utc)
REPOSITORY = "airbyte/source-weather"


def clock() -> dt.datetime:
    return NOW


def files(version: str, *more: str) -> dict[str, bytes]:
    return {
        MARKER: f"metadata of {version}".encode(),
        "doc.md": f"doc of {version}".encode(),
        "icon.svg": b"<svg/>",
        **{name: f"{name} of {version}".encode() for name in more},
    }


def upload(store: Store, version: str, given: Mapping[str, bytes]) -> None:
    write(store, At(REPOSITORY, version), given, clock)
    settle(store, REPOSITORY)


def check_whole(store: Store, uploaded: Mapping[str, Mapping[str, bytes]]) -> None:
    """What readers see: versions with all their files, and a `latest` whose metadata is that of such a version."""
    held = contents(store)
    for version, expected in uploaded.items():
        root = f"metadata/{REPOSITORY}/{version}/"
        if root + MARKER in held:
            assert {name: held.get(root + name) for name in expected} == expected
    latest = held.get(f"metadata/{REPOSITORY}/{LATEST}/{MARKER}")
    assert latest is None or latest in [each[MARKER] for each in uploaded.values()]


FIRST, SECOND = files("1.0.0", "manifest.yaml"), files("1.10.0", "components.zip")


@pytest.mark.parametrize("writes", range(14))
def test_a_crash_at_any_write_leaves_whole_versions_and_is_healed_by_the_next_upload(writes: int) -> None:
    store = MemoryStore()
    upload(store, "1.0.0", FIRST)
    healthy = MemoryStore()
    upload(healthy, "1.0.0", FIRST)
    upload(healthy, "1.10.0", SECOND)

    crashed = False
    try:
        upload(FailingStore(store, writes), "1.10.0", SECOND)
    except CrashError:
        crashed = True

    assert crashed == (writes < 9)  # a claim, 4 files; in latest 2 that changed, the marker, and 1 that goes
    check_whole(store, {"1.0.0": FIRST, "1.10.0": SECOND})
    assert f"metadata/{REPOSITORY}/{LATEST}/{MARKER}" in contents(store)
    upload(store, "1.10.0", SECOND)
    assert contents(store) == contents(healthy)


def test_uploading_the_same_again_writes_nothing() -> None:
    store = RecordingStore(MemoryStore())
    upload(store, "1.0.0", FIRST)
    store.written.clear()

    written = write(store, At(REPOSITORY, "1.0.0"), FIRST, clock)

    assert not written.is_new
    assert settle(store, REPOSITORY) == 0
    assert store.written == []


@pytest.mark.parametrize("name", [MARKER, "doc.md", "new"])
def test_a_version_never_changes(name: str) -> None:
    store = MemoryStore()
    upload(store, "1.0.0", FIRST)
    before = contents(store)

    with pytest.raises(ImmutableError, match=f"is uploaded already, with other files .*{name}.*raise dockerImageTag"):
        write(store, At(REPOSITORY, "1.0.0"), {**FIRST, name: b"other"}, clock)

    assert contents(store) == before


def test_the_claim_is_written_first_and_the_metadata_last() -> None:
    store = RecordingStore(MemoryStore())

    write(store, At(REPOSITORY, "1.0.0"), FIRST, clock)

    names = [path.rpartition("/")[2] for path in store.written]
    assert (names[0], names[-1]) == (FILES, MARKER)


def test_the_claim_tells_the_sums_of_all_files() -> None:
    store = MemoryStore()
    write(store, At(REPOSITORY, "1.0.0"), FIRST, clock)

    claim = claim_of(store, At(REPOSITORY, "1.0.0"))

    assert claim is not None
    assert {name: each.sha256 for name, each in claim.files.items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in FIRST.items()
    }


def killed(store: Store, given: Mapping[str, bytes], writes: int) -> None:
    with pytest.raises(CrashError):
        write(FailingStore(store, writes), At(REPOSITORY, "2.0.0"), given, clock)


def test_an_upload_that_is_under_way_keeps_others_out() -> None:
    store = MemoryStore()
    killed(store, FIRST, 2)

    with pytest.raises(ImmutableError, match=r"with other files \(components.zip, doc.md.*begun 0 seconds ago"):
        write(store, At(REPOSITORY, "2.0.0"), SECOND, clock)


def test_an_upload_that_was_given_up_gives_way_and_leaves_nothing() -> None:
    store = MemoryStore()
    killed(store, FIRST, 4)
    late = NOW + dt.timedelta(seconds=CLAIM_SECONDS_MAX + 1)

    write(store, At(REPOSITORY, "2.0.0"), SECOND, lambda: late)

    root = f"metadata/{REPOSITORY}/2.0.0/"
    held = {path.removeprefix(root): data for path, data in contents(store).items() if not path.endswith(FILES)}
    assert held == SECOND


def test_a_writer_that_took_too_long_makes_no_version() -> None:
    store = MemoryStore()
    times = iter([NOW, NOW + dt.timedelta(hours=1)])

    with pytest.raises(ImmutableError, match="gave up after 10 minutes"):
        write(store, At(REPOSITORY, "2.0.0"), FIRST, lambda: next(times))

    assert f"metadata/{REPOSITORY}/2.0.0/{MARKER}" not in contents(store)


def test_a_claim_by_a_clock_that_is_ahead_is_as_old_as_the_store_says() -> None:
    store = MemoryStore()
    ahead = NOW + dt.timedelta(days=400)
    with pytest.raises(CrashError):
        write(FailingStore(store, 2), At(REPOSITORY, "2.0.0"), FIRST, lambda: ahead)
    claimed = store.get(At(REPOSITORY, "2.0.0").path(FILES)).version.updated

    with pytest.raises(ImmutableError, match="begun 60 seconds ago"):
        write(store, At(REPOSITORY, "2.0.0"), SECOND, lambda: claimed + dt.timedelta(seconds=60))
    assert write(store, At(REPOSITORY, "2.0.0"), SECOND, lambda: claimed + dt.timedelta(hours=2)).is_new


class _TakenOverStore(RecordingStore):
    """Somebody else, whose clock is hours ahead, claims the version while its files are written."""

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:
        done = super()._put(path, data, when, headers)
        if path.endswith("doc.md") and len(self.written) < len(FIRST):
            late = NOW + dt.timedelta(hours=5)
            with contextlib.suppress(CrashError):
                write(FailingStore(self.inner, 1), At(REPOSITORY, "2.0.0"), SECOND, lambda: late)
        return done


def test_a_writer_whose_claim_was_taken_makes_no_version() -> None:
    store = MemoryStore()

    with pytest.raises(ImmutableError, match="somebody else began"):
        write(_TakenOverStore(store), At(REPOSITORY, "2.0.0"), FIRST, clock)

    assert f"metadata/{REPOSITORY}/2.0.0/{MARKER}" not in contents(store)


def test_of_many_writers_of_a_version_one_wins_and_it_is_whole() -> None:
    store = MemoryStore()

    def attempt(number: int) -> int | None:
        try:
            write(store, At(REPOSITORY, "2.0.0"), files(f"writer {number}"), clock)
        except ImmutableError:
            return None
        return number

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        won = [number for number in threads.map(attempt, range(24)) if number is not None]

    assert len(won) == 1
    check_whole(store, {"2.0.0": files(f"writer {won[0]}")})


def test_writers_of_different_versions_agree_on_the_latest() -> None:
    store = MemoryStore()
    versions = [f"1.{minor}.0" for minor in range(24)]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda version: upload(store, version, files(version)), versions))

    latest = contents(store, f"metadata/{REPOSITORY}/{LATEST}/")
    assert {path.rpartition("/")[2]: data for path, data in latest.items()} == files("1.23.0")


class BusyStore(RecordingStore):
    """Somebody uploads a newer version just before the marker of `latest` is written."""

    def _write(self, path: str) -> None:
        super()._write(path)
        if path.endswith(f"{LATEST}/{MARKER}") and len(self.written) == self.written.index(path) + 1:
            upload(self.inner, "1.10.0", SECOND)


def test_a_newer_version_is_not_replaced_by_an_older_one_that_is_settled_later() -> None:
    inner = MemoryStore()

    upload(BusyStore(inner), "1.0.0", FIRST)

    latest = contents(inner, f"metadata/{REPOSITORY}/{LATEST}/")
    assert {path.rpartition("/")[2]: data for path, data in latest.items()} == SECOND
