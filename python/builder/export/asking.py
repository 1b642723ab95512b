"""What an exported connector says of itself: it is started once, out of sight, and has no network but its recording."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from python.builder.export import flow_files
from python.builder.export.answers import Answers
from python.builder.export.order import ExportError, Order
from python.builder.worker.masking import Masker
from python.importing import snapshot_texts
from python.importing.scaffold.examples import Example, example
from python.importing.scaffold.templates import sentence
from python.importing.snapshot_settings import Settings
from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.protocol.log import Log
from python.runner import engines
from python.runner.catalog import CaptureTask
from python.runner.discovery_merge import Merge, NewBinding, merge
from python.runner.drive import Launch
from python.runner.loading import load_catalog
from python.runner.observing import Observation, discovered_of, spec_of
from python.runner.preview_options import stopped_after
from python.runner.stop import Stop, until_signal
from python.runner.tasks import enabled

__all__ = ["answers"]

_SECONDS_MAX = 300.0  # for all answers together: nothing waits for a network, but machines are busy
_REDACTED = "****"
_META = "_meta"
_FAILED = re.compile(r"stream (?P<stream>.+?): (?P<reason>.*)", re.DOTALL)


def answers(order: Order, specification: Mapping[str, Any]) -> Answers:
    """Return what the connector of `order` answers; where it is not to be asked, or cannot be, what is known without.

    `order.text` has to be the manifest as it is published. Nothing that it starts outlives the call. Call it on the
    main thread of a process: until it returns, SIGINT and SIGTERM end it, which raises ExportError.
    """
    given, config = _configs(order, specification)
    told = Answers(given=given, config=config)
    if not order.ask:
        return msgspec.structs.replace(told, problem=order.unasked)
    with tempfile.TemporaryDirectory(prefix="headwater-export-") as root:
        folder = pathlib.Path(root) / order.name
        _lay(folder, order)
        try:
            return _Asking(folder, told, recorded=order.recording is not None).answers()
        except ExportError:
            raise
        except HeadwaterError as error:
            problem = sentence(str(error).replace(f"{root}/", ""))
            return msgspec.structs.replace(told, problem=problem)


def _configs(order: Order, specification: Mapping[str, Any]) -> tuple[Example, dict[str, Any]]:
    """Return a config for people, with gaps where they have to fill in, and the one that a recording was made with.

    Of test values, neither has what is secret.
    """
    made = example(specification)
    masker = Masker({"connection_specification": specification}, order.config)
    masked = {name: masker.mask({name: value})[name] for name, value in order.config.items()}
    open_ = {name: value for name, value in masked.items() if _REDACTED not in document.encode(value).decode()}
    gaps = tuple(gap for gap in made.gaps if gap.split("/")[1] not in open_)
    return Example({**made.value, **open_}, gaps), {**made.value, **masked}


def _lay(folder: pathlib.Path, order: Order) -> None:
    """The folder has what the connector needs to run on its recording, which is empty where there is none."""
    recording = folder / flow_files.RECORDING
    if order.recording is not None:
        shutil.copytree(order.recording, recording)
    else:
        recording.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(order.text, encoding="utf-8")
    if order.components is not None:
        (folder / "components.py").write_text(order.components, encoding="utf-8")


_Captured: TypeAlias = tuple[list[tuple[str, bytes]], Any]
"""Documents as JSON with their collections, and the state after them."""


class _Asking:
    """One connector that is asked; each answer is kept as its tests keep it."""

    def __init__(self, folder: pathlib.Path, told: Answers, *, recorded: bool) -> None:
        self._folder = folder
        self._told = told
        self._recorded = recorded
        self._snapshots: dict[str, Any] = {}
        self._failed: dict[str, str] = {}

    def answers(self) -> Answers:
        """Return what it answers. Raises ExportError where a signal came, HeadwaterError where it took too long."""
        late = Stop()
        with until_signal() as stop, late.telling(stop.ask), stopped_after(_SECONDS_MAX, late):
            told: Answers | HeadwaterError
            try:
                told = self._answers(stop)
            except HeadwaterError as error:
                told = error
        if late.asked:
            raise HeadwaterError(f"the connector did not answer everything within {_SECONDS_MAX:g} s")
        if stop.asked:
            raise ExportError("stopped before the connector had answered: nothing was exported")
        if isinstance(told, HeadwaterError):
            raise told
        return told

    def _answers(self, stop: Stop) -> Answers:
        task, launch = self._task(None, stop)
        spec = spec_of(task, launch)
        self._keep("spec", snapshot_texts.spec_lines(_plain(spec), Settings()))
        schema = document.decode(spec.resource_config_schema)
        told = msgspec.structs.replace(self._told, resource_schema=schema, snapshots=self._snapshots)
        try:
            bindings = discovered_of(task, launch)
        except HeadwaterError as error:
            return msgspec.structs.replace(told, problem=sentence(error))
        if not bindings:
            return msgspec.structs.replace(told, problem="the connector discovers nothing with this config")
        self._keep("discover", snapshot_texts.discovered_lines(map(_plain, bindings), Settings()))
        found = merge(task, bindings, spec.resource_path_pointers)
        told = msgspec.structs.replace(told, found=found)
        try:
            return self._read(told, found, stop) if self._recorded else told
        except HeadwaterError as error:
            return msgspec.structs.replace(told, unplayed=sentence(error))

    def _read(self, told: Answers, found: Merge, stop: Stop) -> Answers:
        """Return `told` with what the connector captures of its recording, without the streams that it lacks."""
        unread: dict[str, str] = {}
        while True:
            replayed = _without(found, unread)
            if all(each.disable for each in replayed.added):
                lacking = "; ".join(f"{name}: {why}" for name, why in unread.items())
                return msgspec.structs.replace(told, unplayed=sentence(f"no stream was recorded as a whole: {lacking}"))
            self._failed.clear()
            try:
                captured = self._captured(replayed, stop)
            except HeadwaterError:
                if not self._failed.keys() - unread:
                    raise
                unread |= self._failed
                continue
            return self._kept(msgspec.structs.replace(told, replayed=replayed, unread=unread), replayed, captured)

    def _kept(self, told: Answers, replayed: Merge, captured: _Captured) -> Answers:
        pairs, state = captured
        self._keep("capture", snapshot_texts.captured_lines(pairs, Settings()))
        self._keep("state", snapshot_texts.state_lines(state, Settings()))
        names = {each.target: _stream(each) for each in replayed.added if not each.disable}
        records: dict[str, list[Any]] = {name: [] for name in names.values()}
        for target, text in pairs:
            value: Any = document.decode(text)
            records[names[target]].append({key: each for key, each in value.items() if key != _META})
        return msgspec.structs.replace(told, records=records)

    def _captured(self, replayed: Merge, stop: Stop) -> _Captured:
        """Return the documents with their collections, and the state after them."""
        task, launch = self._task(replayed, stop)
        catalog = load_catalog(self._spec_path)
        targets = [binding.target for binding in enabled(task)]
        pairs: list[tuple[str, bytes]] = []
        state: Any = {}
        for committed in Observation(task, catalog, launch).run():
            state = committed.state
            for target, texts in zip(targets, committed.documents, strict=True):
                pairs.extend((target, text) for text in texts)
        return pairs, state

    def _note(self, log: Log) -> None:
        """Take note of a stream that fails: the shim tells of each, with the source's own reason."""
        found = _FAILED.match(log.message)
        if found is not None and log.level == "error":
            reason = log.fields.get("internalMessage") or found["reason"]
            self._failed.setdefault(found["stream"], sentence(reason))

    @property
    def _spec_path(self) -> pathlib.Path:
        return self._folder / flow_files.REPLAY_SPEC

    def _task(self, found: Merge | None, stop: Stop) -> tuple[CaptureTask, Launch]:
        """Return the capture with the bindings that were found, and how to start its connector."""
        text = flow_files.replay_spec(self._folder.name, self._told.config, found)
        self._spec_path.write_text(text, encoding="utf-8")
        task = load_catalog(self._spec_path).capture(None)
        launch = engines.launch(task, self._note)
        return task, msgspec.structs.replace(launch, cwd=str(self._folder.parent), stop=stop)

    def _keep(self, kind: str, lines: list[Any]) -> None:
        path = f"{snapshot_texts.FOLDER}/{snapshot_texts.file_name(kind)}"
        self._snapshots[path] = snapshot_texts.text_of(lines)


def _without(found: Merge, streams: Iterable[str]) -> Merge:
    """Return `found` with the bindings of `streams` disabled."""
    names = set(streams)
    added = (dataclasses.replace(each, disable=True) if _stream(each) in names else each for each in found.added)
    return dataclasses.replace(found, added=tuple(added))


def _stream(binding: NewBinding) -> str:
    resource = binding.resource
    return str(resource.get("stream")) if isinstance(resource, dict) else ""


def _plain(message: msgspec.Struct) -> Any:  # noqa: ANN401 -- JSON
    return document.decode(msgspec.json.encode(message))
