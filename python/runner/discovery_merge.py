"""What a discovery changes in a capture: which bindings are new or gone, and what their collections become.

Computes only; `discovery` writes it down. Bindings are matched by resource path, as Flow does (Flow protocol, 3.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from python.protocol import document, pointer
from python.protocol.capture import DiscoveredBinding
from python.runner.catalog import CaptureBinding, CaptureTask
from python.runner.yaml_file import plain_numbers

__all__ = ["Merge", "NewBinding", "TargetCollection", "merge"]


@dataclass(frozen=True, kw_only=True)
class NewBinding:
    """A binding to add to the capture."""

    resource: object
    target: str
    disable: bool


@dataclass(frozen=True, kw_only=True)
class TargetCollection:
    """A collection as the discovery describes it. `invented_key` says that the source has no key of its own."""

    name: str
    key: tuple[str, ...]
    schema: Mapping[str, object]
    invented_key: bool


@dataclass(frozen=True, kw_only=True)
class Merge:
    """The outcome: `vanished` bindings are no longer discovered, which is told and changes nothing."""

    added: tuple[NewBinding, ...]
    collections: tuple[TargetCollection, ...]
    vanished: tuple[CaptureBinding, ...]


def merge(task: CaptureTask, discovered: Sequence[DiscoveredBinding], pointers: Sequence[str]) -> Merge:
    """Return what `discovered` changes in `task`; `pointers` locate the parts of a resource path.

    A binding of the task that is discovered again keeps all that its user wrote. A collection that several bindings
    share is left alone: no one of them describes it.
    """
    known = {_resource_path(binding.resource, pointers): binding for binding in task.bindings}
    taken = [binding.target for binding in task.bindings]
    added: list[NewBinding] = []
    found: dict[str, TargetCollection] = {}
    seen = set()
    for binding in discovered:
        resource = plain_numbers(document.decode(binding.resource_config))
        path = _resource_path(resource, pointers)
        seen.add(path)
        if path in known:
            target = known[path].target
        else:
            target = _free_name(_collection_name(task.name, binding.recommended_name), taken)
            added.append(NewBinding(resource=resource, target=target, disable=binding.disable))
            taken.append(target)
        found[target] = _collection(target, binding)
    return Merge(
        added=tuple(added),
        collections=tuple(collection for name, collection in found.items() if taken.count(name) == 1),
        vanished=tuple(binding for path, binding in known.items() if path not in seen),
    )


def _collection(name: str, binding: DiscoveredBinding) -> TargetCollection:
    schema = plain_numbers(document.decode(binding.document_schema))
    return TargetCollection(
        name=name,
        key=binding.key,
        schema=schema if isinstance(schema, dict) else {"type": "object"},
        invented_key=binding.is_fallback_key,
    )


def _resource_path(resource: object, pointers: Sequence[str]) -> tuple[bytes, ...]:
    """Return the parts of the resource path as JSON; a part that is missing is null. Without pointers, the whole."""
    found = [pointer.resolve(resource, pointer.parse(ptr)) for ptr in pointers] or [resource]
    return tuple(document.encode(None if part is pointer.MISSING else part) for part in found)


def _collection_name(task: str, recommended: str) -> str:
    """Return `recommended` as a catalog name beside the task: other characters than a name's become underscores.

    So do the dots of a token that has nothing else, which would be the name of another folder.
    """
    tokens = [re.sub(r"[^\w.\-]+", "_", token) for token in recommended.split("/") if token]
    named = [token if token.strip(".") else "_" * len(token) for token in tokens]
    return "/".join([*task.split("/")[:-1], *(named or ["unnamed"])])


def _free_name(name: str, taken: Sequence[str]) -> str:
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
