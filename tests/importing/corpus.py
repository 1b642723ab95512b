"""The corpus: one small pair of snapshots a rule, `{"old", "new", "expect"}`, in `corpus/<rule>.json`.

Further pairs for a rule are `corpus/<rule>.<what for>.json`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from python.importing.snapshot_files import of_value
from python.importing.snapshots import Snapshot

FOLDER = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


class Case(msgspec.Struct):
    old: Any
    new: Any
    expect: list[dict[str, str]]

    def snapshots(self) -> tuple[Snapshot, Snapshot]:
        return of_value("old", self.old), of_value("new", self.new)


def case(name: str) -> Case:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Case)
