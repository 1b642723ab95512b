from __future__ import annotations

from typing import Any

import pytest

from python.importing.releasing import Files, lacking, planned
from python.importing.snapshots import Run, Snapshot

CHANGELOG = "# Changelog\n\n## v1\n\n- First version.\n"
README = "# source-x\n\nGive it a `token`; a binding has a `table`.\n"


def files(version: str | None = "v1", *, key: str = "/id", page: str = CHANGELOG, **config: Any) -> Files:
    properties = {"token": {"type": "string"}, **config}
    spec = {
        "configSchema": {"type": "object", "properties": properties},
        "resourceConfigSchema": {"type": "object", "properties": {"table": {"type": "string"}}},
        "resourcePathPointers": ["/table"],
    }
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "n": {"type": "integer"}},
        "required": ["id", "n"],
    }
    binding = {
        "recommendedName": "orders",
        "resourceConfig": {"table": "orders"},
        "documentSchema": schema,
        "key": [key],
    }
    snapshot = Snapshot(name="source-x", version=version, spec=spec, runs={"": Run(bindings=(binding,))})
    return Files(snapshot=snapshot, changelog=page, readme=README)


def test_what_breaks_raises_the_version_and_is_told() -> None:
    release = planned(files(key="/n"), files(), "2026-11-21")

    assert release.version == "v2"
    head, entry, *_ = release.changelog.split("## ")
    assert head == "# Changelog\n\n"
    assert entry.startswith("v2, 2026-11-21\n\n- ")
    assert '`["/id"]` → `["/n"]`' in entry
    assert release.changelog.endswith("## v1\n\n- First version.\n")


def test_what_is_new_keeps_the_version_and_is_told() -> None:
    release = planned(files(region={"type": "string"}), files(), "2026-11-21")

    assert release.version == "v1"
    assert "## v1, 2026-11-21\n\n- " in release.changelog
    assert "region" in release.changelog


def test_a_version_that_people_raised_stays() -> None:
    assert planned(files("v3", key="/n"), files(), "2026-11-21").version == "v3"


def test_where_nothing_has_changed_nothing_is_released() -> None:
    for page in (CHANGELOG, CHANGELOG.replace("## v1", "## Unreleased\n\n## v1")):
        assert planned(files(page=page), files(), "2026-11-21").changelog == page


def test_a_release_in_which_nothing_shows_says_so_unless_people_say_more() -> None:
    nothing = "- Nothing in its spec, its bindings or its documents has changed."
    told = CHANGELOG.replace("## v1", "## Unreleased\n\n- Faster.\n\n## v1")

    assert nothing in planned(files("v2"), files(), "2026-11-21").changelog
    assert "v1, 2026-11-21\n\n- Faster.\n\n" in planned(files(page=told), files(), "2026-11-21").changelog


def test_a_second_release_of_one_day_and_version_is_one_of_its_own() -> None:
    first = planned(files(region={"type": "string"}), files(), "2026-11-21")
    was = files(region={"type": "string"}, page=first.changelog)
    more: dict[str, Any] = {"region": {"type": "string"}, "zone": {"type": "string"}}

    second = planned(files(page=first.changelog, **more), was, "2026-11-21")
    again = planned(files(page=second.changelog, **more), was, "2026-11-21")

    assert second.changelog.count("## v1, 2026-11-21") == 2
    assert again.changelog == second.changelog


def test_the_first_release_is_told_as_such() -> None:
    release = planned(files(page=""), None, "2026-11-21")

    assert (release.version, release.comparison) == ("v1", None)
    assert release.changelog == "# Changelog\n\n## v1, 2026-11-21\n\n- First version.\n"


def test_a_release_done_twice_is_done_once() -> None:
    first = planned(files(key="/n"), files(), "2026-11-21")

    again = planned(files(first.version, key="/n", page=first.changelog), files(), "2026-11-21")

    assert (again.version, again.changelog, again.readme) == (first.version, first.changelog, first.readme)


def test_a_readme_gets_tables_only_where_it_names_too_little() -> None:
    assert planned(files(), None, "2026-11-21").readme == README
    assert "| `region` | string |" in planned(files(region={"type": "string"}), None, "2026-11-21").readme


def test_what_is_released_lacks_nothing() -> None:
    was = files()
    release = planned(files(key="/n", region={"type": "string"}), was, "2026-11-21")
    now = files(release.version, key="/n", region={"type": "string"}, page=release.changelog)

    assert list(lacking(Files(snapshot=now.snapshot, changelog=release.changelog, readme=release.readme), was)) == []
    assert list(lacking(was, was)) == []


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (files(key="/n"), "raise it to v2"),
        (files("v2", key="/n"), "CHANGELOG.md has no section for v2"),
        (files(None), "it has no VERSION: headwater release source-x writes it"),
        (files(token={"type": ["string", "null"]}), "CHANGELOG.md says nothing of what has changed"),
        (files(region={"type": "string"}), "README.md does not name region"),
        (Files(snapshot=Snapshot(name="x", version="v1"), changelog=CHANGELOG), "keep no snapshot of spec"),
    ],
)
def test_what_is_lacking_is_told(now: Files, sentence: str) -> None:
    assert any(sentence in each for each in lacking(now, files()))


def test_tables_that_are_no_longer_true_are_told() -> None:
    release = planned(files(region={"type": "string"}), None, "2026-11-21")
    now = files(region={"type": "integer"})

    stale = Files(snapshot=now.snapshot, changelog=CHANGELOG, readme=release.readme)

    assert list(lacking(stale, None)) == ["README.md has tables of its config that are not what the spec says"]
