"""A materialization as the runtime sees it: the requests its connector is sent (protocol reference, 2.5 and 5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from python.protocol import document
from python.protocol import materialize as wire
from python.protocol.flow import (
    CollectionSpec,
    FieldSelection,
    MaterializationBinding,
    MaterializationSpec,
    RangeSpec,
)
from python.protocol.state_key import encode_state_key
from python.runner.catalog_readers import MaterializationTask, StoredBinding
from python.runner.unseal import unseal

__all__ = ["built_binding", "enabled", "last_binding", "offset_suffix", "open_request", "task_spec", "validate_request"]


def enabled(task: MaterializationTask) -> tuple[StoredBinding, ...]:
    """Return the bindings that count on the wire, in the order of their indexes there."""
    return tuple(binding for binding in task.bindings if not binding.disable)


def validate_request(
    task: MaterializationTask,
    bindings: Sequence[tuple[StoredBinding, int]],
    sources: Mapping[str, CollectionSpec],
    last: tuple[MaterializationSpec | None, str],
) -> wire.Validate:
    """Return the request to check `bindings`, each with its backfill counter. `last` was applied: spec and version."""
    return wire.Validate(
        name=task.name,
        connector_type=_connector_type(task),
        config=_config(task),
        bindings=tuple(
            wire.ValidateBinding(
                resource_config=_raw(binding.resource),
                collection=sources[binding.source.collection],
                field_config={name: _raw(config) for name, config in binding.fields.require.items() if config},
                backfill=backfill,
                group_by=binding.fields.group_by,
            )
            for binding, backfill in bindings
        ),
        last_materialization=last[0],
        last_version=last[1],
    )


def task_spec(
    task: MaterializationTask, bindings: Sequence[MaterializationBinding], last: MaterializationSpec | None
) -> MaterializationSpec:
    """Return the built spec of `task` with these bindings; those of `last` that are gone are inactive."""
    kept = {binding.resource_path for binding in bindings}
    former = [*last.bindings, *last.inactive_bindings] if last else []
    return MaterializationSpec(
        name=task.name,
        connector_type=_connector_type(task),
        config=_config(task),
        bindings=tuple(bindings),
        inactive_bindings=tuple(binding for binding in former if binding.resource_path not in kept),
    )


def built_binding(
    task: MaterializationTask,
    asked: tuple[StoredBinding, int],
    answer: wire.ValidatedBinding,
    collection: CollectionSpec,
    fields: FieldSelection,
) -> MaterializationBinding:
    """Return a binding with what the connector answered, and the fields that were selected."""
    binding, backfill = asked
    return MaterializationBinding(
        resource_config=_raw(binding.resource),
        resource_path=answer.resource_path,
        collection=collection,
        priority=binding.priority,
        field_selection=fields,
        delta_updates=answer.delta_updates,
        journal_read_suffix=offset_suffix(task, answer.resource_path, backfill),
        not_before=binding.source.not_before,
        not_after=binding.source.not_after,
        backfill=backfill,
        state_key=encode_state_key(answer.resource_path, backfill),
        ser_policy=answer.ser_policy,
    )


def last_binding(last: MaterializationSpec | None, path: tuple[str, ...]) -> MaterializationBinding | None:
    """Return the binding of a resource that was applied before; one that is inactive now only where none is active."""
    former = [*last.bindings, *last.inactive_bindings] if last else []
    return next((binding for binding in former if binding.resource_path == path), None)


def open_request(spec: MaterializationSpec, version: str, shard: RangeSpec, state: object) -> wire.Open:
    """Return the request to materialize a shard's share of the keys from `state`."""
    return wire.Open(materialization=spec, version=version, range=shard, state=_raw(state))


def offset_suffix(task: MaterializationTask, resource_path: tuple[str, ...], backfill: int) -> str:
    """Return the reader's part of the name of a binding's offset: a raised backfill counter starts it over."""
    return f"materialize/{task.name}/{encode_state_key(resource_path, backfill)}"


def _connector_type(task: MaterializationTask) -> str:
    return task.endpoint.connector_type if task.endpoint else ""


def _config(task: MaterializationTask) -> msgspec.Raw:
    assert task.endpoint is not None, "a materialization without a connector is not started"  # noqa: S101 -- our own code's
    return _raw(unseal(task.endpoint.config, task.endpoint.config_where, task.secrets))


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(document.encode([value])[1:-1])
