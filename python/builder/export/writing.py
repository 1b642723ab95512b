"""An exported connector put in place: whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from python.builder.export.drafting import Draft, drafted
from python.builder.export.flow_files import RECORDING
from python.builder.export.order import ExportError, Order
from python.builder.export.pages import documentation_path
from python.builder.export.recordings import recorded_files
from python.builder.export.standing import obsolete, page_of, standing, uncommitted
from python.importing.snapshot_texts import FOLDER as SNAPSHOTS

__all__ = ["Written", "written"]

_ENVIRONMENT = ".venv"  # too large to be copied; it moves along
_SHOWN_MAX = 8


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a folder: paths below it, and the draft that it was made of."""

    folder: pathlib.Path
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    draft: Draft


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    files: Mapping[str, bytes]
    removed: tuple[str, ...]
    page: pathlib.Path


def written(order: Order, folder: pathlib.Path, *, force: bool = False) -> Written:
    """The connector that is ordered stands at `folder`, whose name is the connector's.

    What is there already and is none of the export's stays. Raises ExportError, and changes nothing, where content
    would be lost that git does not have, unless `force` is given.
    """
    if folder.name != order.name:
        raise ExportError(f"{folder} is no place for {order.name}: its folder has to be called so")
    if not folder.parent.is_dir():
        raise ExportError(f"{folder.parent} is no folder: make it first, or name another place")
    with _alone(folder):
        found = standing(folder, order)
        draft = drafted(order, found.before, found.kept)
        plan = _plan(order, folder, draft)
        if not force:
            _refuse_losses(folder, plan)
        told = Written(
            folder=folder,
            added=tuple(name for name in plan.files if not (folder / name).exists()),
            changed=tuple(name for name, content in plan.files.items() if _differs(folder / name, content)),
            removed=plan.removed,
            draft=draft,
        )
        _put(folder, plan)
    return told


def _plan(order: Order, folder: pathlib.Path, draft: Draft) -> _Plan:
    begun = {name: text for name, text in draft.laid.begun.items() if not (folder / name).exists()}
    files = {name: text.encode() for name, text in sorted({**begun, **draft.laid.written}.items())}
    recorded = recorded_files(order)
    stale = [RECORDING, SNAPSHOTS] if recorded else []
    gone = [
        *obsolete(folder, order),
        *(
            path.relative_to(folder).as_posix()
            for each in stale
            for path in (folder / each).rglob("*")
            if path.is_file()
        ),
    ]
    files |= recorded
    removed = tuple(sorted({name for name in gone if name not in files}))
    return _Plan(files=files, removed=removed, page=page_of(folder, order.form))


def _differs(path: pathlib.Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() != content


def _refuse_losses(folder: pathlib.Path, plan: _Plan) -> None:
    page = plan.files.get(documentation_path(folder.name), b"")
    changed = [folder / name for name, content in plan.files.items() if _differs(folder / name, content)]
    outside = [plan.page] if not plan.page.is_relative_to(folder) and _differs(plan.page, page) else []
    lost = uncommitted(folder, [*changed, *outside, *(folder / name for name in plan.removed)])
    if lost:
        more = f" and {len(lost) - _SHOWN_MAX} more" if len(lost) > _SHOWN_MAX else ""
        raise ExportError(
            f"{', '.join(map(str, lost[:_SHOWN_MAX]))}{more} would be replaced or removed, and git does not have what "
            "is there: commit it, or say --force"
        )


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Within, no other export works beside `folder`; what a killed one has left is put right first."""
    old = _beside(folder)[1]
    lock = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if old.exists() and not folder.exists():
            old.rename(folder)
        yield
    except BlockingIOError:
        raise ExportError(f"another export into {folder.parent} is running: wait for its end") from None
    finally:
        os.close(lock)


def _beside(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Return where a folder is made, and where the old one waits until the new one stands."""
    return folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")


def _put(folder: pathlib.Path, plan: _Plan) -> None:
    new, old = _beside(folder)
    files, outside = dict(plan.files), not plan.page.is_relative_to(folder)
    page = files.pop(documentation_path(folder.name), b"") if outside else b""
    try:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        if folder.exists():
            shutil.copytree(folder, new, symlinks=True, ignore=_environment_of(folder))
        _lay(new, files, plan.removed)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        if (old / _ENVIRONMENT).exists():
            (old / _ENVIRONMENT).rename(folder / _ENVIRONMENT)
        shutil.rmtree(old, ignore_errors=True)
        if outside:
            beside = plan.page.with_name(f".{plan.page.name}.new")
            beside.write_bytes(page)
            beside.replace(plan.page)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
        raise ExportError(f"{error.filename or folder} cannot be written: {error.strerror}") from None


def _environment_of(folder: pathlib.Path) -> Callable[[Any, list[str]], list[str]]:
    def ignored(path: Any, names: list[str]) -> list[str]:  # noqa: ANN401 -- as shutil has it
        return [name for name in names if name == _ENVIRONMENT and pathlib.Path(path) == folder]

    return ignored


def _lay(folder: pathlib.Path, files: Mapping[str, bytes], removed: tuple[str, ...]) -> None:
    """The folder has `files`, and not what is `removed`, nor the folders that this leaves empty."""
    for name in removed:
        path = folder / name
        path.unlink()
        for above in path.parents:
            if above == folder or any(above.iterdir()):
                break
            above.rmdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # it may be a link to a file elsewhere
        path.write_bytes(content)
