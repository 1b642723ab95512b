"""From what a person names (a folder, a spec, an image) to the connector under test."""

from __future__ import annotations

import dataclasses
import pathlib

from python.acceptance.capturing import CaptureSubject
from python.acceptance.deriving import DerivationSubject
from python.acceptance.materializing import MaterializationSubject
from python.acceptance.subject import Subject
from python.acceptance.talking import Limits
from python.protocol.errors import HeadwaterError
from python.runner.catalog import CaptureTask
from python.runner.catalog_readers import DerivationTask
from python.runner.endpoints import ImageEndpoint
from python.runner.loading import load_catalog
from python.runner.task_choice import tasks_of

__all__ = ["opened"]

_NAME = "acmeCo/headwater_acceptance"
"""What captures and materializations are called here.

Under its own name, a task that also runs elsewhere would lose what its source or endpoint keeps for that name: a
checkpoint is taken over, a place in a queue is acknowledged.
"""

_SPEC = "test.flow.yaml"


def opened(
    connector: str, *, source: str | None = None, name: str | None = None, limits: Limits, network: str = "bridge"
) -> Subject:
    """Return the subject for a connector: its folder, or an image, with the config of a task of `source`.

    `source` is by default the `test.flow.yaml` of the folder; `name` is needed where it has several tasks of its own.
    Raises HeadwaterError.
    """
    folder = pathlib.Path(connector)
    path = pathlib.Path(source) if source else folder / _SPEC
    if not folder.is_dir() and not _is_image(connector):
        raise HeadwaterError(f"{connector} is no folder, and no image with a tag")
    if not path.is_file():
        raise HeadwaterError(
            f"a connector is asked with the config of a Flow spec, and {path} is no file: name one with --source"
        )
    catalog = load_catalog(path)
    found = tasks_of(catalog, name)
    own = [task for task in found if task.where.file.resolve() == path.resolve()] or found
    if len(own) != 1:
        raise HeadwaterError(
            f"{path} has several tasks: choose one with --name: {', '.join(task.name for task in own)}"
        )
    task = own[0]
    if task.endpoint is None:
        raise HeadwaterError(f"{task.name} is a part of Flow's own runtime, and no connector")
    if not folder.is_dir():
        config, where = task.endpoint.config, task.endpoint.config_where
        image = ImageEndpoint(image=connector, config=config, config_where=where, where=task.where)
        task = dataclasses.replace(task, endpoint=image)
    if isinstance(task, CaptureTask):
        return CaptureSubject(dataclasses.replace(task, name=_NAME), catalog, limits, network)
    if isinstance(task, DerivationTask):
        return DerivationSubject(task, catalog, limits, network)
    return MaterializationSubject(dataclasses.replace(task, name=_NAME), limits, network)


def _is_image(name: str) -> bool:
    return ":" in name or "@" in name
