"""A connector's snapshots, taken anew: asked, run, held against those that its tests keep, and written."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from python.importing import snapshot_texts as texts
from python.importing.snapshot_settings import Settings, settings_of
from python.importing.snapshots import Json
from python.protocol import document
from python.protocol.errors import DocumentError, HeadwaterError
from python.protocol.log import Log
from python.protocol.patch import merge
from python.runner import engines
from python.runner.catalog import CaptureTask, Catalog
from python.runner.drive import Launch
from python.runner.endpoints import ImageEndpoint
from python.runner.loading import load_catalog
from python.runner.observing import Observation, discovered_of, spec_of
from python.runner.tasks import enabled

__all__ = ["Change", "Question", "changes", "take", "write"]


_CUT_OFF = (
    "it did not end by itself within {seconds:g} s, and was asked to: what is kept of it may differ from run to run; "
    "`seconds` of [tool.headwater.snapshot] and --timeout set the limit"
)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What to take: the `kinds` of snapshots of the connector in `folder`.

    `launch` says how a capture's connector is started; `image` is what to start in the place of its command. `config`
    stands in for that of the Flow spec, whose captures have to be one then. `source` is another spec than the folder's,
    `name` the capture of it to run, and `given` are other settings. A capture is asked to end after `seconds`, by
    default those of the settings, which is told as a log.
    """

    folder: pathlib.Path
    kinds: Sequence[str] = texts.KINDS
    launch: Callable[[CaptureTask], Launch] = lambda task: engines.launch(task, lambda _log: None)
    config: Json = None
    image: str = ""
    source: pathlib.Path | None = None
    name: str | None = None
    given: Settings | None = None
    seconds: float | None = None

    @property
    def settings(self) -> Settings:
        """What the connector's pyproject.toml says of its snapshots, unless others are given."""
        found = self.given or settings_of(self.folder)
        return msgspec.structs.replace(found, seconds=found.seconds if self.seconds is None else self.seconds)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that is not what it would be now: `kept` is None where there is none, `now` where nothing gives it."""

    path: pathlib.Path
    kept: str | None
    now: str | None

    def told(self) -> str:
        """Return the difference for a person, as a unified diff under the file's name."""
        if self.kept is None:
            return f"{self.path} is not kept yet"
        if self.now is None:
            return f"{self.path} is kept, and nothing of the connector gives it any more"
        return texts.diff(str(self.path), self.kept, self.now)


def take(question: Question) -> dict[str, Json]:
    """Return what would be kept, by file name. Raises HeadwaterError or ConnectorError where the connector fails."""
    folder, settings = question.folder, question.settings
    source = question.source or folder / settings.source
    if not source.is_file():
        raise HeadwaterError(
            f"{folder} is asked and run by a Flow spec, and {source} is no file: write one, or name it as `source` of "
            "[tool.headwater.snapshot] in its pyproject.toml"
        )
    catalog = load_catalog(source)
    found: dict[str, Json] = {}
    for run, named in _runs(folder, catalog, question).items():
        task = _with(named, question.image, merge(named.endpoint.config, settings.config))
        for kind, lines in _taken(task, catalog, question, settings):
            found[texts.file_name(kind, "" if kind == "spec" else run)] = lines
    return found


def _runs(folder: pathlib.Path, catalog: Catalog, question: Question) -> dict[str, CaptureTask]:
    """Return the captures that `catalog` itself defines by the name of their run: "" for the only one."""
    source = catalog.source.resolve()
    own = {name: task for name, task in catalog.captures.items() if task.where.file.resolve() == source}
    if catalog.captures and not own:
        raise HeadwaterError(f"{catalog.source} defines no capture of its own, and snapshots are of captures")
    catalog = dataclasses.replace(catalog, captures=own)
    if len(catalog.captures) <= 1 or question.config is not None:
        task = catalog.capture(question.name, flag="--name")
        return {"": task if question.config is None else _with(task, "", question.config)}
    wanted = [catalog.capture(question.name).name] if question.name else [*catalog.captures]
    prefix = f"{folder.resolve().name}-"
    taken: dict[str, str] = {}
    runs: dict[str, CaptureTask] = {}
    for name in wanted:
        run = re.sub(r"\W", "_", name.rpartition("/")[2].removeprefix(prefix))
        other = taken.setdefault(run.casefold(), name)
        if other != name:
            raise HeadwaterError(
                f"{catalog.source}: {other} and {name} would both be kept as {texts.file_name('capture', run)!r}: "
                "rename one, such that the last parts of the names differ in letters or digits"
            )
        runs[run] = catalog.captures[name]
    return runs


