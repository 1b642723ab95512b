"""A connector's versions as its page tells them: what each is, what it changes, and what the bucket has of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import yaml

from python.importing import report as telling
from python.importing.rule import Level
from python.registry.generation.listing import METADATA, YANKED, advertised
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.service.differing import between, stored
from python.registry.service.layout import At, found
from python.registry.store import Store, StoreError

__all__ = ["COMPARED_MAX", "Release", "releases", "versions_with"]

COMPARED_MAX = 10
"""The newest versions whose changes are told: each comparison reads two versions, and few read further back."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `state` is latest, release candidate, pre-release, yanked or empty; `why` it was yanked.

    `breaking` says whether the classifier finds a change that breaks somebody; `differences` are sentences with the
    level of each; `unknown` says why there are none, where they are not known.
    """

    version: str
    uploaded: str
    state: str
    why: str = ""
    before: str | None = None
    breaking: bool = False
    differences: Sequence[tuple[str, str]] = ()
    unknown: str = ""


def versions_with(paths: Iterable[str], name: str) -> set[str]:
    """Return the versions among a connector's `paths` that have a file called `name`."""
    return {path.rsplit("/", 2)[1] for path in paths if path.endswith(f"/{name}")}


def releases(store: Store, repository: str, uploaded: dict[str, str]) -> Iterator[Release]:
    """Yield the versions of a connector, the newest first. `uploaded` has the time of each of its files, by path."""
    yanked = versions_with(uploaded, YANKED)
    chosen = advertised(uploaded)
    known = [tag for tag in versions_with(uploaded, "metadata.yaml") if _is_number(tag)]
    ordered = sorted(known, key=number, reverse=True)
    for place, tag in enumerate(ordered):
        rest = ordered[place + 1 :] if place < COMPARED_MAX else ()
        before = next((each for each in rest if each not in yanked and kind_of(each) is Kind.RELEASE), None)
        release = Release(
            version=tag,
            uploaded=uploaded[f"{METADATA}{repository}/{tag}/metadata.yaml"][:10],
            state=_state(tag, chosen.latest, chosen.candidate, yanked),
            why=_why(store, repository, tag) if tag in yanked else "",
        )
        yield _compared(store, repository, release, before) if before else release


def _is_number(tag: str) -> bool:
    try:
        return bool(kind_of(tag))
    except ValueError:
        return False


def _state(tag: str, latest: str | None, candidate: str | None, yanked: set[str]) -> str:
    states = {candidate: "release candidate", latest: "latest"} | dict.fromkeys(yanked, "yanked")
    return states.get(tag) or ("" if kind_of(tag) is Kind.RELEASE else kind_of(tag).value)


def _why(store: Store, repository: str, tag: str) -> str:
    data = found(store, At(repository, tag).path(YANKED)) or b""
    try:
        said = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        return ""
    if not isinstance(said, dict):
        return ""
    who = [str(said[name]) for name in ("yanked_by", "yanked_at") if said.get(name)]
    return str(said.get("reason") or "no reason is given") + (f" ({', '.join(who)})" if who else "")


def _compared(store: Store, repository: str, release: Release, before: str) -> Release:
    try:
        changes, comparison = between(*(stored(store, At(repository, tag)) for tag in (before, release.version)))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever another tool put there, the other pages must be made
        return msgspec.structs.replace(release, before=before, unknown=f"it cannot be compared with {before}: {error}")
    told = [(each.level.word, telling.sentence(each)) for each in comparison.differences]
    told += [("metadata", f"`{change.pointer}`: {_shown(change.old)} → {_shown(change.new)}") for change in changes]
    breaking = any(each.level is Level.MAJOR for each in comparison.differences)
    unknown = "; ".join(comparison.unknown)
    return msgspec.structs.replace(release, before=before, breaking=breaking, differences=told, unknown=unknown)


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    shown = f"{text[:80]}{'…' * (len(text) > 80)}"  # noqa: PLR2004 -- enough to recognise a value
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)  # Markdown's way to have backticks in code
    return f"{fence} {shown} {fence}" if longest else f"{fence}{shown}{fence}"
