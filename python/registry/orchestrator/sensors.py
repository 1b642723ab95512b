"""What makes the jobs run: changes of the bucket, time, and what people are told of failures. All run by default."""

# Annotations are values here, not text: Dagster reads them while it decorates.

import hashlib

import dagster as dg
import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.generation.planning import news
from python.registry.generation.publication import is_copied
from python.registry.generation.snapshots import current
from python.registry.generation.watching import mark_of
from python.registry.orchestrator.gates import blocked_since, refused_in, short
from python.registry.orchestrator.jobs import (
    JOBS,
    generate_registry,
    generate_registry_reports,
    generate_stale_metadata_report,
)
from python.registry.orchestrator.resources import CheckoutResource, NoticeResource, RegistryResource
from python.registry.store import Store

__all__ = [
    "SCHEDULES",
    "SENSORS",
    "generate_registry_hourly",
    "generate_registry_on_metadata_changed",
    "generate_registry_reports_on_registry_updated",
    "generate_stale_metadata_report_hourly",
    "notify_of_failed_runs",
]

_INTERVAL_SECONDS = 30  # Airbyte's: somebody who has uploaded waits for it

_TOLD = "headwater/told"  # a run's tag: the reasons that people know of


class _Cursor(msgspec.Struct, frozen=True):
    """The state of the bucket that was seen last, and how many runs were requested.

    The number is a part of each run's key: a deletion brings back a state that was there before, and Dagster drops a
    run whose key it knows.
    """

    mark: str = ""
    runs: int = 0

    def next(self, mark: str) -> dg.SensorResult:
        """Return the request of a run for the state `mark`."""
        key = f"{self.runs + 1}-{mark[:16]}"
        after = _Cursor(mark=mark, runs=self.runs + 1)
        return dg.SensorResult([dg.RunRequest(run_key=key)], cursor=msgspec.json.encode(after).decode())

    def skip(self, mark: str, why: str) -> dg.SensorResult:
        """Return that the state `mark` needs no run."""
        after = msgspec.structs.replace(self, mark=mark)
        return dg.SensorResult(skip_reason=why, cursor=msgspec.json.encode(after).decode())


def _cursor(text: str | None) -> _Cursor:
    """Return what `text` says; nothing where it is another program's, or an older one's."""
    try:
        return msgspec.json.decode(text or "", type=_Cursor)
    except msgspec.DecodeError:
        return _Cursor()


@dg.sensor(
    job=generate_registry,
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs generate_registry when the bucket has metadata that is not published.",
)
def generate_registry_on_metadata_changed(
    context: dg.SensorEvaluationContext, registry: RegistryResource
) -> dg.SensorResult | dg.SkipReason:
    """Request one run for all that has changed; the first tick requests one in any case, so that assets are there."""
    cursor = _cursor(context.cursor)
    try:
        store = registry.store()
        mark = mark_of(store, registry.options())
        if mark == cursor.mark:
            return dg.SkipReason(f"nothing has changed in {store.address}")
        why = _in_vain(store)
        if why:
            return dg.SkipReason(why)
        if cursor.mark and _is_done(store, registry):
            return cursor.skip(mark, f"all that {store.address} has is published")
    except HeadwaterError as error:
        context.log.warning(str(error))
        return dg.SkipReason(str(error))
    return cursor.next(mark)


def _is_done(store: Store, registry: RegistryResource) -> bool:
    """Return whether all is published, at the fixed paths too: a run may have died between the switch and those."""
    found = news(store, registry.options())
    return not found.is_any and found.seen is not None and is_copied(store, found.seen)


def _in_vain(store: Store) -> str:
    """Return why no run could publish anything, empty where one could."""
    seen = current(store)
    if seen and seen.pointer.hold and is_copied(store, seen):
        hold = seen.pointer.hold
        return (
            f"a rollback to {seen.pointer.snapshot} holds since {hold.since:%Y-%m-%d %H:%M} UTC ({hold.reason}):"
            " `headwater registry resume` ends it"
        )
    if seen is None and next(store.list("metadata/"), None) is None:
        return f"there are no connectors in {store.address} yet: `metadata_service upload FOLDER BUCKET` puts one there"
    return ""


