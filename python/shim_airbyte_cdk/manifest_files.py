"""What a manifest-only connector consists of: manifest.yaml, and beside it components.py and spec.yaml or spec.json."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path

from msgspec import Struct

from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk.models import Json, mapping

__all__ = ["Manifest", "manifest_at"]

_MANIFEST = "manifest.yaml"
_COMPONENTS = "components.py"
_SPECS = ("spec.yaml", "spec.yml", "spec.json")

_logger = logging.getLogger(__name__)


class Manifest(Struct, frozen=True, kw_only=True):
    """A declarative manifest as its author wrote it, but with a `spec`; `components` is its custom code, if any."""

    path: Path
    content: Json
    components: Path | None


def manifest_at(path: Path) -> Manifest:
    """Return the manifest in the file `path`, or in the folder `path`.

    A manifest without `spec` is given that of the file spec.yaml or spec.json beside it, and where there is none, one
    that takes any config, with a warning. Raises ConnectorError for what is missing or cannot be read, with the place.
    """
    file = path / _MANIFEST if path.is_dir() else path
    if not file.is_file():
        want = f"a folder with {_MANIFEST}" if path.is_dir() else "a manifest, or a folder with manifest.yaml"
        raise ConnectorError(f"{path} is no connector: want {want}")
    content = _mapping_in(file)
    if not content.get("spec"):
        content = {**content, "spec": _spec_beside(file)}
    components = file.parent / _COMPONENTS
    return Manifest(path=file, content=content, components=components if components.is_file() else None)


def _spec_beside(file: Path) -> Json:
    found = next((file.parent / name for name in _SPECS if (file.parent / name).is_file()), None)
    if found is None:
        _logger.warning(
            "%s has no `spec`, and there is none of %s beside it: any config is taken", file, ", ".join(_SPECS)
        )
        return {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}}
    written = _mapping_in(found)
    spec: Json = {"type": "Spec", "connection_specification": mapping(written.get("connectionSpecification"))}
    for name, ours in (("documentationUrl", "documentation_url"), ("advanced_auth", "advanced_auth")):
        if name in written:
            spec[ours] = written[name]
    return spec


def _mapping_in(file: Path) -> Json:
    yaml = importlib.import_module("yaml")  # airbyte-cdk requires it, our core does not
    try:
        # bytes, so that YAML finds out the encoding; libyaml's loader is ten times faster, where it was built in
        value = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConnectorError(f"{file}{at}: {error.problem or error.context}") from error
    except (yaml.YAMLError, OSError) as error:
        raise ConnectorError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise ConnectorError(f"{file} is {'empty' if value is None else type(value).__name__}, want a mapping")
    return value
