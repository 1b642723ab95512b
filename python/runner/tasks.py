"""A capture as the runtime sees it: the requests its connector is sent (protocol reference, sections 2.4 and 3.1)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from python.protocol import capture as wire
from python.protocol import document
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import CaptureBinding, CaptureSpec, RangeSpec
from python.protocol.state_key import KEY_END_MAX, encode_state_key
from python.runner.build import collection_spec, require_targets
from python.runner.catalog import CaptureBinding as BindingSpec
from python.runner.catalog import CaptureTask, Catalog
from python.runner.unseal import unseal

__all__ = [
    "discover_request",
    "enabled",
    "open_request",
    "shard_ranges",
    "task_spec",
    "validate_request",
]


def discover_request(task: CaptureTask) -> wire.Discover:
    """Return the request for the endpoint's resources."""
    return wire.Discover(connector_type=task.endpoint.connector_type, config=_config(task), name=task.name)


def validate_request(task: CaptureTask, catalog: Catalog, last: CaptureSpec | None = None) -> wire.Validate:
    """Return the request to check the enabled bindings of `task`. Raises CatalogError where a target is missing."""
    require_targets(task, catalog)
    return wire.Validate(
        name=task.name,
        connector_type=task.endpoint.connector_type,
        config=_config(task),
        bindings=tuple(
            wire.ValidateBinding(
                resource_config=_raw(binding.resource),
                collection=collection_spec(catalog.collections[binding.target]),
                backfill=binding.backfill,
            )
            for binding in enabled(task)
        ),
        last_capture=last,
    )


def task_spec(
    task: CaptureTask, catalog: Catalog, validated: wire.Validated, last: CaptureSpec | None = None
) -> CaptureSpec:
    """Return the built spec of `task`, whose bindings have the resource paths that the connector gave.

    Raises RemoteProtocolError where these are not one for each binding, or cannot tell bindings apart.
    """
    _check_paths(task, [binding.resource_path for binding in validated.bindings])
    bindings = tuple(
        CaptureBinding(
            resource_config=_raw(binding.resource),
            resource_path=path.resource_path,
            collection=collection_spec(catalog.collections[binding.target]),
            backfill=binding.backfill,
            state_key=encode_state_key(path.resource_path, binding.backfill),
        )
        for binding, path in zip(enabled(task), validated.bindings, strict=True)
    )
    kept = {binding.resource_path for binding in bindings}
    former = [*last.bindings, *last.inactive_bindings] if last else []
    return CaptureSpec(
        name=task.name,
        connector_type=task.endpoint.connector_type,
        config=_config(task),
        bindings=bindings,
        interval_seconds=task.interval_seconds,
        inactive_bindings=tuple(binding for binding in former if binding.resource_path not in kept),
    )


def _check_paths(task: CaptureTask, paths: Sequence[tuple[str, ...]]) -> None:
    asked = enabled(task)
    if len(paths) != len(asked):
        raise RemoteProtocolError(
            f"the connector validated {len(paths)} bindings, and was asked about {len(asked)}", rule=39
        )
    first: dict[tuple[str, ...], BindingSpec] = {}
    for binding, path in zip(asked, paths, strict=True):
        where = f"{binding.where}: the binding into {binding.target}"
        if not any(path):
            raise RemoteProtocolError(f"{where} got the resource path {list(path)}, which names nothing", rule=40)
        if path in first:
            raise RemoteProtocolError(
                f"{where} got the resource path {list(path)}, as did the one into {first[path].target}: remove one of "
                "them, or mend the connector",
                rule=40,
            )
        first[path] = binding


def open_request(spec: CaptureSpec, version: str, shard: RangeSpec, state: object) -> wire.Open:
    """Return the request to capture a shard's share from `state`."""
    return wire.Open(capture=spec, version=version, range=shard, state=_raw(state))


def shard_ranges(shards: int) -> Sequence[RangeSpec]:
    """Return the key ranges of `shards` processes: adjacent, together the full range."""
    ends = [(KEY_END_MAX + 1) * number // shards for number in range(shards + 1)]
    pairs = itertools.pairwise(ends)
    return [RangeSpec(key_begin=begin, key_end=end - 1, r_clock_end=KEY_END_MAX) for begin, end in pairs]


def enabled(task: CaptureTask) -> tuple[BindingSpec, ...]:
    """Return the bindings that count on the wire, in the order of their indexes there."""
    return tuple(binding for binding in task.bindings if not binding.disable)


def _config(task: CaptureTask) -> msgspec.Raw:
    return _raw(unseal(task.endpoint.config, task.endpoint.config_where, task.secrets))


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(document.encode(value))
