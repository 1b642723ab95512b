"""The story of a registry, as issue 7 tells it: 200 connectors, ten of them broken, in a folder and in each cloud."""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from python.registry.generation import publication
from python.registry.generation.applying import BlockedError
from python.registry.generation.verifying import faults
from python.registry.service.layout import At
from python.registry.service.uploading import Outcome
from python.registry.service.writing import ImmutableError
from python.registry.service.yanking import Yank, rollback, unyank, yank
from python.registry.store import Store, open_store
from tests.registry.stores import contents
from tests.registry.story.broken import put_broken
from tests.registry.story.conftest import Place
from tests.registry.story.processes import reading
from tests.registry.story.world import (
    NOW,
    ROLLED_OUT,
    TEXT,
    View,
    connector,
    generated,
    lasting,
    seen,
    uploaded,
)

pytestmark = pytest.mark.slow

WHOLE = [f"c{number:03}" for number in range(190)]
BY_COMMAND = WHOLE[:2]
BREAKS_USERS = 4
"""The exit status of `metadata_service` that says so."""
NARROWED = {"type": "integer"}
WHY = Yank(reason="it loses rows", by="ada", at=NOW)
BREAKS = {"breakingChanges": {"2.0.0": {"message": "The key is a number.", "upgradeDeadline": "2026-12-01"}}}


def test_the_story_of_a_registry(place: Place, tmp_path: Path) -> None:
    store = place.open()
    with reading(place):
        begun(store, place, tmp_path)
        broken_later(store)
        breaking(store, place, tmp_path)
        rolled_out(store, place, tmp_path)
        taken_back(store)
        gone_back(store, tmp_path)
    assert list(faults(store)) == []
    mended(store)  # no reader may look at this


def begun(store: Store, place: Place, tmp_path: Path) -> None:
    """200 connectors come into the bucket, ten of them broken: 190 are published, and each other says why not."""
    folders = {name: connector(tmp_path / name, name, "1.0.0") for name in WHOLE}
    for name in BY_COMMAND:
        assert command(place, "upload", str(folders.pop(name)), place.address) == 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        if not place.is_folder:
            beside = [folders.pop(name) for name in WHOLE[20:]]  # a hundred requests for each would take minutes
            moved(store, beside, pool)
        assert set(pool.map(lambda folder: uploaded(store, folder), folders.values())) == {Outcome.UPLOADED}
    told = put_broken(store)
    store.put("metadata/airbyte/source-begun/1.0.0/spec.json", b"{}")  # an upload that goes on: not a version yet

    first = generated(store)

    assert view(store).versions == dict.fromkeys(("oss", "cloud"), dict.fromkeys(WHOLE, "1.0.0"))
    assert first.quarantined.keys() == told.keys()
    for repository, part in told.items():
        assert part in first.quarantined[repository]
    assert not generated(store).is_new


def moved(store: Store, folders: list[Path], pool: concurrent.futures.Executor) -> None:
    """Connectors are uploaded to memory, and what that bucket holds is put into `store`."""
    memory = open_store("memory:")
    for folder in folders:
        assert uploaded(memory, folder) is Outcome.UPLOADED
    list(pool.map(lambda item: store.put(*item), contents(memory).items()))


def broken_later(store: Store) -> None:
    """A file that was right is broken by a foreign hand: its entry stays; mended, it is as it was."""
    path = "metadata/airbyte/source-c007/1.0.0/metadata.yaml"
    right = store.get(path).data
    before = view(store).versions
    store.put(path, b"data: [")

    assert "cannot be read" in generated(store).quarantined["airbyte/source-c007"]
    assert view(store).versions == before
    store.put(path, right)
    assert "airbyte/source-c007" not in generated(store).quarantined


