"""What the store keeps of a task's spec, to see changes by and to tell connectors of: no plain config is ever in it."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from python.protocol import document
from python.protocol.flow import CaptureSpec, Derivation, MaterializationSpec
from python.runner.endpoints import LocalEndpoint, Task

__all__ = ["kept", "spec_in", "text_of", "version_of"]

_Spec = TypeVar("_Spec", CaptureSpec, MaterializationSpec, Derivation)


def kept(spec: _Spec, task: Task) -> _Spec:
    """Return `spec` with its endpoint in place of its config, as Flow stores it (protocol reference, section 2.4).

    A config that is sealed stays as it is; of a plain one, its digest stands for it.
    """
    endpoint = task.endpoint
    assert endpoint is not None, "what has a spec has a connector"  # noqa: S101 -- our own code alone can break it
    config = endpoint.config
    if not (isinstance(config, dict) and "sops" in config):
        config = {"sha256": hashlib.sha256(spec.config).hexdigest()}
    if isinstance(endpoint, LocalEndpoint):
        whole: dict[str, object] = {"command": list(endpoint.command), "config": config}
    else:
        whole = {"image": endpoint.image, "config": config}
    return msgspec.structs.replace(spec, config=msgspec.Raw(document.encode(whole)))


def text_of(spec: msgspec.Struct) -> str:
    """Return a kept spec as the store has it."""
    return msgspec.json.encode(spec).decode()


def version_of(text: str) -> str:
    """Return the version of a kept spec, which changes with it; nothing where there is none."""
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


_Any = TypeVar("_Any", bound=msgspec.Struct)


def spec_in(text: str, kind: type[_Any]) -> _Any | None:
    """Return the spec that the store has, or None where it has none."""
    return msgspec.json.decode(text, type=kind) if text else None
