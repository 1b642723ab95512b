from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from materialize_parquet.folder import Folder
from materialize_parquet.manifest import MANIFESTS, ColumnOf, Ledger, Manifest, with_holder

from python.protocol.errors import ConnectorError
from python.protocol.flow import FULL_RANGE, RangeSpec

LOW, HIGH = RangeSpec(key_end=0x7FFF_FFFF), RangeSpec(key_begin=0x8000_0000, key_end=0xFFFF_FFFF)
NEW = Manifest(
    collection="acmeCo/things", state_key="things", delta=False, columns=(ColumnOf("id", "int64", key=True),)
)


@pytest.fixture
def folder(root: Folder) -> Folder:
    return root


def collection(name: str, last: Manifest | None) -> Manifest:
    return msgspec.structs.replace(last or NEW, collection=name)


def test_versions_follow_each_other_and_old_ones_go(folder: Folder) -> None:
    ledger = Ledger(folder)
    assert ledger.last() is None
    for number in range(1, 6):
        assert ledger.commit(lambda last, number=number: collection(f"c{number}", last)).version == number  # type: ignore[misc] # bound now

    assert folder.names(MANIFESTS) == ["00000000000000000004.json", "00000000000000000005.json"]
    found = ledger.last()
    assert found
    assert (found.version, found.collection) == (5, "c5")


def test_a_change_that_changes_nothing_is_no_version(folder: Folder) -> None:
    first = Ledger(folder).commit(lambda _last: NEW)

    assert Ledger(folder).commit(lambda last: last or NEW) == first


def test_a_change_is_made_again_where_another_session_was_first(folder: Folder) -> None:
    ledger, asked = Ledger(folder), list[int]()
    ledger.commit(lambda _last: NEW)

    def late(last: Manifest | None) -> Manifest:
        assert last
        asked.append(last.version)
        if len(asked) == 1:
            Ledger(folder).commit(lambda found: collection("first", found))
        return msgspec.structs.replace(last, state_key="late")

    assert ledger.commit(late).version == 3
    assert asked == [1, 2]
    found = ledger.last()
    assert found
    assert (found.collection, found.state_key) == ("first", "late")


def test_a_version_of_long_ago_does_not_come_back(folder: Folder) -> None:
    """Its file was removed, so it can be created; but it is not the last one, and its change is made again."""
    ledger, asked = Ledger(folder), list[int]()
    ledger.commit(lambda _last: NEW)

    def late(last: Manifest | None) -> Manifest:
        assert last
        asked.append(last.version)
        for number in range(5 if len(asked) == 1 else 0):
            Ledger(folder).commit(lambda found: collection(f"c{number}", found))  # noqa: B023 -- called at once
        return msgspec.structs.replace(last, state_key="late")

    assert ledger.commit(late).version == 7
    assert asked == [1, 6]
    found = ledger.last()
    assert found
    assert (found.collection, found.state_key) == ("c4", "late")


def test_who_opens_takes_the_ranges_that_overlap_its_own() -> None:
    held = with_holder(with_holder(NEW, LOW, "low"), HIGH, "high")
    for own, session in ((LOW, "low"), (HIGH, "high")):
        held.require(own, session, "t")
    taken = with_holder(held, FULL_RANGE, "whole")
    taken.require(FULL_RANGE, "whole", "t")

    for own, session in ((LOW, "low"), (HIGH, "high"), (FULL_RANGE, "other")):
        with pytest.raises(ConnectorError, match=r"another session has taken over the key range .* of the table t"):
            taken.require(own, session, "t")


def test_what_is_no_manifest_is_named(tmp_path: Path) -> None:
    folder = Folder.at(str(tmp_path))
    assert folder.create(f"{MANIFESTS}/1.json", b"somebody else's")
    assert Ledger(folder).last() is None
    assert folder.create(f"{MANIFESTS}/{1:020}.json", b"{}")

    with pytest.raises(ConnectorError, match=r"_manifests/0+1\.json is no manifest: .* restore it"):
        Ledger(folder).last()
