"""Exactly-once with the runtime as the authority: files are staged first, and applied once the runtime has committed.

A transaction writes files that nobody reads (`Stage.store`), makes them durable (`Stage.seal`), and lists them in the
state that commits with the runtime's transaction. After that `acknowledge` applies the list, which may happen again
after any crash, and then clears it. A session that opens finishes what its state lists, and removes what no state
lists: it was staged by transactions that did not commit.

The state is `{"staged": {"00000000-ffffffff": {"transaction": …, "files": […]}}}`: a list for each key range, so that
the patches of shards never touch each other. A list is finished by the shard in whose range its own begins, so by one.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from python.materialize_requests import Load, Store
from python.materialize_transactor import Transactor
from python.protocol.errors import ConnectorError
from python.protocol.flow import ConnectorState, RangeSpec
from python.protocol.materialize import Loaded
from python.protocol.patch import merge, merge_patch

__all__ = ["Stage", "Staged", "StagedTransactor", "drain", "overlap", "range_key", "range_of"]


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction has staged; `files` are JSON values, which only the stage that made them understands."""

    transaction: str
    files: tuple[Any, ...]


class Stage(abc.ABC):
    """An endpoint that files can be staged in, and applied to.

    The name of a transaction is unique, and begins with the key range of its session (see `range_of`): files that bear
    it are told apart from all others. A process may be killed at any point of any method.
    """

    @abc.abstractmethod
    def load(self, keys: Sequence[Load]) -> Iterable[Loaded]:
        """Yield the documents of those of `keys` that exist, by what was applied."""

    @abc.abstractmethod
    def store(self, transaction: str, documents: Sequence[Store]) -> None:
        """Write documents to files of `transaction`; nothing of them is visible."""

    @abc.abstractmethod
    def seal(self, transaction: str) -> Sequence[Any]:
        """Make the files of `transaction` durable, and list them, as JSON values; nothing was stored: an empty list."""

    @abc.abstractmethod
    def apply(self, staged: Staged) -> None:
        """Make what was staged visible. Whether it was so before, in full or in part, makes no difference.

        Only the transaction that committed last comes again, never one before it. Raises ConnectorError where another
        session has taken over.
        """

    @abc.abstractmethod
    def transactions(self) -> Iterable[str]:
        """Return the names of the transactions of which there are staged files."""

    @abc.abstractmethod
    def discard(self, transaction: str) -> None:
        """Remove the files that `transaction` staged and that were not applied, if there are any."""

    def close(self) -> None:  # noqa: B027 -- not every endpoint has something to close
        """The session has ended at a boundary."""


class StagedTransactor(Transactor):
    """A session of `own` keys with a stage, by the task's `state`. `session` is a name that no other session has.

    Removes the leftovers of transactions that did not commit.
    """

    def __init__(self, stage: Stage, own: RangeSpec, session: str, state: Mapping[str, Any] | None) -> None:
        self._stage = stage
        self._own = own
        self._session = session
        self._state: object = dict(state or {})
        self._count = 1
        kept = {staged.transaction for staged in _pending(self._state).values()}
        for transaction in list(stage.transactions()):
            if transaction not in kept and overlap(range_of(transaction), own):
                stage.discard(transaction)

    def load(self, keys: Sequence[Load]) -> Iterable[Loaded]:
        """Yield the stored documents of those of `keys` that exist."""
        return self._stage.load(keys)

    def store(self, documents: Sequence[Store]) -> None:
        """Stage documents."""
        self._stage.store(self._transaction, documents)

    def start_commit(self, checkpoint: msgspec.Raw) -> ConnectorState:
        """Make durable what was staged, and return the list of it, in place of the list before."""
        del checkpoint
        files = tuple(self._stage.seal(self._transaction))
        listed = {"transaction": self._transaction, "files": files} if files else None
        patch = {"staged": {range_key(self._own): listed}}
        self._state = merge(self._state, patch)
        self._count += 1
        return merge_patch(patch)

    def acknowledge(self, patches: Sequence[Any]) -> ConnectorState | None:
        """Apply what is listed, by the state and by what other shards have committed; and clear the lists."""
        known = self._state
        for patch in patches:
            known = merge(known, patch)
        ours = {key: staged for key, staged in _pending(known).items() if self._own.owns(_parsed(key).key_begin)}
        self._state = {}
        return _applied(self._stage, ours)

    def close(self) -> None:
        """End the session."""
        self._stage.close()

    @property
    def _transaction(self) -> str:
        return f"{range_key(self._own)}.{self._session}.{self._count:06}"


def drain(stage: Stage, state: Mapping[str, Any] | None) -> ConnectorState | None:
    """Apply all that `state` lists, and return what clears it; None where there is nothing.

    For `apply`, before it changes a resource: with this state in its answer, the runtime comes again.
    """
    return _applied(stage, _pending(state or {}))


def range_key(range_: RangeSpec) -> str:
    """Return the name of a key range: both ends, as 8 hexadecimal digits each."""
    return f"{range_.key_begin:08x}-{range_.key_end:08x}"


def range_of(transaction: str) -> RangeSpec:
    """Return the key range of the session whose transaction has this name. Raises ConnectorError where it is none."""
    return _parsed(transaction.partition(".")[0])


def overlap(one: RangeSpec, other: RangeSpec) -> bool:
    """Return whether two key ranges have a key in common."""
    return one.key_begin <= other.key_end and other.key_begin <= one.key_end


def _applied(stage: Stage, lists: Mapping[str, Staged]) -> ConnectorState | None:
    for staged in lists.values():
        stage.apply(staged)
        stage.discard(staged.transaction)
    return merge_patch({"staged": dict.fromkeys(lists)}) if lists else None


def _pending(state: object) -> dict[str, Staged]:
    """Return what a task's state lists, by the keys of the ranges."""
    try:
        return msgspec.convert(state, _State).staged
    except msgspec.ValidationError as error:
        raise ConnectorError(
            f"the stored state cannot be read: {error}; raise the backfill counters of the bindings to fill their "
            "resources anew"
        ) from None


class _State(msgspec.Struct):
    staged: dict[str, Staged] = {}


def _parsed(key: str) -> RangeSpec:
    try:
        begin, end = (int(part, 16) for part in key.split("-"))
    except ValueError:
        raise ConnectorError(f"{key!r} is no key range: want two numbers of 8 hexadecimal digits each") from None
    return RangeSpec(key_begin=begin, key_end=end)
