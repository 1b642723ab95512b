"""What the steps of `headwater registry …` do, beside their options."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Mapping
from typing import Any

from python.cli.noticing import noticed
from python.cli.registering import unpruned
from python.cli.registry_opening import opened, signer_of
from python.registry.generation import candidates
from python.registry.generation.applying import prepare
from python.registry.generation.planning import plan
from python.registry.generation.plans import Options
from python.registry.reports.texts import change_sentence
from python.registry.service.staleness import stale_metadata

__all__ = ["checked", "prepared", "published", "staleness"]


def prepared(bucket: str, how: Mapping[str, Any], sign_key: pathlib.Path | None) -> tuple[str, bool]:
    """Return what a snapshot changes that was prepared, and its name; and whether no connector is quarantined."""
    store = opened(bucket)
    planned = plan(store, _now(), _options(how))
    made = prepare(store, planned, signer_of(sign_key))
    lines = [change_sentence(change) for change in planned.changes]
    last = f"prepared snapshot {made.id}" if made else "nothing has changed: there is nothing to publish"
    return "\n".join([*lines, last]), not planned.quarantined


def checked(bucket: str, snapshot: str, how: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what each gate says of a snapshot, and whether all let it pass."""
    found = candidates.examine(opened(bucket), snapshot, _options(how))
    lines = [f"{gate}: {'; '.join(reasons) or 'passed'}" for gate, reasons in found.items()]
    return "\n".join(lines), not any(found.values())


def published(bucket: str, snapshot: str, keep: int, how: Mapping[str, Any]) -> str:
    """Return what is published now."""
    store = opened(bucket)
    now = candidates.publish(store, snapshot, _now(), _options(how))
    return "\n".join([f"published snapshot {now.pointer.snapshot}", *unpruned(store, keep)])


def staleness(bucket: str, how: Mapping[str, Any]) -> tuple[str, bool]:
    """Return which metadata of a checkout was never released, and whether all was; tell people where that is wanted."""
    store = opened(bucket)
    found = stale_metadata(store, how["checkout"].absolute(), _now(), grace_hours=how["grace_hours"])
    is_well = not found.stale and not found.unread
    told = found.sentences()
    if how["notify"] and not is_well:
        noticed("\n".join(["Metadata that was never released:", *told]))
    return "\n".join([*told, f"{found.checked:,} metadata files compared with {store.address}"]), is_well


def _options(how: Mapping[str, Any]) -> Options:
    base_url = (how.get("base_url") or "").rstrip("/") or None
    return Options(base_url=base_url, allow_shrink=how["allow_shrink"], allow_breaking=how["allow_breaking"])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
