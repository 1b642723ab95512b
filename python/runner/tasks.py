"""A capture as the runtime sees it: how to start its connector, and the requests it is sent.

Protocol reference, sections 2.4, 3.1 and 8.4.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import shutil
import sys
from collections.abc import Callable, Sequence

import msgspec

from python.protocol import capture as wire
from python.protocol import document
from python.protocol.errors import ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, RangeSpec
from python.protocol.log import Log
from python.protocol.state_key import KEY_END_MAX, encode_state_key
from python.runner.build import collection_spec, require_targets
from python.runner.catalog import CaptureBinding as BindingSpec
from python.runner.catalog import CaptureTask, Catalog, LocalEndpoint
from python.runner.drive import CONNECTOR_TYPE, Launch
from python.runner.unseal import unseal

__all__ = [
    "discover_request",
    "enabled",
    "launch",
    "open_request",
    "shard_ranges",
    "task_spec",
    "validate_request",
]

_ENGINES = ("docker", "podman")


def launch(task: CaptureTask, on_log: Callable[[Log], None], network: str = "bridge") -> Launch:
    """Return how to start the connector of `task`, here or in a container. Raises ConnectorError without an engine.

    `python -m source-x` is run with the environment of the folder `source-x` first on PATH, where there is one.
    """
    endpoint = task.endpoint
    env = {
        "LOG_FORMAT": "json",
        "LOG_LEVEL": task.shards.log_level or "info",
        # Without it a connector with rotating credentials would send its config to Flow's service, to have it sealed.
        "ENCRYPTION_URL": os.environ.get("ENCRYPTION_URL", ""),
    }
    if isinstance(endpoint, LocalEndpoint):
        return Launch(command=endpoint.command, env={**_path(endpoint.command), **endpoint.env, **env}, on_log=on_log)
    engine = os.environ.get("DOCKER_CLI") or next(filter(shutil.which, _ENGINES), None)
    if engine is None:
        raise ConnectorError(
            f"{task.name} is the image {endpoint.image}, and neither of {' and '.join(_ENGINES)} is on PATH: "
            "install one, or run the connector with `endpoint.local`"
        )
    options = [option for name, value in env.items() for option in ("--env", f"{name}={value}")]
    command = (engine, "run", "--rm", "--interactive", f"--network={network}", *options, endpoint.image)
    return Launch(command=command, on_log=on_log)


def discover_request(task: CaptureTask) -> wire.Discover:
    """Return the request for the endpoint's resources."""
    return wire.Discover(connector_type=CONNECTOR_TYPE, config=_config(task), name=task.name)


def validate_request(task: CaptureTask, catalog: Catalog, last: CaptureSpec | None = None) -> wire.Validate:
    """Return the request to check the enabled bindings of `task`. Raises CatalogError where a target is missing."""
    require_targets(task, catalog)
    return wire.Validate(
        name=task.name,
        connector_type=CONNECTOR_TYPE,
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
    """Return the built spec of `task`, whose bindings have the resource paths that the connector gave."""
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
        connector_type=CONNECTOR_TYPE,
        config=_config(task),
        bindings=bindings,
        interval_seconds=task.interval_seconds,
        inactive_bindings=tuple(binding for binding in former if binding.resource_path not in kept),
    )


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


def _path(command: Sequence[str]) -> dict[str, str]:
    """Return PATH with the environment of the connector's own folder in front, for `python -m source-x`."""
    folder = command[command.index("-m") + 1] if "-m" in command[:-1] else ""
    own = pathlib.Path(folder) / ".venv" / "bin"
    here = pathlib.Path(sys.executable).parent
    first = own.absolute() if folder and own.is_dir() else here
    return {"PATH": f"{first}{os.pathsep}{os.environ.get('PATH', '')}"}


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(document.encode(value))
