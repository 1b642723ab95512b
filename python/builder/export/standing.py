"""A connector's folder as it stands: what its manifest said, what an export changes in it, and who would miss that."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator

import msgspec

from python.builder.export.drafting import facts_in
from python.builder.export.layouts import OBSOLETE, Kept
from python.builder.export.metadata import tag_of
from python.builder.export.order import ExportError, Form, Order
from python.builder.export.pages import documentation_path
from python.builder.export.revising import Before
from python.builder.manifests.gathering import gathered
from python.builder.manifests.importing import imported
from python.importing.repository import GitError, here
from python.importing.scaffold.names import module_name
from python.protocol.errors import HeadwaterError

__all__ = ["Standing", "obsolete", "page_of", "standing", "uncommitted"]

_PAGES = pathlib.Path("docs/integrations/sources")
_CONNECTORS = "airbyte-integrations"
_OUT_OF_SIGHT = (".venv", ".git", "secrets")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What stands where a connector is to be exported; `before` is None where that is nothing."""

    before: Before | None = None
    kept: Kept = Kept()


def page_of(folder: pathlib.Path, form: Form) -> pathlib.Path:
    """Return where the documentation page of `folder` is: in a checkout of Airbyte, where all of theirs are."""
    if form is not Form.HEADWATER:
        for above in folder.absolute().parents:
            if (above / _CONNECTORS).is_dir() and (above / _PAGES).is_dir():
                return above / _PAGES / pathlib.Path(documentation_path(folder.name)).name
    return folder / documentation_path(folder.name)


def standing(folder: pathlib.Path, order: Order) -> Standing:
    """Return what stands at `folder`. Raises ExportError where that is something else than a manifest's connector."""
    kept = Kept(
        metadata=_text(folder / "metadata.yaml"),
        documentation=_text(page_of(folder, order.form)),
        changelog=_text(folder / "CHANGELOG.md"),
        project=_text(folder / "pyproject.toml"),
    )
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ExportError(f"{folder} is there, and no folder of its own: name another place, or remove it")
    if not folder.exists():
        return Standing(kept=Kept(documentation=kept.documentation))
    if not any(folder.iterdir()):
        return Standing(kept=kept)
    try:
        found = gathered(folder)
        text = imported(found, order.cdk).text
        own = msgspec.structs.replace(order, text=text, components=found.components)
        before = Before(
            facts=facts_in(own),
            texts=(text, found.components or ""),
            version=_text(folder / "VERSION").strip(),
            tag=tag_of(kept.metadata) if kept.metadata else "",
        )
    except HeadwaterError as error:
        raise ExportError(
            f"{folder} is there, and what is in it cannot be told from what is exported: {error}; name another place, "
            "mend it, or remove it"
        ) from None
    return Standing(before=before, kept=kept)


def obsolete(folder: pathlib.Path, order: Order) -> Iterator[str]:
    """Yield the files below `folder` that have no place in the form of `order`, unless it writes them."""
    for pattern in OBSOLETE[order.form]:
        for path in sorted(folder.glob(pattern.format(module=module_name(order.name)))):
            if path.is_file() or path.is_symlink():
                yield path.relative_to(folder).as_posix()


def uncommitted(folder: pathlib.Path, paths: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    """Return those of `paths` whose content is nowhere but there: edited, not yet added, ignored; all without git."""
    listed = [path for path in paths if path.exists() or path.is_symlink()]
    if not listed:
        return []
    try:
        repository = here(folder)
        told = repository.run(
            *("status", "--porcelain=v1", "-z", "--ignored", "--untracked-files=all", "--no-renames", "--"),
            *(str(path.absolute()) for path in listed),
        )
    except GitError:
        return listed
    edited = {(repository.folder / line[3:].decode()).absolute() for line in told.split(b"\0") if line}
    return [path for path in listed if any(path.absolute().is_relative_to(each) for each in edited)]


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} cannot be read: {error}") from None
