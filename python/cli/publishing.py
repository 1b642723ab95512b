"""What `headwater release --bucket` does: a connector that is a release becomes a version in a bucket."""

from __future__ import annotations

import datetime as dt
import pathlib

import msgspec

from python.importing.repository import here
from python.protocol.errors import HeadwaterError
from python.registry.metadata.findings import Finding, told
from python.registry.service.packaging import Sources, package
from python.registry.service.uploading import Outcome, Rules, upload
from python.registry.store import open_store

__all__ = ["Published", "publish"]


class Published(msgspec.Struct, frozen=True):
    """What to print, and whether the version is in the bucket."""

    text: str
    fine: bool


def publish(connector: str, bucket: str) -> Published:
    """The connector in the folder of that name is a version in `bucket`, or what is wrong is told.

    The first number of dockerImageTag is the connector's VERSION. Raises HeadwaterError for a connector without
    metadata.yaml, and what `upload` raises.
    """
    folder = here(pathlib.Path.cwd()).folder / connector.rstrip("/")
    path = folder / "metadata.yaml"
    if not path.is_file():
        raise HeadwaterError(
            f"{folder.name} has no metadata.yaml, so no registry can tell of it; of a source or a materialization, "
            "write one as source-faker/metadata.yaml (a registry knows no derivations)"
        )
    sources = Sources(metadata=path)
    _check_version(folder, sources)
    store = open_store(bucket)
    done = upload(store, sources, Rules(), lambda: dt.datetime.now(dt.timezone.utc))
    fine = done.outcome in (Outcome.UPLOADED, Outcome.THERE)
    outcome = f"{done.at or folder.name}: {done.outcome.value}{f', in {store.address}' if fine else ''}"
    return Published("\n".join([*_lines(f"{folder.name}/metadata.yaml", done.findings), outcome]), fine)


def _lines(name: str, findings: tuple[Finding, ...]) -> list[str]:
    return [told(name, findings)] if findings else []


def _check_version(folder: pathlib.Path, sources: Sources) -> None:
    metadata = package(sources).checked.metadata
    version = (folder / "VERSION").read_text(encoding="utf-8").strip() if (folder / "VERSION").is_file() else ""
    tag = metadata.data.docker_image_tag if metadata else ""
    wanted = version.removeprefix("v")
    if metadata and wanted and tag != wanted and tag.split(".")[0] != wanted:
        raise HeadwaterError(
            f"{folder.name}: VERSION is {version}, and dockerImageTag in metadata.yaml is {tag}: want one that begins "
            f"with {wanted.split('.')[0]}"
        )