@dg.sensor(
    job=generate_registry_reports,
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs generate_registry_reports when another snapshot is published, by whomever.",
)
def generate_registry_reports_on_registry_updated(
    context: dg.SensorEvaluationContext, registry: RegistryResource
) -> dg.SensorResult | dg.SkipReason:
    """Request a run for each switch of the pointer, a rollback too."""
    cursor = _cursor(context.cursor)
    try:
        store = registry.store()
        seen = current(store)
    except HeadwaterError as error:
        context.log.warning(str(error))
        return dg.SkipReason(str(error))
    if seen is None:
        return dg.SkipReason(f"nothing was published in {store.address} yet")
    mark = f"{seen.pointer.manifest_sha256[:16]}-{seen.pointer.switched:%Y%m%dT%H%M%S.%f}"
    if mark == cursor.mark:
        return dg.SkipReason(f"snapshot {seen.pointer.snapshot} is still the one that is published")
    return cursor.next(mark)


@dg.schedule(
    job=generate_registry,
    cron_schedule="7 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs generate_registry again where a run failed and the bucket has not changed since.",
)
def generate_registry_hourly(
    context: dg.ScheduleEvaluationContext, registry: RegistryResource
) -> dg.RunRequest | dg.SkipReason:
    """Request a run where something is not published, but not what gates have refused already."""
    try:
        store = registry.store()
        mark = mark_of(store, registry.options())
        why = _in_vain(store)
        if not why and _is_done(store, registry):
            why = f"all that {store.address} has is published"
        refused = blocked_since(context.instance, mark)
        if not why and refused:
            why = (
                f"nothing has changed since gates refused to publish it, and whoever means it runs it: {short(refused)}"
            )
    except HeadwaterError as error:
        why = str(error)
    return dg.SkipReason(why) if why else dg.RunRequest()


@dg.schedule(
    job=generate_stale_metadata_report,
    cron_schedule="37 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs generate_stale_metadata_report, if METADATA_CHECKOUT names a checkout.",
)
def generate_stale_metadata_report_hourly(checkout: CheckoutResource) -> dg.RunRequest | dg.SkipReason:
    """Request a run where there is something to compare the bucket with."""
    folder = checkout.folder()
    if folder is None:
        return dg.SkipReason("METADATA_CHECKOUT names no checkout to compare the bucket with")
    return dg.RunRequest()


@dg.run_failure_sensor(
    monitored_jobs=[*JOBS],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Logs each run that failed, and tells the webhook in SLACK_WEBHOOK_URL, if there is one.",
)
def notify_of_failed_runs(context: dg.RunFailureSensorContext, notices: NoticeResource) -> None:
    """Tell people which job failed, and why, each step in a sentence; but not what they know of the run before it."""
    run, instance = context.dagster_run, context.instance
    refused = [f"gates: {each}" for each in refused_in(instance, run.run_id)]
    steps = [_why(event) for event in context.get_step_failure_events()]
    whys = refused or steps or [context.failure_event.message or "unknown"]
    text = "\n".join([f"{run.job_name} failed (run {run.run_id[:8]})", *whys])
    context.log.error(text)
    digest = hashlib.sha256("\n".join(whys).encode()).hexdigest()
    if _told_before(instance, run) == digest or notices.try_to_tell(text, context.log):
        instance.add_run_tags(run.run_id, {_TOLD: digest})


def _told_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Return what people were told of the run before, if that failed as well: the SHA-256 of the reasons."""
    ended = dg.RunsFilter(job_name=run.job_name, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE])
    before = instance.get_runs(ended, cursor=run.run_id, limit=1)
    return before[0].tags.get(_TOLD, "") if before and before[0].is_failure else ""


def _why(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    said = data.user_failure_data.description if data.user_failure_data else None
    return f"{event.step_key}: {said or (data.error.message.strip() if data.error else event.message)}"


SENSORS = (
    generate_registry_on_metadata_changed,
    generate_registry_reports_on_registry_updated,
    notify_of_failed_runs,
)
SCHEDULES = (generate_registry_hourly, generate_stale_metadata_report_hourly)
