"""The gates as asset checks: what does not pass stops the run before anything is published."""

# Annotations are values here, not text: Dagster reads them while it decorates.

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import dagster as dg

from python.registry.generation.candidates import GATES, examine
from python.registry.orchestrator.resources import AllowanceResource, RegistryResource, sentences

__all__ = ["CANDIDATE", "MARK", "Prepared", "blocked_since", "gates", "prepared_in", "refused_in", "short"]

CANDIDATE = "registry_candidate"

MARK = "state of the bucket"
"""What a candidate says of the bucket that it was planned of: `mark_of` it."""

_SHOWN_MAX = 3  # reasons in a line; the check's metadata has all


class Prepared(NamedTuple):
    """What a run has prepared: the snapshot, empty where the plan was `blocked`, with the reasons."""

    snapshot: str
    blocked: tuple[str, ...]


def prepared_in(instance: dg.DagsterInstance, run_id: str) -> Prepared:
    """Return what the run prepared, or, where it prepared nothing itself, what was prepared last.

    It is read from the events: the candidate is in the bucket, and only its name goes from step to step, so that no
    process needs what another one has in memory (decision 0151).
    """
    records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [each.asset_materialization for each in records if each.asset_materialization]
    of_run = [each for each in made if each.asset_key == dg.AssetKey(CANDIDATE)]
    last = instance.get_latest_materialization_event(dg.AssetKey(CANDIDATE)) if not of_run else None
    found = of_run[-1] if of_run else last.asset_materialization if last else None
    if found is None:
        raise dg.Failure(f"nothing was prepared yet: materialize {CANDIDATE} first", allow_retries=False)
    blocked = found.metadata["blocked"].value
    return Prepared(str(found.metadata["snapshot"].value), tuple(blocked if isinstance(blocked, list) else ()))


def refused_in(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return why gates refused what a run prepared, each with its gate; nothing where none did."""
    records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    made = [each.dagster_event.asset_check_evaluation_data for each in records if each.dagster_event]
    return [f"{each.check_name}: {each.description}" for each in made if each.blocking and not each.passed]


def blocked_since(instance: dg.DagsterInstance, mark: str) -> list[str]:
    """Return why gates refused what was prepared last, if it was prepared of the state `mark`: they would again."""
    last = instance.get_latest_materialization_event(dg.AssetKey(CANDIDATE))
    made = last.asset_materialization if last else None
    if last is None or made is None or MARK not in made.metadata or made.metadata[MARK].value != mark:
        return []
    return refused_in(instance, last.run_id)


def short(reasons: Sequence[str]) -> str:
    """Return why a check does not pass, in a line; that it does where there is no reason."""
    more = [f"and {len(reasons) - _SHOWN_MAX:,} more"] if len(reasons) > _SHOWN_MAX else []
    return "; ".join([*reasons[:_SHOWN_MAX], *more]) or "passed"


def _specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(gate, asset=CANDIDATE, blocking=True, description=find.__doc__)
        for gate, find in GATES.items()
    ]


@dg.multi_asset_check(name="gates", specs=_specs())
def gates(
    context: dg.AssetCheckExecutionContext, registry: RegistryResource, allowed: AllowanceResource
) -> Iterator[dg.AssetCheckResult]:
    """Hold the candidate that was written against every gate. By command: `headwater registry check`."""
    with sentences():
        prepared = prepared_in(context.instance, context.run.run_id)
        found = {gate: list[str]() for gate in GATES}
        if prepared.snapshot:
            found = examine(registry.store(), prepared.snapshot, registry.options(allowed))
    found["shrink"] += prepared.blocked
    for gate, reasons in found.items():
        yield dg.AssetCheckResult(
            check_name=gate,
            asset_key=CANDIDATE,
            passed=not reasons,
            description=short(reasons),
            metadata={"snapshot": prepared.snapshot or "none", "reasons": dg.MetadataValue.json(reasons)},
        )
