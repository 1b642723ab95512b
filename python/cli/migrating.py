"""What `headwater migrate-test` does: run a capture from nothing and from a state, and tell what that makes of it."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import sys
from collections.abc import Iterator, Sequence

import msgspec

from python.importing.migrating import Captured, Fate, Outcome, judged, lost_parts
from python.importing.migration_report import FORMS, Report
from python.importing.snapshot_settings import settings_of
from python.importing.snapshots import Json
from python.importing.stored_states import Bound, backfill_of, bound, stored_in
from python.protocol import document, pointer
from python.protocol.errors import DocumentError, HeadwaterError
from python.protocol.flow import CaptureBinding, CaptureSpec
from python.protocol.patch import merge
from python.runner import engines, task_logs
from python.runner.catalog import CaptureTask, Catalog
from python.runner.durations import parse_seconds
from python.runner.loading import load_catalog
from python.runner.observing import Observation
from python.runner.stop import Stop, until_signal
from python.shell.outlet import Outlet

__all__ = ["Options", "report", "tell"]

_ROW_ID = "/_meta/row_id"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is a file, or - for stdin; `to` a connector's folder, or a Flow spec with the capture `name`.

    `allowed` are the bindings that may start over, by their names, resource paths or collections.
    """

    state: str
    to: str
    name: str | None = None
    allowed: tuple[str, ...] = ()
    timeout: str | None = None
    network: str = "bridge"
    form: str = "table"


def tell(options: Options) -> tuple[str, int]:
    """Return what to print, and the exit status: 0 if all is well, 1 if not, 3 if nothing is worse than unclear.

    Raises HeadwaterError where the test cannot be made.
    """
    found = report(options)
    is_only_unclear = found.unclear and not found.bad and not found.refusal
    return FORMS[options.form](found), 0 if found.is_well else 3 if is_only_unclear else 1


def report(options: Options) -> Report:
    """Return what becomes of each binding. Raises HeadwaterError where the connector cannot even start from nothing."""
    state = _state(options.state)
    folder = pathlib.Path(options.to)
    settings = settings_of(folder) if folder.is_dir() else settings_of(folder.parent)
    source = folder / settings.source if folder.is_dir() else folder
    if not source.is_file():
        raise HeadwaterError(f"--to {options.to}: {source} is no file; name a connector's folder, or a Flow spec")
    catalog = load_catalog(source)
    task = catalog.capture(options.name, flag="--name")
    config = merge(task.endpoint.config, settings.config) if settings.config else task.endpoint.config
    task = dataclasses.replace(task, endpoint=dataclasses.replace(task.endpoint, config=config))
    with until_signal() as stop:
        found = _Test(task, catalog, options, stop).of(state)
        if stop.asked:
            raise HeadwaterError(f"{task.name}: stopped before both runs had ended; nothing is known")
    return found


def _state(name: str) -> Json:
    try:
        text = sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
        state = document.decode(text)
    except OSError as error:
        raise HeadwaterError(f"--from {name} cannot be read: {error.strerror}") from None
    except DocumentError as error:
        raise HeadwaterError(f"--from {name} is no JSON: {error}") from None
    if not isinstance(state, dict | list):
        raise HeadwaterError(
            f"--from {name} is {str(state)[:40]!r}: want a task's state, an object or a list of messages"
        )
    return state


def _seconds(timeout: str | None) -> float | None:
    try:
        return parse_seconds(timeout) if timeout else None
    except ValueError as error:
        raise HeadwaterError(f"--timeout: {error}") from None


