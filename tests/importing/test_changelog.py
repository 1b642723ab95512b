from __future__ import annotations

import pytest

from python.importing.changelog import sections, with_release

OLD = "# Changelog\n\n## v1\n\n- First version.\n"


def test_a_release_stands_above_the_ones_before() -> None:
    assert with_release(OLD, OLD, "v2, 2026-11-21", ["- The key of orders is another one."]) == (
        "# Changelog\n\n## v2, 2026-11-21\n\n- The key of orders is another one.\n\n## v1\n\n- First version.\n"
    )


def test_what_people_wrote_comes_first() -> None:
    now = OLD.replace("## v1", "## Unreleased\n\n- Faster.\n\n## v1")

    assert with_release(now, OLD, "v1, 2026-11-21", ["- New: a."]) == (
        "# Changelog\n\n## v1, 2026-11-21\n\n- Faster.\n- New: a.\n\n## v1\n\n- First version.\n"
    )


def test_a_release_that_was_begun_is_written_anew_and_nothing_stands_twice() -> None:
    once = with_release(OLD, OLD, "v1, 2026-11-20", ["- a", "- b"])

    twice = with_release(once, OLD, "v2, 2026-11-21", ["- b", "- c"])

    assert [(section.title, section.lines) for section in sections(twice)] == [
        ("v2, 2026-11-21", ("- a", "- b", "- c")),
        ("v1", ("- First version.",)),
    ]
    assert with_release(twice, OLD, "v2, 2026-11-21", ["- b", "- c"]) == twice


@pytest.mark.parametrize("waiting", ["", "## Unreleased\n\n- Soon.\n\n"])
def test_only_the_newest_of_headings_that_were_never_released_is_a_release_begun(waiting: str) -> None:
    text = f"# Changelog\n\n{waiting}## v3, 2026-11-20\n\n- begun\n\n## v2, 2024-02-01\n\n- two\n\n## v1\n\n- one\n"

    told = with_release(text, "", "v3, 2026-11-21", ["- found"])

    assert [(section.title, section.lines) for section in sections(told)] == [
        ("v3, 2026-11-21", (*(["- Soon."] if waiting else []), "- begun", "- found")),
        ("v2, 2024-02-01", ("- two",)),
        ("v1", ("- one",)),
    ]


def test_a_changelog_that_is_missing_is_begun() -> None:
    assert with_release("", "", "v1, 2026-11-21", []) == "# Changelog\n\n## v1, 2026-11-21\n"


def test_what_is_fenced_as_code_is_no_heading() -> None:
    text = "# Changelog\n\n## v1\n\n```\n## v0\n```\n"

    assert [section.title for section in sections(text)] == ["v1"]
    assert with_release(text, text, "v2", ["- a"]).endswith("## v1\n\n```\n## v0\n```\n")


def test_a_section_says_its_version() -> None:
    text = "## [1.2.0] - 2026-11-21\n## v2, 2026-11-21\n## Unreleased\n## [Unreleased]\n## v1\n"

    assert [section.version for section in sections(text)] == ["1.2.0", "v2", "", "", "v1"]
