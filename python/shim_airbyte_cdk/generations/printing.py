"""What airbyte-cdk prints to stdout as messages of its protocol, beside those that it yields.

Every generation prints the config that a source has changed, such as one with a rotated token. Printed lines become
logs, so the new secrets would be in plain sight there, and lost to the task. Older ones print what their own
`AirbyteLogger` logs.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import logging
from collections.abc import Callable, Iterator

from python.shell import logs
from python.shim_airbyte_cdk.generations.values import Json, mapping

__all__ = ["LEVELS", "overheard"]

LEVELS = {"TRACE": logs.TRACE, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40, "FATAL": 40}
"""The levels of Airbyte's logs, as `logging` counts them."""

_MODULES = ("airbyte_cdk.config_observation", "airbyte_cdk.logger")
_source = logging.getLogger("airbyte.source")


@contextlib.contextmanager
def overheard(tell: Callable[[Json], None]) -> Iterator[None]:
    """Within, `tell` is given each config that airbyte-cdk would print, on the thread of the source that changes it.

    Logs that it would print are logged; whatever else it prints, it prints.
    """
    modules = [importlib.import_module(name) for name in _MODULES]
    hear = _heard_by(tell)
    for module in modules:
        module.print = hear  # type: ignore[attr-defined]  # it shadows the builtin in that one module
    try:
        yield
    finally:
        for module in modules:
            del module.print  # the builtin is back


def _heard_by(tell: Callable[[Json], None]) -> Callable[..., None]:
    show: Callable[..., None] = builtins.print

    def hear(*values: object, **options: object) -> None:
        message = _message_in(" ".join(map(str, values)))
        config = mapping(mapping(message.get("control")).get("connectorConfig")).get("config")
        log = mapping(message.get("log"))
        if isinstance(config, dict):
            tell(config)
        elif log:
            _source.log(LEVELS.get(str(log.get("level")), logging.INFO), "%s", log.get("message"))
        else:
            show(*values, **options)

    return hear


def _message_in(text: str) -> Json:
    try:
        return mapping(json.loads(text))
    except ValueError:
        return {}
