from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from python.registry.service.layout import At
from python.registry.service.promoting import BreakingError, promote
from python.registry.service.yanking import MissingVersionError, Yank, rollback, unyank, yank
from python.registry.store import Store
from python.registry.store.memory import MemoryStore
from tests.registry.service.folders import CATALOG, NOW, REPOSITORY, candidate, clock, connector, uploaded
from tests.registry.stores import CrashError, FailingStore, RecordingStore, contents

WHY = Yank(reason="it loses records", by="ada", at=NOW)
WIDER = {"streams": [*CATALOG["streams"], {**CATALOG["streams"][0], "name": "forecast"}]}
CANDIDATE = At(REPOSITORY, "1.5.0-rc.1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = MemoryStore()
    uploaded(made, connector(tmp_path / "old"))
    uploaded(made, candidate(tmp_path / "new", "1.5.0-rc.1"))
    return made


def data(store: Store, version: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(store.get(At(REPOSITORY, version).path("metadata.yaml")).data)["data"]
    return found


def copied(store: Store) -> list[str]:
    return [path.rpartition("/")[2] for path in contents(store, f"metadata/{REPOSITORY}/release_candidate/")]


def test_a_promoted_candidate_is_a_release_with_all_its_files(store: Store) -> None:
    done = promote(store, CANDIDATE, clock)

    assert (done.at.version, done.is_new) == ("1.5.0", True)
    assert data(store, "1.5.0")["dockerImageTag"] == "1.5.0"
    assert data(store, "latest") == data(store, "1.5.0")
    assert store.get(At(REPOSITORY, "1.5.0").path("doc.md")).data == store.get(CANDIDATE.path("doc.md")).data
    assert copied(store) == []


def test_a_promoted_candidate_stays_what_it_was(store: Store) -> None:
    before = contents(store, CANDIDATE.path(""))

    promote(store, CANDIDATE, clock)

    assert contents(store, CANDIDATE.path("")) == before


def test_promoting_again_is_nothing_to_do(store: Store) -> None:
    promote(store, CANDIDATE, clock)

    assert not promote(store, CANDIDATE, clock).is_new


def test_a_promotion_that_was_killed_is_done_by_doing_it_again(store: Store) -> None:
    held = contents(store)
    healthy = RecordingStore(store)
    promote(healthy, CANDIDATE, clock)
    expected = contents(store)
    for writes in range(len(healthy.written)):
        other = MemoryStore()
        for path, content in held.items():
            other.put(path, content)
        with pytest.raises(CrashError):
            promote(FailingStore(other, writes), CANDIDATE, clock)

        promote(other, CANDIDATE, clock)
        assert contents(other) == expected


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("1.4.0", "is a release"), ("1.5.0-rc.9", "has no such version"), ("latest", "no semantic version")],
)
def test_what_is_no_candidate_is_neither_promoted_nor_rolled_back(store: Store, version: str, wanted: str) -> None:
    with pytest.raises(MissingVersionError, match=wanted):
        promote(store, At(REPOSITORY, version), clock)
    with pytest.raises(MissingVersionError, match=wanted):
        rollback(store, At(REPOSITORY, version), WHY)


def test_a_candidate_that_was_rolled_back_is_advertised_no_more_and_not_promoted(store: Store) -> None:
    assert rollback(store, CANDIDATE, WHY)

    assert copied(store) == []
    with pytest.raises(MissingVersionError, match="was taken back"):
        promote(store, CANDIDATE, clock)


def test_a_yanked_release_gives_way_to_the_one_before_and_tells_why(store: Store) -> None:
    promote(store, CANDIDATE, clock)

    assert yank(store, At(REPOSITORY, "1.5.0"), WHY)

    assert data(store, "latest")["dockerImageTag"] == "1.4.0"
    assert yaml.safe_load(store.get(At(REPOSITORY, "1.5.0").path("version-yank.yml")).data) == {
        "reason": "it loses records",
        "yanked_by": "ada",
        "yanked_at": "2026-11-21T12:00:00+00:00",
    }


def test_who_yanks_second_changes_nothing(store: Store) -> None:
    yank(store, At(REPOSITORY, "1.4.0"), WHY)
    before = contents(store)

    assert not yank(store, At(REPOSITORY, "1.4.0"), Yank(reason="another", by="bob", at=NOW))
    assert contents(store) == before


def test_the_last_version_yanked_leaves_its_copy(store: Store) -> None:
    yank(store, At(REPOSITORY, "1.4.0"), WHY)

    assert data(store, "latest")["dockerImageTag"] == "1.4.0"


def test_an_unyanked_version_is_as_it_was(store: Store) -> None:
    before = contents(store)
    yank(store, CANDIDATE, WHY)

    assert unyank(store, CANDIDATE)
    assert contents(store) == before
    assert not unyank(store, CANDIDATE)


def test_a_candidate_that_breaks_a_release_made_since_is_not_promoted(store: Store, tmp_path: Path) -> None:
    uploaded(store, connector(tmp_path / "since", "1.4.1", catalog=WIDER))
    held = contents(store)

    with pytest.raises(BreakingError, match=r"1\.5\.0: is not released(.|\n)*forecast"):
        promote(store, CANDIDATE, clock)
    assert contents(store) == held


def test_a_release_that_is_there_is_promoted_already_whatever_came_since(store: Store, tmp_path: Path) -> None:
    promote(store, CANDIDATE, clock)
    uploaded(store, connector(tmp_path / "since", "1.4.1", catalog=WIDER))

    assert not promote(store, CANDIDATE, clock).is_new


def test_a_release_that_was_taken_back_is_not_released_by_promoting_again(store: Store) -> None:
    release = promote(store, CANDIDATE, clock).at
    yank(store, release, WHY)

    with pytest.raises(MissingVersionError, match=r"1\.5\.0: was released and taken back"):
        promote(store, CANDIDATE, clock)
