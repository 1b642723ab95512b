"""What is to be told of an export: its version, and what could not be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from python.builder.export.drafting import Draft
from python.builder.manifests.importing import Note

__all__ = ["report"]


def report(draft: Draft, notes: Sequence[Note]) -> dict[str, Any]:
    """Return plain values: `version` and what it `breaking`ly changes, `hosts`, and the `notes` of taking it in.

    `problem` says why bindings are not known, `unplayed` why the tests capture nothing of the recording, and `unread`
    by stream why they do not capture it: each is empty where nothing is wrong. `*` in `hosts` stands for hosts that
    only answers name.
    """
    return {
        "version": draft.revision.version,
        "breaking": list(draft.revision.breaking),
        "hosts": list(draft.facts.hosts),
        "problem": draft.laid.problem,
        "unplayed": draft.laid.unplayed,
        "unread": dict(draft.laid.unread),
        "notes": msgspec.to_builtins(list(notes)),
    }
