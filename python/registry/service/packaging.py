"""The files that are uploaded for a version, from the folder of a connector: the same folder gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import pathlib
import re
import zipfile
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from python.importing import snapshot_files
from python.importing.repository import Repository
from python.protocol.errors import HeadwaterError
from python.registry.metadata.checking import Checked, check
from python.registry.metadata.documents import write
from python.registry.metadata.kinds import IMAGE_TAG
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.numbering import Kind, kind_of
from python.registry.service.descriptions import of_flow
from python.registry.service.layout import (
    CATALOG,
    CLOUD_SPEC,
    COMPONENTS,
    DEPENDENCIES,
    DOC,
    ICON,
    INAPP,
    MANIFEST,
    MARKER,
    SPEC,
)

__all__ = ["Package", "PackageError", "Sources", "package", "read_metadata"]

_Json: TypeAlias = Any

_BESIDE = (ICON, MANIFEST, INAPP, SPEC, CLOUD_SPEC, CATALOG, DEPENDENCIES)
_CODE = "components.py"
_FILE_BYTES_MAX = 16 * 1024 * 1024  # far above any catalog seen
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can have: the same files are the same bytes

_DOCS_SITE = "https://docs.airbyte.com/"


class PackageError(HeadwaterError):
    """A file that is to be uploaded cannot be read. Whoever named it must act."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the files come from: the `metadata` file, and what else belongs to it is beside it.

    `docs` is a page, or the folder of Airbyte's pages, in which `documentationUrl` says where; README.md beside the
    file if not given. `prerelease` takes the place of every dockerImageTag.
    """

    metadata: pathlib.Path
    docs: pathlib.Path | None = None
    prerelease: str | None = None
    lenient: bool = False


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be uploaded: `files` by name, `metadata.yaml` as it will be, and what its `checked` form says.

    Where the metadata cannot be taken, `checked` has none, and no `metadata.yaml` is among the files.
    """

    checked: Checked
    files: Mapping[str, bytes]


def read_metadata(path: pathlib.Path) -> bytes:
    """Return the metadata file at `path`, or the metadata.yaml in the folder there. Raises PackageError."""
    return _content(_file(path))


def package(sources: Sources) -> Package:
    """Return what is to be uploaded. Raises PackageError for a file that cannot be read, and a tag that is none."""
    if sources.prerelease is not None and not _is_for_trying(sources.prerelease):
        raise PackageError(
            f"{sources.prerelease} is no pre-release by semantic versioning: want one as 1.4.1-preview.g820ce48"
        )
    path = _file(sources.metadata)
    checked = check(_content(path), lenient=sources.lenient)
    files = _beside(sources, checked)
    if checked.metadata is None:
        return Package(checked=checked, files=files)
    value = _uploaded(checked.metadata, sources, files.get(f"{COMPONENTS}.sha256"))
    metadata = ConnectorMetadata.model_validate(value)
    checked = msgspec.structs.replace(checked, metadata=metadata, sketch=metadata)
    return Package(checked=checked, files={**files, MARKER: write(value)})


def _beside(sources: Sources, checked: Checked) -> dict[str, bytes]:
    """Return what goes with the metadata, by the names that it is uploaded under."""
    folder = _file(sources.metadata).parent
    own = {name: _own(folder, name) for name in (*_BESIDE, _CODE) if (folder / name).is_file()}
    code = own.pop(_CODE, None)
    files = {**_described(folder), **own}
    if checked.sketch is not None and "documentationUrl" not in checked.doubtful:
        files |= _documented(sources, checked.sketch)
    if code is not None:
        files[COMPONENTS] = _zipped({_CODE: code, MANIFEST: files.get(MANIFEST, b"")})
        files[f"{COMPONENTS}.sha256"] = hashlib.sha256(files[COMPONENTS]).hexdigest().encode()
    return files


def _is_for_trying(tag: str) -> bool:
    try:
        return kind_of(tag) is Kind.PRERELEASE and re.fullmatch(IMAGE_TAG, tag) is not None
    except ValueError:
        return False


def _file(path: pathlib.Path) -> pathlib.Path:
    return path / MARKER if path.is_dir() else path


def _content(path: pathlib.Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)  # its size is not asked: a pipe has none
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}; want a file") from None
    except ValueError as error:
        raise PackageError(f"{str(path)!r}: {error}; want the name of a file") from None
    if len(data) > _FILE_BYTES_MAX:
        raise PackageError(f"{path} is too large: want at most {_FILE_BYTES_MAX:,} bytes")
    return data


def _own(folder: pathlib.Path, name: str) -> bytes:
    """Return what the file called `name` in `folder` holds; one of elsewhere is nobody's to upload by a link."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PackageError(f"{path} is a link that leads out of its folder, to {path.resolve()}; put the file there")
    return _content(path)


def _described(folder: pathlib.Path) -> dict[str, bytes]:
    """Return the spec and the catalog that the tests of a connector of Flow's keep, if they do."""
    return of_flow(snapshot_files.of_folder(folder))


def _documented(sources: Sources, metadata: ConnectorMetadata) -> dict[str, bytes]:
    """Return the page that describes the connector, and the one shown in the app."""
    if sources.docs is None:
        folder = _file(sources.metadata).parent
        beside = {DOC: "README.md", INAPP: "README.inapp.md"}
        return {name: _own(folder, page) for name, page in beside.items() if (folder / page).is_file()}
    page = sources.docs
    if page.is_dir():
        address = metadata.data.documentation_url
        if not address.startswith(_DOCS_SITE):
            raise PackageError(f"{address} is no page in {page}: want one of {_DOCS_SITE}, or name the page itself")
        page = _page_in(page, address)
    inapp = page.with_suffix(".inapp.md")
    return {DOC: _content(page), **({INAPP: _content(inapp)} if inapp.is_file() else {})}


def _page_in(folder: pathlib.Path, address: str) -> pathlib.Path:
    page = folder / (address.removeprefix(_DOCS_SITE).split("#")[0].strip("/") + ".md")
    if not page.resolve().is_relative_to(folder.resolve()):
        raise PackageError(f"{address} leads out of {folder}")
    return page


def _zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _uploaded(metadata: ConnectorMetadata, sources: Sources, components: bytes | None) -> dict[str, _Json]:
    """Return the metadata as it is uploaded: with where it comes from, under today's names."""
    value = metadata.as_json()
    data = value["data"]
    if sources.prerelease is not None:
        for each in (data, *data.get("registryOverrides", {}).values()):
            if each is data or "dockerImageTag" in each:
                each["dockerImageTag"] = sources.prerelease
    generated: dict[str, _Json] = {"git": _committed(_file(sources.metadata))}
    if components is not None:
        generated["pythonComponents"] = {"required": True, "sha256": components.decode()}
    known = {name: each for name, each in generated.items() if each}
    if known:
        data["generated"] = {**data.get("generated", {}), **known}
    return value


def _committed(path: pathlib.Path) -> dict[str, str]:
    """Return the last commit that touched the file at `path`; nothing where git knows none, or the file is changed."""
    folder = Repository(path.parent.absolute())
    form = "--format=%H%x00%cI%x00%an%x00%ae"
    if folder.asked("status", "--porcelain", "--", path.name) != "":
        return {}
    said = (folder.asked("log", "-1", form, "--", path.name) or "").split("\0")
    names = ("commit_sha", "commit_timestamp", "commit_author", "commit_author_email")
    return dict(zip(names, said, strict=True)) if len(said) == len(names) else {}
