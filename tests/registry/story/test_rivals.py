"""Two writers at once, in processes of their own: of two versions one is refused, and what both upload is published.

Google's emulator ignores preconditions (tests/registry/store/test_gcs.py holds what is sent to it). There the last who
switches counts: what readers see is whole all the same, and the next run publishes what the other had.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from python.registry.generation.verifying import faults
from tests.registry.story.conftest import Place
from tests.registry.story.processes import both, reading
from tests.registry.story.world import connector, generated, seen

pytestmark = pytest.mark.slow

ROUNDS = 4


def test_what_two_upload_and_generate_at_once_is_published(place: Place, tmp_path: Path) -> None:
    rounds = [
        [[connector(tmp_path / f"{writer}{number}", f"{writer}{number}", "1.0.0")] for writer in "ab"]
        for number in range(ROUNDS)
    ]
    with reading(place):
        for folders in rounds:
            assert both(place, folders) == [[True], [True]]

    store = place.open()
    if place.address.startswith("gs:"):
        generated(store)
    view = seen(store)
    assert view is not None
    assert view.versions["oss"] == {f"{writer}{number}": "1.0.0" for writer in "ab" for number in range(ROUNDS)}
    assert list(faults(store)) == []
    assert not generated(store).is_new


def test_of_two_who_upload_one_version_at_once_one_is_refused(place: Place, tmp_path: Path) -> None:
    if place.address.startswith("gs:"):
        pytest.skip("Google's emulator ignores preconditions; tests/registry/store/test_gcs.py holds what is sent")
    store = place.open()
    for number in range(ROUNDS):
        tag = f"1.{number}.0"
        folders = [
            connector(tmp_path / f"{who}{number}", "a", tag, githubIssueLabel=f"by-{who}") for who in ("ada", "bob")
        ]

        won = both(place, [[each] for each in folders])

        assert sorted(won) == [[False], [True]]
        view = seen(store)
        assert view is not None
        assert view.versions["oss"] == {"a": tag}
        written = store.get(f"metadata/airbyte/source-a/{tag}/metadata.yaml").data
        assert (b"by-ada" in written, b"by-bob" in written) == (won[0] == [True], won[1] == [True])
        assert store.get("metadata/airbyte/source-a/latest/metadata.yaml").data == written
