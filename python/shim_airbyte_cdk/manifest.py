"""Declarative manifests as captures: no code is needed beside the manifest."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import importlib.util
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import cast

from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk import manifest_check, manifest_components, models
from python.shim_airbyte_cdk.manifest_check import ManifestError
from python.shim_airbyte_cdk.manifest_files import Manifest, manifest_at
from python.shim_airbyte_cdk.models import Json, Source
from python.shim_airbyte_cdk.shim import CaptureShim

__all__ = ["ManifestDelegate", "manifest_capture"]

_SOURCES = (
    ("airbyte_cdk.sources.declarative.concurrent_declarative_source", "ConcurrentDeclarativeSource"),
    ("airbyte_cdk.sources.declarative.manifest_declarative_source", "ManifestDeclarativeSource"),
)
"""Since CDK 6 the first one reads manifests, and is the only one that resumes from its state; before, the second."""

_logger = logging.getLogger(__name__)


def manifest_capture(path: str | Path) -> CaptureShim:
    """Return the capture that runs the manifest in the file `path`, or in the folder `path`.

    Nothing is read before the capture is asked: what is wrong with the manifest is told by `spec`, as ConnectorError.
    """
    return CaptureShim(delegate=ManifestDelegate(Path(path)))


class ManifestDelegate:
    """Makes the source of a manifest: the factory `(catalog, config, state) -> Source` that CaptureShim takes.

    Raises ConnectorError for a manifest that cannot work: the file, the place in it and the reason, in one sentence.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, catalog: object, config: Json | None, state: object) -> Source:
        """Return a source of the manifest, which knows the catalog, config and state that it is to be asked with."""
        if importlib.util.find_spec("airbyte_cdk") is None:
            raise ConnectorError(
                "a manifest needs airbyte-cdk, which is not installed: pip install 'headwater[airbyte]'"
            )
        manifest_components.register(self._components, self._class_names)
        given = {"catalog": catalog, "config": config, "state": state}
        try:
            return _source(self._content, given)
        except Exception as error:
            _logger.debug("%s", self._path, exc_info=error)
            with self._in_file():
                self._content = self._migrated(error, config)
            return _source(self._content, given)

    @functools.cached_property
    def _manifest(self) -> Manifest:
        return manifest_at(self._path)

    @functools.cached_property
    def _content(self) -> Json:
        """What the source is built from: a manifest that airbyte-cdk takes as it is runs as it is."""
        with self._in_file():
            manifest_check.refuse_foreign(self._manifest.content, manifest_check.cdk_version())
        return self._manifest.content

    @functools.cached_property
    def _components(self) -> ModuleType | None:
        path = self._manifest.components
        return manifest_components.load(path) if path else None

    @functools.cached_property
    def _class_names(self) -> Mapping[str, str]:
        content = self._content
        with self._in_file():
            whole = manifest_check.resolved(content)
            found = manifest_components.class_names(whole)
            manifest_components.register(self._components, found)
            for at, name in found.items():
                if problem := manifest_components.problem_of(name, self._manifest.components):
                    # That a component has been removed says more than that its class cannot be imported.
                    raise manifest_check.schema_problem(content, whole) or ManifestError(at, problem)
        return found

    def _migrated(self, error: Exception, config: Json | None) -> Json:
        """Return the manifest after airbyte-cdk's own migrations; where they do not mend it, raise ConnectorError.

        A manifest that is right by airbyte-cdk's own schema cannot be run with `config`: the fault may be either's.
        """
        content = self._manifest.content
        whole = manifest_check.resolved(content)
        problem = manifest_check.schema_problem(content, whole)
        if problem is None:
            told = " ".join(models.reason(error).split())
            raise ConnectorError(f"with this config: {told}" if config else told) from error
        migrated = manifest_check.migrated(whole)
        if migrated is None or manifest_check.schema_problem(migrated, migrated) is not None:
            raise problem from error
        _logger.info("%s: migrated to what airbyte-cdk %s reads", self._manifest.path, manifest_check.cdk_version())
        return migrated

    @contextlib.contextmanager
    def _in_file(self) -> Iterator[None]:
        """Within, problems are told with the name of the file."""
        try:
            yield
        except ConnectorError as error:
            raise ConnectorError(f"{self._manifest.path}: {error}") from error


def _source(content: Json, given: Mapping[str, object]) -> Source:
    make = _source_class()
    taken = inspect.signature(make).parameters
    own = {name: value for name, value in given.items() if name in taken}
    return make(source_config=copy.deepcopy(content), **own)  # a copy: it fills in types and parameters


def _source_class() -> Callable[..., Source]:
    for module, name in _SOURCES:
        if importlib.util.find_spec(module) is not None:
            return cast("Callable[..., Source]", getattr(importlib.import_module(module), name))  # checked by its tests
    raise ConnectorError(f"airbyte-cdk {manifest_check.cdk_version()} reads no manifests: install 6 or later")
