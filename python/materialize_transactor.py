"""What a materialization does in a session: load, store, commit, acknowledge (protocol reference, section 5.3)."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from python.materialize_requests import Load, Store
from python.protocol.flow import ConnectorState
from python.protocol.materialize import Loaded
from python.protocol.wire import ABSENT

__all__ = ["Transactor"]


class Transactor(abc.ABC):
    """One open session with the endpoint.

    Its methods are called one at a time, never two at once, though `commit` and `acknowledge` on another thread than
    the rest. In order, for each transaction: `acknowledge` (of the transaction before; the first one of a session
    finishes what the last session left), `load` any number of times, `flush`, `store` any number of times,
    `start_commit`, `commit`. While `commit` and `acknowledge` run, the keys of the next transaction arrive and wait.

    There are two ways to be exactly-once. The endpoint is the authority: `start_commit` writes `checkpoint` in the
    endpoint's own transaction, guarded by a fence, `commit` commits it, and `runtime_checkpoint` gives it back on
    opening. Or the runtime is: `store` stages, `start_commit` returns a state that says what was staged, and
    `acknowledge`, which may come again for the same state, applies it idempotently. A transactor that does neither is
    at-least-once.

    `runtime_checkpoint` is the checkpoint that the endpoint has committed, byte for byte; absent where the runtime is
    the authority. With `disable_load_optimization` keys are asked for that the runtime thinks cannot exist. Documents
    are given to `store` once there are `store_bytes_max` bytes of them, or at the end of the transaction.
    """

    runtime_checkpoint: msgspec.Raw = ABSENT
    disable_load_optimization: bool = False
    store_bytes_max: int = 8 * 1024 * 1024

    @abc.abstractmethod
    def load(self, keys: Sequence[Load]) -> Iterable[Loaded]:
        """Yield the stored documents of those of `keys` that exist, each once, in any order.

        What `commit` and `acknowledge` did is visible to it. Keys of bindings with delta updates never come.
        """

    def flush(self) -> ConnectorState | None:
        """Every key of the transaction has come. Return what must be durable before the first store."""
        return None

    @abc.abstractmethod
    def store(self, documents: Sequence[Store]) -> None:
        """Take documents in. Nothing of them may be visible before `commit` (or `acknowledge`)."""

    @abc.abstractmethod
    def start_commit(self, checkpoint: msgspec.Raw) -> ConnectorState | None:
        """Every document of the transaction has been stored. Return what commits with the runtime's transaction."""

    def commit(self) -> None:  # noqa: B027 -- where `start_commit` or `acknowledge` does it all
        """Commit in the endpoint. Called after the return of `start_commit`, whose state may not be durable yet."""

    def acknowledge(self, patches: Sequence[Any]) -> ConnectorState | None:
        """The runtime has committed. What was stored is visible afterwards. May come again for the same transaction.

        `patches` are the state patches of all shards, from runtimes that send them. The state returned may be lost.
        """
        del patches
        return None

    def close(self) -> None:  # noqa: B027 -- not every endpoint has something to close
        """The session has ended at a boundary, and `commit` has returned."""
