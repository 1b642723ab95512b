"""What a connector's own tests do with its snapshots: hold them against what it says now, or write them anew."""

from __future__ import annotations

import pathlib

import msgspec
import pytest

from python.acceptance.snapshots import Question, changes, take, write
from python.importing.snapshot_texts import KINDS
from python.importing.snapshots import Json
from python.protocol.errors import ConnectorError, HeadwaterError
from python.protocol.log import Log
from python.runner import engines
from python.runner.catalog import CaptureTask
from python.runner.drive import Launch
from python.shell.child import ChildError

__all__ = ["Snapshots"]


class Snapshots:
    """The snapshots of the connector in `folder`. With `update` they are written, and all is well."""

    def __init__(self, folder: pathlib.Path, *, update: bool) -> None:
        self._folder = folder
        self._update = update
        self._logs: list[str] = []

    def check(self, *kinds: str, config: Json = None) -> None:
        """The snapshots, or those of `kinds`, are what they were; else the test fails with what differs.

        `config` stands in for that of the Flow spec: that of a server which the test has started, say.
        """
        question = Question(folder=self._folder, kinds=kinds or KINDS, launch=self._launch, config=config)
        try:
            found = changes(question, take(question))
        except (HeadwaterError, ConnectorError, ChildError) as error:
            pytest.fail("\n".join([*self._logs, str(error)]), pytrace=False)
        if self._update:
            write(found)
        elif found:
            advice = f"if that is right: headwater snapshot {self._folder.name} --update, or pytest --snapshot-update"
            pytest.fail("\n".join([*(change.told() for change in found), advice]), pytrace=False)

    def _launch(self, task: CaptureTask) -> Launch:
        return msgspec.structs.replace(engines.launch(task, self._note), cwd=str(self._folder.parent))

    def _note(self, entry: Log) -> None:
        self._logs.append(f"{entry.level}: {entry.message}")