def _with(task: CaptureTask, image: str, config: Json) -> CaptureTask:
    """Return `task` with another config, and with an image in the place of its command, if one is named."""
    own = task.endpoint
    if not image:
        return dataclasses.replace(task, endpoint=dataclasses.replace(own, config=config))
    endpoint = ImageEndpoint(image=image, config=config, config_where=own.config_where, where=task.where)
    return dataclasses.replace(task, endpoint=endpoint)


def _taken(
    task: CaptureTask, catalog: Catalog, question: Question, settings: Settings
) -> Iterator[tuple[str, list[Json]]]:
    launch = question.launch(task)
    with launch.stop.excused():
        if "spec" in question.kinds:
            yield "spec", texts.spec_lines(_plain(spec_of(task, launch)), settings)
        if "discover" in question.kinds:
            yield "discover", texts.discovered_lines(map(_plain, discovered_of(task, launch)), settings)
        if {"capture", "state"} & {*question.kinds}:
            observation = Observation(task, catalog, launch)
            states: list[Json] = [{}]
            yield "capture", texts.captured_lines(_documents(task, observation, settings, states), settings)
            if observation.cut_off:
                launch.on_log(Log(level="warn", message=_CUT_OFF.format(seconds=settings.seconds)))
            yield "state", texts.state_lines(states[-1], settings)
    if launch.stop.asked:
        raise HeadwaterError(f"{task.name}: stopped before all was asked and captured; nothing was written")


def _documents(
    task: CaptureTask, observation: Observation, settings: Settings, states: list[Json]
) -> Iterator[tuple[str, bytes]]:
    """Yield what is captured, with its collection; in the end, `states` has the last state."""
    targets = [binding.target for binding in enabled(task)]
    for committed in observation.run(seconds_max=settings.seconds):
        states[:] = [committed.state]
        for target, found in zip(targets, committed.documents, strict=True):
            yield from ((target, text) for text in found)


def _plain(message: msgspec.Struct) -> Json:
    return document.decode(msgspec.json.encode(message))


def changes(question: Question, taken: Mapping[str, Json]) -> list[Change]:
    """Return what differs between what is kept and what was `taken`, and what is kept for nothing."""
    folder = question.folder / texts.FOLDER
    found = []
    for name, lines in taken.items():
        kind = name.rpartition("__")[0].rpartition("_")[2]
        if kind not in question.kinds:
            continue
        path, now = folder / name, texts.text_of(lines)
        kept = _read(path)
        tolerant = question.settings.tolerant and kind == "capture"
        if kept is None or not texts.is_same(_decoded(kept), document.decode(now.encode()), tolerant=tolerant):
            found.append(Change(path=path, kept=kept, now=now))
    stale = [path for path in sorted(folder.glob("snapshots__*__capture.stdout.json")) if path.name not in taken]
    whole = {*question.kinds} == {*texts.KINDS}
    return found + [Change(path=path, kept=_read(path), now=None) for path in stale if whole]


def _read(path: pathlib.Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise HeadwaterError(f"{path} cannot be read: {error}") from None


def _decoded(text: str) -> Json:
    """Return the value of a snapshot's text; what is no JSON is the text itself, which no snapshot is."""
    try:
        return document.decode(text.encode())
    except DocumentError:
        return text


def write(found: Sequence[Change]) -> None:
    """The snapshots of `found` are what they would be now. Each file is written whole, or stays as it was."""
    for change in found:
        if change.now is None:
            change.path.unlink()
            continue
        change.path.parent.mkdir(parents=True, exist_ok=True)
        beside = change.path.with_suffix(".new")
        beside.write_text(change.now, encoding="utf-8")
        beside.replace(change.path)
