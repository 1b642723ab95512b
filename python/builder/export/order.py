"""What is to be exported, and how."""

from __future__ import annotations

import enum
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from python.builder.manifests.cdk import Cdk
from python.protocol.errors import HeadwaterError

__all__ = ["ExportError", "Form", "Order", "checked_name"]

_NAME = re.compile(r"source-[a-z0-9-]+")


class ExportError(HeadwaterError):
    """Nothing was exported. Whoever ordered it must act."""


class Form(enum.Enum):
    """The layout of a connector's folder."""

    HEADWATER = "headwater"
    MANIFEST_ONLY = "airbyte-manifest-only"
    PYTHON = "airbyte-python"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest to be exported as the connector `name`: `text` is YAML that stands for itself.

    `components` is the text of its components.py. `cdk` is the airbyte-cdk that the connector is to run with, and
    `date` (as 2026-11-21) the day of the release. `config` are test values: only what is no secret of them is written.
    `recording` is a folder that a test read left; the connector's tests then answer from it. `requirements` are
    packages that components.py needs, `icon` an SVG in the place of the one that is drawn.

    With `ask`, the connector is started, without a network, to find its bindings and, with a recording, what its tests
    expect: that runs components.py. Otherwise `unasked` is told as the reason why its bindings are not known.
    """

    text: str
    name: str
    cdk: Cdk
    date: str
    form: Form = Form.HEADWATER
    components: str | None = None
    config: Mapping[str, Any] = {}
    recording: pathlib.Path | None = None
    requirements: tuple[str, ...] = ()
    icon: str | None = None
    ask: bool = True
    unasked: str = "the connector was not started when it was exported"


def checked_name(name: str) -> str:
    """Return `name`, which is one of a connector. Raises ExportError where it is none."""
    if not _NAME.fullmatch(name):
        raise ExportError(f"{name!r} is no name for a connector: want source-x, in small letters, digits and dashes")
    return name
