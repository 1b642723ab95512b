"""Processes beside a test: readers who look all the time, writers who are killed at a write, rivals who write at once.

They come from a fork server, so that each takes milliseconds to start. A store is opened in the process itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any
from unittest import mock

from python.registry.service.uploading import Outcome
from python.registry.service.writing import ImmutableError
from python.registry.store import Store, open_store
from tests.registry.stores import FailingStore
from tests.registry.story.conftest import Place
from tests.registry.story.world import check_copies, generated, seen, uploaded

__all__ = ["both", "killed_at", "reading", "started", "work"]


class KillingStore(FailingStore):
    """`inner`; the process is killed in the write after `writes` of them: a file is beside its place, never moved."""

    def _write(self, path: str) -> None:
        if self.left <= 0:
            mock.patch.multiple(os, replace=_die, unlink=_die).start()
        self.left -= 1


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def started(work: Callable[..., None], *given: Any) -> ForkServerProcess:
    """Return a process that does `work` with what is `given`; it is gone at the latest when this one is."""
    process = _context().Process(target=work, args=given, daemon=True)
    process.start()
    return process


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


@contextlib.contextmanager
def reading(place: Place) -> Iterator[None]:
    """Within, a process reads the registry all the time; in the end it must have seen several, all of them whole."""
    stop = _context().Event()
    mine, theirs = _context().Pipe()
    process = started(_read, place, stop, theirs)
    try:
        yield
    finally:
        stop.set()
        told = mine.recv() if mine.poll(60) else "the reader does not answer"
        process.join()
    assert isinstance(told, int), told
    assert told > 1


def _read(place: Place, stop: Event, answer: Connection) -> None:
    snapshots = set[str]()
    try:
        os.environ.update(place.environment)
        store = place.open()
        while not stop.wait(place.look_seconds):
            view = seen(store)
            check_copies(store)
            snapshots |= {view.snapshot} if view else set()
    except BaseException:  # noqa: BLE001 -- whatever it is, the test tells it
        answer.send(traceback.format_exc())
    else:
        answer.send(len(snapshots))


def both(place: Place, folders: list[list[Path]]) -> list[list[bool]]:
    """Two processes upload their folders and generate, at once; return which of their versions each has uploaded."""
    barrier = _context().Barrier(len(folders))
    pipes = [_context().Pipe() for _ in folders]
    processes = [
        started(_rival, place, mine, barrier, theirs) for mine, (_, theirs) in zip(folders, pipes, strict=True)
    ]
    told: list[Any] = [mine.recv() if mine.poll(60) else "a writer does not answer" for mine, _ in pipes]
    for process in processes:
        process.join()
    assert all(isinstance(each, list) for each in told), told
    return told


def _rival(place: Place, folders: list[Path], barrier: Barrier, answer: Connection) -> None:
    try:
        os.environ.update(place.environment)
        store = place.open()
        barrier.wait(60)
        won = [_is_uploaded(store, folder) for folder in folders]
        generated(store)
    except BaseException:  # noqa: BLE001 -- whatever it is, the test tells it
        answer.send(traceback.format_exc())
    else:
        answer.send(won)


def _is_uploaded(store: Store, folder: Path) -> bool:
    try:
        return uploaded(store, folder) is Outcome.UPLOADED
    except ImmutableError:
        return False


def killed_at(writes: int, bucket: Path, folders: list[Path]) -> bool:
    """Upload and generate in a process that is killed in its write after `writes`; return whether it was."""
    process = started(_write, writes, str(bucket), folders)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _write(writes: int, bucket: str, folders: list[Path]) -> None:
    work(KillingStore(open_store(bucket, {}), writes), folders)


def work(store: Store, folders: list[Path]) -> None:
    """What crashes are tried with: some uploads, and all registries."""
    for folder in folders:
        uploaded(store, folder)
    generated(store)
