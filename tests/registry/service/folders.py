"""Folders of connectors for tests, as people write them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from python.registry.service.packaging import Sources
from python.registry.service.uploading import Rules, Uploaded, upload
from python.registry.store import Store
from tests.registry.metadata.metadata_files import RIGHT, changed

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.timezone.utc)
REPOSITORY = "airbyte/source-weather"
SPEC: dict[str, Any] = {"connectionSpecification": {"type": "object", "properties": {"key": {"type": "string"}}}}
CATALOG: dict[str, Any] = {
    "streams": [
        {
            "name": "current",
            "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}, "at": {"type": "string"}}},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_primary_key": [["id"]],
        }
    ]
}


def clock() -> dt.datetime:
    return NOW


def connector(folder: Path, tag: str = "1.4.0", text: str | bytes = RIGHT, **files: Any) -> Path:
    """A connector in `folder`, of version `tag`; `files` by their names, without endings: `spec`, `catalog`."""
    folder.mkdir(exist_ok=True)
    content = text if isinstance(text, str) else text.decode()
    (folder / "metadata.yaml").write_bytes(changed("data.dockerImageTag", tag, content))
    (folder / "README.md").write_text("# Weather\n")
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for name, value in {"spec": SPEC, "catalog": CATALOG, **files}.items():
        if value is not None:
            (folder / f"{name}.json").write_text(json.dumps(value))
        else:
            (folder / f"{name}.json").unlink(missing_ok=True)
    return folder


def uploaded(store: Store, folder: Path, **options: Any) -> Uploaded:
    return upload(store, Sources(metadata=folder, **options), Rules(), clock)


def candidate(folder: Path, tag: str) -> Path:
    """A connector in `folder` whose version is a release candidate."""
    rollout = {"enableProgressiveRollout": True}
    return connector(folder, tag, changed("data.releases.rolloutConfiguration", rollout))


def breaking(version: str) -> bytes:
    """Metadata that tell what breaks in `version`."""
    return changed("data.releases.breakingChanges", {version: {"upgradeDeadline": "2026-12-01", "message": "Keys."}})
