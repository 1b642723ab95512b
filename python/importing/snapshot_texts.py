"""A connector's snapshots as files: their names, their text in Flow's order of fields, and how two of them differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from python.importing.snapshot_redaction import redacted, replaced
from python.importing.snapshot_settings import Settings
from python.importing.snapshots import Json
from python.protocol import document

__all__ = [
    "DIFF_LINES_MAX",
    "FOLDER",
    "KINDS",
    "captured_lines",
    "diff",
    "discovered_lines",
    "file_name",
    "is_same",
    "spec_lines",
    "state_lines",
    "text_of",
]

KINDS = ("spec", "discover", "capture", "state")
"""What is kept of a connector. The state is ours: Estuary's repository keeps the other three."""

FOLDER = "tests/snapshots"
"""Where a connector's folder keeps them."""

DIFF_LINES_MAX = 200
"""Lines of a difference that are shown: enough to see what kind it is, and few enough to be read."""

_SPEC = ("protocol", "configSchema", "resourceConfigSchema", "documentationUrl", "oauth2", "resourcePathPointers")
_BINDING = ("recommendedName", "resourceConfig", "documentSchema", "key")


def file_name(kind: str, run: str = "") -> str:
    """Return the name of a snapshot's file; `run` names the config where a connector is run with several.

    >>> file_name("spec"), file_name("capture", "csv")
    ('snapshots__spec__capture.stdout.json', 'snapshots__csv_capture__capture.stdout.json')
    """
    return f"snapshots__{run}_{kind}__capture.stdout.json" if run else f"snapshots__{kind}__capture.stdout.json"


def text_of(lines: Json) -> str:
    """Return the content of a snapshot's file: indented JSON, every number with the digits it came with."""
    return msgspec.json.format(document.encode(lines), indent=2).decode() + "\n"


def spec_lines(spec: Mapping[str, Json], settings: Settings) -> list[Json]:
    """Return what is kept of an answer to `spec`: a list of it alone."""
    return [replaced(_ordered(spec, _SPEC), settings.replace)]


def discovered_lines(bindings: Iterable[Mapping[str, Json]], settings: Settings) -> list[Json]:
    """Return what is kept of discovered bindings."""
    return [replaced(_ordered(binding, _BINDING), settings.replace) for binding in bindings]


def captured_lines(documents: Iterable[tuple[str, bytes]], settings: Settings) -> list[Json]:
    """Return what is kept of `documents`, JSON texts with their collections, in the order in which they were committed.

    Takes no more memory than what is kept of them. Members are sorted by name.
    """
    found: list[Json] = []
    seen: dict[str, int] = {}
    for number, (collection, text) in enumerate(documents):
        before = seen.get(collection, 0)
        seen[collection] = before + 1
        wanted = before < settings.each if settings.each is not None else not before or number < settings.lines
        if wanted:
            found.append([collection, redacted(_sorted(document.decode(text)), settings)])
    return found


def state_lines(state: Json, settings: Settings) -> list[Json]:
    """Return what is kept of the state that a capture ended with: a list of it alone."""
    return [redacted(_sorted(state), settings)]


def is_same(kept: Json, now: Json, *, tolerant: bool = False) -> bool:
    """Whether two snapshots say the same, whatever the order of members; with `tolerant`, `now` may have more of them.

    >>> is_same([["acmeCo/a", {"n": 1}]], [["acmeCo/a", {"n": 1, "new": 2}]], tolerant=True)
    True
    """
    if isinstance(kept, dict) and isinstance(now, dict):
        if not (kept.keys() <= now.keys() if tolerant else kept.keys() == now.keys()):
            return False
        return all(is_same(kept[name], now[name], tolerant=tolerant) for name in kept)
    if isinstance(kept, list) and isinstance(now, list):
        pairs = zip(kept, now, strict=False)
        return len(kept) == len(now) and all(is_same(one, other, tolerant=tolerant) for one, other in pairs)
    return document.encode(kept) == document.encode(now)  # digit for digit: 1 is neither 1.0 nor true


def diff(name: str, kept: str, now: str) -> str:
    """Return how the text of a snapshot differs from what would be kept now, as a unified diff of a bounded length."""
    lines = list(_diff(name, kept, now))
    if len(lines) > DIFF_LINES_MAX:
        lines[DIFF_LINES_MAX:] = [f"… and {len(lines) - DIFF_LINES_MAX} lines more"]
    return "\n".join(lines)


def _diff(name: str, kept: str, now: str) -> Iterator[str]:
    return difflib.unified_diff(kept.splitlines(), now.splitlines(), f"{name} (kept)", f"{name} (now)", lineterm="")


def _ordered(value: Mapping[str, Json], names: tuple[str, ...]) -> dict[str, Json]:
    first = {name: value[name] for name in names if name in value}
    return {**first, **{name: member for name, member in value.items() if name not in first}}


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
