"""What every task of a run does on its way: it is built, applied, and run shard by shard, and its record is kept."""

from __future__ import annotations

import contextlib
import functools
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from python.protocol import document
from python.protocol.capture import Applied
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.protocol.flow import ConnectorState, RangeSpec
from python.protocol.log import Log
from python.protocol.patch import apply_state
from python.protocol.wire import FromRuntime
from python.runner import drive, engines, task_logs, tasks
from python.runner.applying import rounds
from python.runner.build import collection_spec
from python.runner.catalog import Catalog, Collection
from python.runner.endpoints import Task
from python.runner.progress import Progress
from python.runner.restarting import Restarting
from python.runner.stop import Stop
from python.runner.store import Store, TaskRecord
from python.runner.views import Column, columns_of
from python.shell.child import ChildError
from python.shell.outlet import Outlet

__all__ = ["Job", "Ledger", "Options", "Shared", "all_ended", "declared"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater run`, as the command line names them."""

    source: str
    name: str | None = None
    store_path: str = "headwater.duckdb"
    continuous: bool = False
    shards: int = 1
    log_json: bool = False


class Shared(NamedTuple):
    """What all tasks of a run share. `settled` says whether every task that writes one of the collections has ended."""

    store: Store
    progress: Progress
    stop: Stop
    said: Outlet
    options: Options
    settled: Callable[[str, Sequence[str]], bool]


class Ledger:
    """The record of one shard, as the store has it; every change here is durable."""

    def __init__(self, store: Store, task: Task, shard: int) -> None:
        self._store = store
        self.key = (task.name, shard)
        self.record = store.task(*self.key)

    def change(self, **members: object) -> None:
        """These members of the record are so from now on."""
        self.record = msgspec.structs.replace(self.record, **members)
        self._store.save(self.key, self.record)

    def update(self, state: ConnectorState) -> None:
        """The connector's state is changed, apart from any transaction."""
        self.change(state=apply_state(self.record.state, state))

    def after(self, states: Sequence[ConnectorState], *, documents: int, read: int = 0) -> TaskRecord:
        """Return the record after a transaction. It is what the next one follows once `commit` was told."""
        return msgspec.structs.replace(
            self.record,
            state=functools.reduce(apply_state, states, self.record.state),
            transactions=self.record.transactions + 1,
            documents=self.record.documents + documents,
            read=self.record.read + read,
        )


class Job(ABC):
    """One task of a run, on a thread of its own. Subclasses build it, and run a session of one of its shards."""

    def __init__(self, task: Task, catalog: Catalog, shared: Shared) -> None:
        self.task = task
        self.name = task.name
        self.catalog = catalog
        self.shared = shared
        self.store = shared.store

    @property
    @abstractmethod
    def reads(self) -> Sequence[str]:
        """The collections that it reads."""

    @property
    @abstractmethod
    def writes(self) -> Sequence[str]:
        """The collections that it writes."""

    @abstractmethod
    def build(self) -> None:
        """The task is validated, applied, and ready for its sessions. Raises what is wrong with it."""

    @abstractmethod
    def session(self, ledger: Ledger, owned: RangeSpec) -> None:
        """Run a session of the shard that has the keys `owned`, until it ends of itself or is stopped."""

    def run(self) -> None:
        """Do all there is to do. Raises what ended the task; where the run goes on without it, that is told at once."""
        with self._told(self.name), self.unless_stopped():
            self.require_shards()
            self._again(self._build)
            self.sessions()

    def sessions(self) -> None:
        """Run the shards of one session, at the same time. Raises why some failed."""
        ranges = tasks.shard_ranges(self.shared.options.shards)
        if len(ranges) == 1:
            self._again(functools.partial(self._shard, 0, ranges[0]))
            return
        shards = {f"shard {number}": functools.partial(self._one, number, owned) for number, owned in enumerate(ranges)}
        failures = all_ended(shards)
        if failures:
            raise HeadwaterError("; ".join(failures))

    def _one(self, number: int, owned: RangeSpec) -> None:
        """Run one shard of several, which may go on for long after it has failed: what ended it is told at once."""
        with self._told(f"{self.name}, shard {number}"):
            self._again(functools.partial(self._shard, number, owned), f", shard {number}")

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What ends a part of a run that goes on without it is told as it happens; it is raised in any case."""
        try:
            yield
        except Exception as error:
            if self.shared.options.continuous and not self.shared.stop.asked:
                self.shared.progress.note(f"{name}: failed, and is not started again: {_sentence(error)}")
            raise

    def launch(self, key_begin: int = 0) -> drive.Launch:
        """Return how to start the connector, whose logs are told, and which is stopped with the run."""
        on_log = self._on_log(key_begin)
        return msgspec.structs.replace(engines.launch(self.task, on_log), stop=self.shared.stop)

    def keep(self, **members: object) -> None:
        """The task's record has these members, whatever comes of the session."""
        ledger = self._ledger(0)
        found = {name: getattr(ledger.record, name) for name in members}
        if found != members:
            ledger.change(kind=self.task.kind, shards=self.shared.options.shards, **members)

    def apply(self, request: Callable[[msgspec.Raw], FromRuntime], **done: object) -> None:
        """Apply until the connector has no more state to return; then the record has the members `done`."""
        ledger = self._ledger(0)
        for each in rounds(lambda state: drive.ask(self.launch(), request(state), Applied), ledger.record.state):
            if each.action:
                self.shared.progress.note(f"{self.name}: applied: {each.action}")
            members = {"kind": self.task.kind, "shards": self.shared.options.shards, **done} if each.last else {}
            ledger.change(state=each.state, **members)

    def require_shards(self) -> None:
        """The task has the shards that it was first run with: each has a state, and offsets, of its own."""
        wanted = self.shared.options.shards
        records = [record for name, _, record in self.store.tasks() if name == self.name]
        first = next((each.shards for each in records if each.transactions or each.state), wanted)
        if first != wanted:
            raise HeadwaterError(
                f"it was first run with {first} shards, which share its state between them, and is now to run "
                f"with {wanted}: give --shards {first}, or another file with --store"
            )

    @contextlib.contextmanager
    def unless_stopped(self) -> Iterator[None]:
        """A connector that was asked to stop may end without an answer, or amid a sequence, which is then repeated."""
        try:
            yield
        except (ChildError, RemoteProtocolError):
            if not self.shared.stop.asked:
                raise

    def _failed(self, shard: int, error: Exception) -> None:
        """The record tells why; where the store itself has failed, only the run does."""
        with contextlib.suppress(HeadwaterError):
            self._ledger(shard).change(error=_sentence(error), kind=self.task.kind)

    def _ledger(self, shard: int) -> Ledger:
        return Ledger(self.store, self.task, shard)

    def _again(self, work: Callable[[], None], shard: str = "") -> None:
        """Do `work`; in a continuous run, again after it has failed."""
        if not self.shared.options.continuous:
            return work()
        told = self.shared.progress.note
        return Restarting(self.shared.stop, lambda sentence: told(f"{self.name}{shard}: {sentence}")).until_done(work)

    def _build(self) -> None:
        try:
            self.build()
        except Exception as error:
            if not self.shared.stop.asked:
                self._failed(0, error)
            raise

    def _shard(self, number: int, owned: RangeSpec) -> None:
        ledger = self._ledger(number)
        members = {"kind": self.task.kind, "shards": self.shared.options.shards, "error": ""}
        ledger.change(sessions=ledger.record.sessions + 1, **members)
        try:
            with self.unless_stopped():
                self.session(ledger, owned)
        except Exception as error:
            self._failed(number, error)
            raise
        finally:
            self.store.roll_back()

    def _on_log(self, key_begin: int) -> Callable[[Log], None]:
        as_json = self.shared.options.log_json
        return task_logs.writer(self.shared.said, self.task, as_json=as_json, key_begin=key_begin)


def all_ended(jobs: Mapping[str, Callable[[], None]]) -> list[str]:
    """Run every job on a thread of its own, and return why some failed, with their names.

    What is no error of ours is a mistake in this program: its traceback is told, too.
    """
    failures: list[str] = []

    def guarded(name: str, job: Callable[[], None]) -> None:
        try:
            job()
        except HeadwaterError as error:
            failures.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 -- a job that died is a failure, whatever it died of
            failures.append(f"{name}: {_sentence(error)}\n{''.join(traceback.format_exception(error)).rstrip()}")

    threads = [threading.Thread(target=guarded, args=named) for named in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def declared(collection: Collection) -> tuple[bytes, list[Column]]:
    """Return what the store keeps of a collection: what identifies it, and the columns of its view."""
    built = collection_spec(collection, reading=True)
    schema = document.decode(built.read_schema or built.write_schema)
    return document.encode({"key": list(collection.key)}), columns_of(schema)  # type: ignore[arg-type] # a schema was written


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, HeadwaterError) else f"{type(error).__name__}: {error}"
