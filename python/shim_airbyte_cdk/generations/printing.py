"""The config that a source changes, such as one with a rotated token, where the CDK prints it to stdout.

Every generation does, for sources that observe their config and for tokens that can be used once. What is printed
becomes a log, so the new secrets would be in plain sight there, and lost to the task.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
from collections.abc import Callable, Iterator

from python.shim_airbyte_cdk.generations.values import Json, mapping

__all__ = ["overheard"]


@contextlib.contextmanager
def overheard(tell: Callable[[Json], None]) -> Iterator[None]:
    """Within, `tell` is given each config that airbyte-cdk would print, on the thread of the source that changes it."""
    show: Callable[..., None] = builtins.print

    def hear(*values: object, **options: object) -> None:
        config = _config_in(" ".join(map(str, values)))
        if config is None:
            show(*values, **options)
        else:
            tell(config)

    module = importlib.import_module("airbyte_cdk.config_observation")
    module.print = hear  # type: ignore[attr-defined]  # it shadows the builtin in that one module
    try:
        yield
    finally:
        del module.print  # the builtin is back


def _config_in(text: str) -> Json | None:
    try:
        message = mapping(json.loads(text))
    except ValueError:
        return None
    return mapping(mapping(mapping(message.get("control")).get("connectorConfig")).get("config")) or None
