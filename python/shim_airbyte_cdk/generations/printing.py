"""What airbyte-cdk prints to stdout as messages of its protocol, beside those that it yields.

Every generation prints the config that a source has changed, such as one with a rotated token, or one that a manifest
has brought up to date. Printed lines become logs, so the new secrets would be in plain sight there, and lost to the
task. Older ones print what their own `AirbyteLogger` logs.
"""

from __future__ import annotations

import builtins
import contextlib
import json
import logging
import sys
from collections.abc import Callable, Iterator

from python.shell import logs
from python.shim_airbyte_cdk.generations.values import Json, mapping

__all__ = ["LEVELS", "overheard"]

LEVELS = {"TRACE": logs.TRACE, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40, "FATAL": 40}
"""The levels of Airbyte's logs, as `logging` counts them."""

_source = logging.getLogger("airbyte.source")


@contextlib.contextmanager
def overheard(tell: Callable[[Json], None]) -> Iterator[None]:
    """Within, `tell` is given each config that is printed as a message, on the thread of the source that changes it.

    Logs that are printed as messages are logged; whatever else is printed, is printed. It is Python's own `print` that
    is replaced: constructors of manifests' sources print, too, and so do the migrations that sources define.
    """
    show = builtins.print
    builtins.print = _heard_by(tell, show)
    try:
        yield
    finally:
        builtins.print = show


def _heard_by(tell: Callable[[Json], None], show: Callable[..., None]) -> Callable[..., None]:
    def hear(*values: object, **options: object) -> None:
        message = _message_in(values[0]) if len(values) == 1 and options.get("file") in (None, sys.stdout) else {}
        config = mapping(mapping(message.get("control")).get("connectorConfig")).get("config")
        log = mapping(message.get("log"))
        if isinstance(config, dict):
            tell(config)
        elif log:
            _source.log(LEVELS.get(str(log.get("level")), logging.INFO), "%s", log.get("message"))
        else:
            show(*values, **options)

    return hear


def _message_in(printed: object) -> Json:
    try:
        return mapping(json.loads(str(printed)))
    except ValueError:
        return {}
