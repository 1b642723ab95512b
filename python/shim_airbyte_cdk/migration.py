"""States that others left behind: those of airbyte-to-flow are taken over, and what we cannot read is refused.

To start over without such a state is for the user to say, with a binding's backfill counter (decision 0098).
"""

from __future__ import annotations

from collections.abc import Sequence

from python.shim_airbyte_cdk.models import mapping
from python.shim_airbyte_cdk.records import Target
from python.shim_common.former_states import MERGE_FLAG, streams_of
from python.shim_common.refusals import refuse

__all__ = ["check_entry", "check_streams"]

_AIRBYTE = frozenset({"type", "stream", "data", "global", "global_"})  # the members of a state message
_OURS = frozenset({"rowId", "previousRows", "state"})


def check_streams(stored: object, targets: Sequence[Target]) -> None:
    """Raise ConnectorError where nothing of a foreign state, `stored`, can be continued by `targets`.

    Targets that a backfill was asked for have nothing to continue, nor have full refreshes.
    """
    found = streams_of(stored)
    waiting = [target for target in targets if target.incremental and not target.backfill]
    if isinstance(stored, dict) and stored.keys() <= {MERGE_FLAG}:
        return
    if waiting and not any(target.stream in found for target in targets if target.incremental):
        told = f"it has states of {', '.join(sorted(found))}" if found else "no stream has a state there"
        refuse(stored, [target.name for target in waiting], f"it is not of these streams: {told}")


def check_entry(stored: object, target: Target) -> None:
    """Raise ConnectorError where `stored`, which is kept of the binding of `target`, is of no Airbyte stream."""
    entry = mapping(stored)
    state = entry.get("state")
    known = not entry or entry.keys() & _OURS
    if target.incremental and (not known or (state and not mapping(state).keys() & _AIRBYTE)):
        refuse(stored, [target.name], "it is of no Airbyte stream")
