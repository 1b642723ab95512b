"""A connector's CHANGELOG.md: a section for each release, the newest first, and what waits for the next one.

A section's heading is `## v2, 2026-11-21`, or `## v1` for the first one; what waits stands below `## Unreleased`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["HEADING", "Section", "sections", "waiting", "with_release"]

HEADING = "## "
"""How the heading of a section begins."""

_UNRELEASED = "unreleased"
_TITLE = "# Changelog"


class Section(NamedTuple):
    """`title` is what stands behind `## `, `lines` what stands below it."""

    title: str
    lines: tuple[str, ...]

    @property
    def version(self) -> str:
        """The version that the section is about; "" where it waits for one."""
        word = re.split(r"[\s,]", self.title.strip("[]"), maxsplit=1)[0].strip("[]")
        return "" if word.lower() == _UNRELEASED else word


def sections(text: str) -> list[Section]:
    r"""Return the sections of a CHANGELOG, in its order.

    >>> sections("# Changelog\n\n## v2, 2026-11-21\n\n- Faster.\n\n## v1\n")
    [Section(title='v2, 2026-11-21', lines=('- Faster.',)), Section(title='v1', lines=())]
    """
    return _split(text)[1]


def with_release(text: str, old: str, title: str, found: Sequence[str]) -> str:
    """Return the CHANGELOG `text` with a section `title` on top; `old` is the CHANGELOG of the last release.

    The new section has the lines of those that are `waiting`, in whose place it comes. `found` are lines that come
    below that, unless they stand there already. All else stays.
    """
    head, now = _split(text)
    begun = _waiting(now, old)
    written = [line for number in begun for line in now[number].lines]
    lines = [*written, *(line for line in found if line not in written)]
    kept = [section for number, section in enumerate(now) if number not in begun]
    return _joined(head, [Section(title, tuple(lines)), *kept])


def waiting(text: str, old: str) -> list[Section]:
    r"""Return the sections of the CHANGELOG `text` that wait for a release; `old` is that of the last release.

    These are what people wrote below `## Unreleased`, and the topmost of a version where `old` has fewer of its
    heading, for it is a release begun before: two of one day may bear the same one.

    >>> waiting("## v1, 2026-11-21\n\n- b\n\n## v1, 2026-11-21\n\n- a\n", "## v1, 2026-11-21\n\n- a\n")
    [Section(title='v1, 2026-11-21', lines=('- b',))]
    """
    now = sections(text)
    return [now[number] for number in _waiting(now, old)]


def _waiting(now: Sequence[Section], old: str) -> list[int]:
    """Return the numbers of those of `now` that wait, as told above."""
    titles = [section.title for section in now]
    before = [section.title for section in sections(old)]
    newest = next((number for number, each in enumerate(now) if each.version), None)
    return [
        number
        for number, each in enumerate(now)
        if not each.version or (number == newest and titles.count(each.title) > before.count(each.title))
    ]


def _split(text: str) -> tuple[str, list[Section]]:
    """Return what stands above the first heading, and the sections; what is fenced as code holds no headings."""
    starts, fenced, lines = [], False, text.splitlines()
    for number, line in enumerate(lines):
        fenced ^= line.lstrip().startswith("```")
        if line.startswith(HEADING) and not fenced:
            starts.append(number)
    ends = [*starts[1:], len(lines)][: len(starts)]
    found = [
        Section(lines[start].removeprefix(HEADING).strip(), _trimmed(lines[start + 1 : end]))
        for start, end in zip(starts, ends, strict=True)
    ]
    return "\n".join(_trimmed(lines[: starts[0]] if starts else lines)), found


def _trimmed(lines: Sequence[str]) -> tuple[str, ...]:
    """Return `lines` without the empty ones at both ends."""
    return tuple("\n".join(lines).strip("\n").splitlines())


def _joined(head: str, found: Sequence[Section]) -> str:
    parts = [head or _TITLE]
    for section in found:
        parts += [f"{HEADING}{section.title}", *(["\n".join(section.lines)] if section.lines else [])]
    return "\n\n".join(parts) + "\n"
