"""What `headwater snapshot` does: run the connector of a folder, its logs on stderr, until a signal."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence

import msgspec

from python.acceptance.snapshots import Change, Question, changes, take, write
from python.protocol.errors import HeadwaterError
from python.runner import engines, task_logs
from python.runner.catalog import CaptureTask
from python.runner.drive import Launch
from python.runner.stop import until_signal
from python.shell.outlet import Outlet

__all__ = ["changes_of", "write"]


def changes_of(folder: str, kinds: Sequence[str], network: str, seconds: float | None) -> list[Change]:
    """Return what differs between what `folder` keeps of `kinds` and what its connector says now."""
    path = pathlib.Path(folder)
    if not path.is_dir():
        raise HeadwaterError(f"{folder} is no folder: name that of a connector, as source-faker")
    with until_signal() as stop:

        def launch(task: CaptureTask) -> Launch:
            on_log = task_logs.writer(Outlet(sys.stderr, stop.ask), task, as_json=False)
            return msgspec.structs.replace(engines.launch(task, on_log, network), stop=stop)

        question = Question(folder=path, kinds=kinds, launch=launch, seconds=seconds)
        return changes(question, take(question))