def breaking(store: Store, place: Place, tmp_path: Path) -> None:
    """A version that breaks its users is refused, with nothing changed, until it tells; versions never change."""
    before = lasting(store)
    folder = connector(tmp_path / "breaks", "c000", "1.9.0", key=NARROWED)
    assert uploaded(store, folder) is Outcome.BREAKING
    assert command(place, "upload", str(folder), place.address) == BREAKS_USERS
    assert not generated(store).is_new
    assert lasting(store) == before

    connector(folder, "c000", "2.0.0", key=NARROWED, releases=BREAKS)
    assert uploaded(store, folder) is Outcome.UPLOADED
    assert uploaded(store, folder) is Outcome.THERE
    with pytest.raises(ImmutableError, match="versions never change"):
        uploaded(store, connector(folder, "c000", "2.0.0", key=TEXT, releases=BREAKS))

    generated(store)
    assert version(store, "c000") == "2.0.0"


def rolled_out(store: Store, place: Place, tmp_path: Path) -> None:
    """Release candidates are told beside the latest; one is taken back; another is promoted, and is the latest."""
    at = {tag: At("airbyte/source-c001", tag) for tag in ("1.1.0-rc.1", "1.2.0-rc.1")}
    for tag, candidate in at.items():
        assert uploaded(store, connector(tmp_path / tag, "c001", tag, releases=ROLLED_OUT)) is Outcome.UPLOADED
        generated(store)
        assert (version(store, "c001"), candidates(store, "c001")) == ("1.0.0", [tag])
        if tag == "1.1.0-rc.1":
            assert rollback(store, candidate, WHY)
            generated(store)
            assert (version(store, "c001"), candidates(store, "c001")) == ("1.0.0", [])
    assert command(place, "promote", "airbyte/source-c001", "1.2.0-rc.1", place.address) == 0
    generated(store)
    assert (version(store, "c001"), candidates(store, "c001")) == ("1.2.0", [])


def taken_back(store: Store) -> None:
    """A version that is yanked gives way to the one before, and is the latest again when it is not yanked any more."""
    at = At("airbyte/source-c000", "2.0.0")
    assert yank(store, at, WHY)
    generated(store)
    assert version(store, "c000") == "1.0.0"
    assert unyank(store, at)
    generated(store)
    assert version(store, "c000") == "2.0.0"


def gone_back(store: Store, tmp_path: Path) -> None:
    """The registry goes back a snapshot and holds there; then it goes on with what came meanwhile."""
    before = view(store)
    publication.rollback(store, NOW, reason="a test")
    assert version(store, "c000") == "1.0.0"
    uploaded(store, connector(tmp_path / "later", "c002", "1.0.1"))
    with pytest.raises(BlockedError, match=r"a rollback to .* holds"):
        generated(store)
    assert view(store).versions["oss"]["c002"] == "1.0.0"

    assert publication.resume(store)
    generated(store)
    assert view(store).versions["oss"] == {**before.versions["oss"], "c002": "1.0.1"}


def mended(store: Store) -> None:
    """A copy at a fixed path is broken by a foreign hand: `verify` tells, and the next run mends it."""
    store.put("registries/v0/oss_registry.json", b'{"sources":[')

    assert [fault.split()[0] for fault in faults(store)] == ["registries/v0/oss_registry.json"]
    assert not generated(store).is_new
    assert list(faults(store)) == []


def view(store: Store) -> View:
    found = seen(store)
    assert found is not None
    return found


def version(store: Store, name: str) -> str:
    versions = view(store).versions
    assert versions["oss"][name] == versions["cloud"][name]
    return versions["oss"][name]


def candidates(store: Store, name: str) -> list[str]:
    """The release candidates that the registry tells of beside a connector's version."""
    entries = json.loads(store.get("registries/v0/oss_registry.json").data)["sources"]
    (entry,) = (each for each in entries if each["dockerRepository"] == f"airbyte/source-{name}")
    return list(entry.get("releases", {}).get("releaseCandidates", {}))


def command(place: Place, *arguments: str) -> int:
    """What people type; its exit status."""
    program = Path(sys.executable).parent / "metadata_service"
    return subprocess.run([program, *arguments], env={**os.environ, **place.environment}, check=False).returncode
