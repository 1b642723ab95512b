"""What a derivation or a materialization says of itself, for `headwater compare` and `release`: its answer to `spec`.

It discovers nothing and captures nothing, so that is all that can be compared of it from outside.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from python.importing import snapshot_texts as texts
from python.importing.snapshot_settings import Settings
from python.importing.snapshots import Json
from python.protocol import capture as wire
from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.runner import drive
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask, MaterializationTask
from python.runner.endpoints import ImageEndpoint
from python.runner.loading import load_catalog

__all__ = ["Reader", "reader_in", "taken"]

Reader: TypeAlias = DerivationTask | MaterializationTask


def reader_in(source: pathlib.Path, name: str | None) -> Reader | None:
    """Return the task called `name`, or the only one, that reads collections and that the Flow spec `source` defines.

    None where the spec has a capture of its own, which is asked for more. Raises HeadwaterError where it has several
    such tasks, and `name` is none of them.
    """
    catalog = load_catalog(source)
    file = catalog.source.resolve()
    if any(task.where.file.resolve() == file for task in catalog.captures.values()):
        return None
    own = {task.name: task for task in _readers(catalog) if task.where.file.resolve() == file}
    if name is None and len(own) <= 1:
        return next(iter(own.values()), None)
    if name not in own:
        raise HeadwaterError(f"{source} has these tasks: {', '.join(sorted(own)) or 'none'}; choose one with --name")
    return own[name]


def _readers(catalog: Catalog) -> Iterator[Reader]:
    yield from catalog.materializations.values()
    yield from (each.derive for each in catalog.collections.values() if each.derive is not None)


def taken(task: Reader, image: str, launch: Callable[[Reader], drive.Launch], settings: Settings) -> dict[str, Json]:
    """Return what would be kept of `task`'s answer to `spec`, by file name; `image` is what to start, if one is named.

    Raises ConnectorError where the connector fails.
    """
    own = task.endpoint
    if image and own is not None:
        endpoint = ImageEndpoint(image=image, config=own.config, config_where=own.config_where, where=task.where)
        task = dataclasses.replace(task, endpoint=endpoint)
    launched = launch(task)
    with launched.stop.excused():
        request = wire.Spec(connector_type=launched.connector_type)
        answer = drive.ask(launched, request, launched.protocol.spec_response)
    if launched.stop.asked:
        raise HeadwaterError(f"{task.name}: stopped before it had answered")
    told: Json = document.decode(msgspec.json.encode(answer))
    return {texts.file_name("spec"): texts.spec_lines(told, settings)}
