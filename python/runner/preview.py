"""`headwater preview`: runs a task and prints what it commits, as `flowctl preview` does (reference, 10.1)."""

from __future__ import annotations

import pathlib

from python.protocol.errors import HeadwaterError
from python.runner.catalog import CaptureTask, Catalog
from python.runner.catalog_readers import DerivationTask, MaterializationTask
from python.runner.loading import load_catalog
from python.runner.preview_captures import preview_capture
from python.runner.preview_options import Options, meaning
from python.runner.preview_readers import preview_reader
from python.runner.problems import CatalogError, Where
from python.runner.stop import until_signal
from python.runner.task_choice import tasks_of

__all__ = ["Options", "preview"]


def preview(options: Options) -> None:
    """Print what a task commits: documents as `["collection",{…}]` lines, and more where asked. Nothing is stored here.

    A signal, the time limit and a failure of a shard ask every shard to end at its next checkpoint.
    """
    if options.shards > 1 and (options.output_state or options.output_apply):
        raise HeadwaterError("--output-state and --output-apply need --shards 1: each shard has a state of its own")
    asked = options, meaning(options)
    loaded = load_catalog(pathlib.Path(options.source))
    task = _task(loaded, options.name)
    if task.shards.disable:
        sentence = f"{task.name} is not to run, since its `shards.disable` is true; change that to preview it"
        raise CatalogError.at(task.where, sentence)
    with until_signal() as stop:
        if isinstance(task, CaptureTask):
            preview_capture(asked, task, loaded, stop)
        else:
            preview_reader(asked, task, loaded, stop)


def _task(catalog: Catalog, name: str | None) -> CaptureTask | DerivationTask | MaterializationTask:
    """Return the task `name`, or the only one. Raises CatalogError where there is none, or several and no name."""
    found = tasks_of(catalog, name)
    if len(found) > 1:
        names = ", ".join(sorted(task.name for task in found))
        sentence = f"defines {len(found)} tasks; choose one with --name: {names}"
        raise CatalogError.at(Where(catalog.source), sentence)
    return found[0]
