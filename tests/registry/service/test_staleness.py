from __future__ import annotations

import datetime as dt
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.registry.service.staleness import stale_metadata
from python.registry.store import StoreError
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, metadata, put

LONG_AGO = NOW - dt.timedelta(days=2)


def bucket(**versions: str) -> MemoryStore:
    store = MemoryStore(now=lambda: NOW)
    for name, version in versions.items():
        put(store, name, version)
    return store


def write(checkout: Path, name: str, version: str, changed: dt.datetime = LONG_AGO, **members: Any) -> Path:
    folder = checkout / f"airbyte-integrations/connectors/source-{name}"
    folder.mkdir(parents=True)
    file = folder / "metadata.yaml"
    file.write_text(yaml.safe_dump(metadata(name, version, **members)))
    os.utime(file, (changed.timestamp(), changed.timestamp()))
    return file


def test_what_was_merged_and_never_released_is_stale(tmp_path: Path) -> None:
    write(tmp_path, "a", "1.1.0")
    write(tmp_path, "b", "1.0.0")
    write(tmp_path, "c", "1.0.0")

    found = stale_metadata(bucket(a="1.0.0", b="1.0.0"), tmp_path, NOW)

    folder = "airbyte-integrations/connectors"
    assert [str(each) for each in found.stale] == [
        f"airbyte/source-a is 1.1.0 in {folder}/source-a/metadata.yaml, and the latest in the bucket is 1.0.0",
        f"airbyte/source-c is 1.0.0 in {folder}/source-c/metadata.yaml, and it is not in the bucket",
    ]
    assert found.checked == 3


def test_an_older_checkout_is_not_told_to_be_stale(tmp_path: Path) -> None:
    write(tmp_path, "a", "1.9.0")

    assert not stale_metadata(bucket(a="1.10.0"), tmp_path, NOW).stale


def test_what_is_archived_or_a_pre_release_is_not_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "a", "1.1.0", supportLevel="archived")
    write(tmp_path, "b", "1.1.0-rc.1")

    assert stale_metadata(bucket(), tmp_path, NOW).checked == 0


def test_what_has_changed_lately_may_still_be_on_the_way(tmp_path: Path) -> None:
    write(tmp_path, "a", "1.1.0", changed=NOW - dt.timedelta(hours=5))

    found = stale_metadata(bucket(), tmp_path, NOW)

    assert (found.stale, len(found.fresh)) == ((), 1)
    assert found.sentences() == ["1 more changed lately and may still be on the way"]
    assert stale_metadata(bucket(), tmp_path, NOW, grace_hours=4).stale == found.fresh


def test_a_commit_tells_when_a_file_changed_and_not_when_it_was_checked_out(tmp_path: Path) -> None:
    write(tmp_path, "a", "1.1.0", changed=NOW)
    who = {f"GIT_{role}_{part}": "a@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": LONG_AGO.isoformat() for role in ("AUTHOR", "COMMITTER")}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, env={**os.environ, **who, **when})

    assert len(stale_metadata(bucket(), tmp_path, NOW).stale) == 1


def test_files_below_a_connector_and_in_hidden_folders_are_none_of_its_metadata(tmp_path: Path) -> None:
    file = write(tmp_path, "a", "1.0.0")
    for folder in (file.parent / "tests", tmp_path / ".cache"):
        folder.mkdir()
        (folder / "metadata.yaml").write_text("nonsense")

    found = stale_metadata(bucket(a="1.0.0"), tmp_path, NOW)

    assert (found.checked, found.unread) == (1, ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- nonsense", "names no version of a connector"),
        (": [", "names no version of a connector"),
        ("data: {dockerRepository: a/b, dockerImageTag: 1.0}", "names no version of a connector"),
        ("data: {dockerRepository: a/b, dockerImageTag: dev}", "is of version dev, which is no semantic version"),
    ],
)
def test_what_cannot_be_read_is_told_and_hides_nothing(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path, "a", "1.1.0")
    write(tmp_path, "b", "1.1.0").write_text(text)

    found = stale_metadata(bucket(), tmp_path, NOW)

    assert [told in sentence for sentence in found.unread] == [True]
    assert len(found.stale) == 1


def test_a_checkout_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="want the checkout"):
        stale_metadata(bucket(), tmp_path / "nowhere", NOW)
