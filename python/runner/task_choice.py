"""Which tasks of a specification a command is about."""

from __future__ import annotations

from collections.abc import Sequence

from python.runner.catalog import CaptureTask, Catalog
from python.runner.catalog_readers import DerivationTask, MaterializationTask
from python.runner.problems import CatalogError, Where, suggestion

__all__ = ["tasks_of"]


def tasks_of(catalog: Catalog, name: str | None) -> Sequence[CaptureTask | DerivationTask | MaterializationTask]:
    """Return the task `name`, or all of the spec: captures, derivations, materializations. Raises CatalogError."""
    derived = {
        found.name: found.derive for found in catalog.collections.values() if isinstance(found.derive, DerivationTask)
    }
    every: dict[str, CaptureTask | DerivationTask | MaterializationTask] = {
        **catalog.captures,
        **derived,
        **catalog.materializations,
    }
    names = ", ".join(sorted(every)) or "none"
    if name is None and every:
        return list(every.values())
    if name in every:
        return [every[name]]
    if name is None:
        sentence = "defines nothing to run; add a capture, a derivation or a materialization"
    else:
        sentence = f"defines no task {name!r}{suggestion(name, every)}; its tasks are: {names}"
    raise CatalogError.at(Where(catalog.source), sentence)
