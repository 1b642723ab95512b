"""`headwater run`: plays a whole spec. Captures write collections, derivations and materializations read them."""

from __future__ import annotations

import pathlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from python.runner.capture_job import CaptureJob
from python.runner.catalog import Catalog
from python.runner.derive_job import DeriveJob
from python.runner.endpoints import Task
from python.runner.jobs import Job, Options, Shared, all_ended
from python.runner.loading import load_catalog
from python.runner.materialize_job import MaterializeJob
from python.runner.progress import Progress
from python.runner.status import written_beside
from python.runner.stop import until_signal
from python.runner.store import Store
from python.runner.task_choice import tasks_of
from python.shell.outlet import Outlet

__all__ = ["Options", "run"]


def run(options: Options) -> int:
    """Run the tasks of a spec, or the one that is named, until each has ended; return the exit status.

    A capture ends with its session, a reader once it has read all that those which write its sources will write. A task
    that fails does not stop the others. With `continuous`, all go on until they are stopped, and what fails starts
    again. What had been committed stays; the next run resumes from it.
    """
    loaded = load_catalog(pathlib.Path(options.source))
    chosen = tasks_of(loaded, options.name)
    store = Store(options.store_path)
    with until_signal() as stop:
        said = Outlet(sys.stderr, stop.ask)
        progress = Progress(said)
        try:
            board = _Board()
            shared = Shared(store, progress, stop, said, options, board.settled)
            jobs = {task.name: _job(task, loaded, shared) for task in _enabled(chosen, progress)}
            board.open(jobs)
            with written_beside(store):
                failures = all_ended({name: board.noting(job) for name, job in jobs.items()})
            read = _read(jobs.values(), store)
        finally:
            progress.close()
            store.close()
    for failure in failures:
        said.write(f"headwater: {failure}\n")
    if any(task.kind == "capture" for task in chosen):
        progress.summary(sys.stdout, options.store_path)
    sys.stdout.writelines(f"{line}\n" for line in read)
    return 1 if failures else 0


def _enabled(chosen: Iterable[Task], progress: Progress) -> Iterator[Task]:
    for task in chosen:
        if task.shards.disable:
            progress.note(f"{task.name}: skipped, since its `shards.disable` is true")
        elif task.endpoint is None and task.kind == "materialization":
            progress.note(f"{task.name}: skipped, since Dekaf is a service of Flow's own")
        else:
            yield task


def _job(task: Task, catalog: Catalog, shared: Shared) -> Job:
    kinds: Mapping[str, Callable[..., Job]] = {
        "capture": CaptureJob,
        "derivation": DeriveJob,
        "materialization": MaterializeJob,
    }
    return kinds[task.kind](task, catalog, shared)


def _read(jobs: Iterable[Job], store: Store) -> Iterator[str]:
    """Return, for each task that reads, what it has read and written up to now, over all runs."""
    records = [
        (job.name, [record for name, _, record in store.tasks() if name == job.name]) for job in jobs if job.reads
    ]
    return iter(
        [
            f"{name}: {sum(record.read for record in shards):,} documents read and "
            f"{sum(record.documents for record in shards):,} written, up to now"
            for name, shards in records
        ]
    )


class _Board:
    """Who still runs, and writes what."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
        self._upstream: dict[str, frozenset[str]] = {}

    def open(self, jobs: Mapping[str, Job]) -> None:
        """These jobs are to run."""
        self._running = dict(jobs)
        direct = {
            name: {other for other, writer in jobs.items() if set(writer.writes) & set(job.reads)}
            for name, job in jobs.items()
        }
        for name in jobs:
            found: set[str] = set()
            waiting = list(direct[name])
            while waiting:
                other = waiting.pop()
                if other not in found:
                    found.add(other)
                    waiting += direct[other]
            self._upstream[name] = frozenset(found)

    def settled(self, name: str, collections: Sequence[str]) -> bool:
        """Whether nothing will be written any more to `collections`, which the task `name` reads.

        Tasks that read what `name` writes, in a circle, do not wait for one another: each ends once it has read what
        was there.
        """
        with self._lock:
            return not any(
                set(job.writes) & set(collections) and name not in self._upstream[other]
                for other, job in self._running.items()
                if other != name
            )

    def noting(self, job: Job) -> Callable[[], None]:
        """Return what runs `job`, and notes its end, however it ends."""

        def noted() -> None:
            try:
                job.run()
            finally:
                with self._lock:
                    del self._running[job.name]

        return noted