class _Test:
    """One capture, run twice."""

    def __init__(self, task: CaptureTask, catalog: Catalog, options: Options, stop: Stop) -> None:
        self._task, self._catalog, self._options = task, catalog, options
        self._seconds_max = _seconds(options.timeout)
        on_log = task_logs.writer(Outlet(sys.stderr, stop.ask), task, as_json=False)
        self._launch = msgspec.structs.replace(engines.launch(task, on_log, options.network), stop=stop)

    def of(self, state: Json) -> Report:
        """Return what becomes of each binding that the connector is opened with `state` for."""
        first = Observation(self._task, self._catalog, self._launch)
        paths = [binding.resource_path for binding in first.spec.bindings]
        bindings, allowed = self._bindings(first.spec, state)
        whole, _ = self._captured(first, bindings, {})
        raised = [backfill_of(state, path) + (each.name in allowed) for path, each in zip(paths, bindings, strict=True)]
        lost = lost_parts(bindings, state)
        try:
            opened = Observation(self._backfilled(raised), self._catalog, self._launch) if any(raised) else first
            came, after = self._captured(opened, bindings, state)
        except HeadwaterError as error:
            return self._report(state, bindings, (_refused(bindings, state), lost), allowed, str(error))
        fates = judged(bindings, (state, after), list(zip(whole, came, strict=True)))
        return self._report(state, bindings, (fates, lost), allowed)

    def _report(
        self,
        state: Json,
        bindings: Sequence[Bound],
        fates: tuple[Sequence[Fate], ...],
        allowed: set[str],
        refusal: str = "",
    ) -> Report:
        form = stored_in(state, bindings).form
        told = tuple(fate for some in fates for fate in some)
        return Report(name=self._task.name, form=form, fates=told, allowed=frozenset(allowed), refusal=refusal)

    def _bindings(self, spec: CaptureSpec, state: Json) -> tuple[list[Bound], set[str]]:
        """Return the bindings, and the names of those that may start over, or be lost."""
        found = [_bound(each, backfill_of(state, each.resource_path)) for each in spec.bindings]
        names = {name: name for name in stored_in(state, found).unclaimed}
        names |= {alias: each.name for each in found for alias in (*each.streams, each.collection, each.name)}
        unknown = [name for name in self._options.allowed if name not in names]
        if unknown:
            known = ", ".join(each.name for each in found)
            raise HeadwaterError(
                f"--allow-restart {unknown[0]}: no binding of {self._task.name} is called so; has: {known}"
            )
        return found, {names[name] for name in self._options.allowed}

    def _backfilled(self, counters: Sequence[int]) -> CaptureTask:
        waiting = iter(counters)
        bindings = tuple(
            each if each.disable else dataclasses.replace(each, backfill=next(waiting)) for each in self._task.bindings
        )
        return dataclasses.replace(self._task, bindings=bindings)

    def _captured(
        self, observation: Observation, bindings: Sequence[Bound], state: Json
    ) -> tuple[list[Captured], Json]:
        found: list[dict[str, Json]] = [{} for _ in bindings]
        for committed in observation.run(state, self._seconds_max):
            state = committed.state
            for binding, each, texts, into in zip(
                observation.spec.bindings, bindings, committed.documents, found, strict=True
            ):
                into.update(_identified(binding.collection.key, each.cursor_field, texts))
        return list(found), state


def _bound(binding: CaptureBinding, backfill: int) -> Bound:
    resource = document.decode(binding.resource_config)
    return bound(resource, binding.resource_path, binding.collection.name, backfill)


def _identified(key: Sequence[str], field: str | None, texts: Sequence[bytes]) -> Iterator[tuple[str, Json]]:
    """Yield what tells each document from the others, with the value of its cursor field; deletions are none."""
    for text in texts:
        doc = document.decode(text)
        if not isinstance(doc, dict) or (doc.get("_meta") or {}).get("op") == "d":
            continue
        if tuple(key) == (_ROW_ID,):  # a number that depends on what came before
            own = document.encode({name: value for name, value in doc.items() if name != "_meta"})
            identity = hashlib.blake2b(own, digest_size=16).hexdigest()
        else:
            identity = document.encode([_resolved(doc, each) for each in key]).decode()
        yield identity, doc.get(field) if field else None


def _resolved(doc: Json, at: str) -> Json:
    value = pointer.resolve(doc, pointer.parse(at))
    return None if value is pointer.MISSING else value


def _refused(bindings: Sequence[Bound], state: Json) -> list[Fate]:
    parts = stored_in(state, bindings).parts
    return [
        Fate(
            name=each.name,
            collection=each.collection,
            outcome=Outcome.REFUSED if each.state_key in parts or not each.refreshed else Outcome.REFRESHES,
            why="the connector did not run from this state",
        )
        for each in bindings
    ]
