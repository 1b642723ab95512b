"""`headwater raw discover`: writes what a connector discovers into the specification (Flow protocol, 9.7 and 10.2).

New bindings are added to the capture, and their collections to a file per catalog prefix, beside one schema file for
each. What the user wrote stays: existing bindings are not touched, and only the schema and key of their collections
follow the source.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urldefrag

from python.protocol import document
from python.protocol.capture import Discovered
from python.protocol.errors import HeadwaterError
from python.protocol.pointer import MISSING
from python.runner.bundling import file_named
from python.runner.catalog import CaptureTask, Catalog, Collection
from python.runner.discovery_merge import Merge, TargetCollection, merge
from python.runner.problems import CatalogError, Where
from python.runner.spec_edit import SpecText, block_text
from python.runner.yaml_file import At

__all__ = ["write"]


def write(catalog: Catalog, task: CaptureTask, discovered: Discovered, pointers: Sequence[str]) -> Iterator[str]:
    """The files of `catalog` hold what was discovered for `task`; yields what was done, a line each, the sum last.

    `pointers` locate the parts of a resource path, as the connector's spec says. Either all files are written or,
    where one cannot be, none. Raises CatalogError or HeadwaterError.
    """
    outcome = merge(task, discovered.bindings, pointers)
    draft = _Draft(catalog, task)
    lines = [*draft.bindings(outcome), *draft.collections(outcome.collections)]
    draft.commit()
    yield from lines
    for binding in outcome.vanished:
        yield f"{binding.where}: {binding.target} is captured from a resource that was not discovered; it was kept"
    specifications = bool(outcome.added) + draft.collections_written
    yield f"Wrote {specifications} specifications under {catalog.source}."


class _Draft:
    """The files as they will be. Nothing is written before `commit`."""

    def __init__(self, catalog: Catalog, task: CaptureTask) -> None:
        self._catalog = catalog
        self._task = task
        self._root = task.where.file.parent
        self._specs: dict[Path, SpecText] = {}
        self._values: dict[Path, str] = {}
        self.collections_written = 0

    def bindings(self, outcome: Merge) -> Iterator[str]:
        """The capture has the new bindings."""
        if not outcome.added:
            return
        items = []
        for binding in outcome.added:
            yield f"{self._task.where.file}: added a binding into {binding.target}"
            disabled = {"disable": True} if binding.disable else {}
            items.append({"resource": binding.resource, "target": binding.target, **disabled})
        self._spec(self._task.where.file).extend(("captures", self._task.name, "bindings"), items)

    def collections(self, targets: Sequence[TargetCollection]) -> Iterator[str]:
        """The collections are as discovered: existing ones where they stand, new ones in the file of their prefix."""
        new: dict[Path, dict[str, object]] = {}
        for target in targets:
            existing = self._catalog.collections.get(target.name)
            if existing is not None:
                yield from self._follow(existing, target)
                continue
            schema = self._free_schema_file(target)
            self._write_value(schema, target.schema)
            path = schema.with_name("flow.yaml")
            spec = {"schema": quote(schema.name), "key": list(target.key)}
            new.setdefault(path, {})[target.name] = spec
            yield f"{path}: added the collection {target.name}"
        for path, members in new.items():
            self.collections_written += len(members)
            self._add_members(path, members)

    def commit(self) -> None:
        """Every file that has changed is written: schemas first, and the capture's own last, which names the others.

        A crash in between leaves files that nothing names yet, and none half-written.
        """
        specs = sorted(self._specs.values(), key=lambda spec: spec.path == self._task.where.file)
        texts = {**self._values, **{spec.path: spec.text for spec in specs}}
        changed = [path for path, text in texts.items() if _read(path) != text]
        staged: dict[Path, Path] = {}
        try:
            for path in changed:
                staged[path] = _temporary(path)
                _stage(path, staged[path], texts[path])
            for path, temporary in staged.items():
                temporary.replace(path)
        except OSError as error:
            for temporary in staged.values():
                with contextlib.suppress(OSError):
                    temporary.unlink()
            raise HeadwaterError(f"{error.filename} cannot be written: {error.strerror}; nothing was added") from None

    def _follow(self, existing: Collection, target: TargetCollection) -> Iterator[str]:
        """The schema and key of an existing collection follow the source, except to a key that the source lacks."""
        changed: dict[str, object] = {}
        member = "schema" if existing.read_schema is None else "writeSchema"
        if not _same(existing.write_schema, target.schema):
            path = self._schema_file(existing, member)
            if path is None:
                changed[member] = target.schema
            else:
                self._write_value(path, target.schema)
        keyed = existing.key == target.key or target.invented_key
        changed |= {} if keyed else {"key": list(target.key)}
        if changed:
            self._spec(existing.where.file).update(("collections", existing.name), changed)
        if not keyed or not _same(existing.write_schema, target.schema):
            self.collections_written += 1
            what = "its key and schema" if not keyed else f"its {member}"
            yield f"{existing.where}: {existing.name} now has {what} as discovered"

    def _schema_file(self, existing: Collection, member: str) -> Path | None:
        """Return the file that holds the whole schema of a collection, or None where it stands in the specification."""
        reference = self._spec(existing.where.file).value(("collections", existing.name, member))
        if not isinstance(reference, str):
            return None
        name, fragment = urldefrag(reference)
        if fragment:
            sentence = f"the {member} of {existing.name} has changed, but it is a part of {name}: change it by hand"
            raise CatalogError.at(existing.where, sentence)
        return file_named(name, existing.where)

    def _free_schema_file(self, target: TargetCollection) -> Path:
        """Return the file for a new collection's schema: by its name, in the folder of its prefix.

        Where a file of that name holds anything else, it is not ours, and a number makes another name.
        """
        *folders, name = target.name.split("/")
        folder = self._root.joinpath(*folders)
        if not Path(os.path.abspath(folder)).is_relative_to(os.path.abspath(self._root)):  # noqa: PTH100 -- links are the user's
            sentence = f"has the collection {target.name}, whose files would stand outside of {self._root}"
            raise CatalogError.at(self._task.where, f"{sentence}; rename the capture, or write them by hand")
        names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        paths = (folder / f"{name}.schema.yaml" for name in names)
        return next(path for path in paths if _read(path) in (None, self._text(path, target.schema)))

    def _add_members(self, path: Path, members: Mapping[str, object]) -> None:
        spec = self._spec(path)
        at: At = ("collections",)
        for name in members:
            if spec.value((*at, name)) is not MISSING:
                sentence = f"has a collection {name} already, which {self._catalog.source} does not know of"
                raise CatalogError.at(Where(path), f"{sentence}; import this file there, or rename the collection")
        if isinstance(spec.value(at), dict):
            spec.update(at, members)
        else:
            spec.update((), {"collections": members})
        if path.resolve() not in self._catalog.files:
            self._import(path)

    def _import(self, path: Path) -> None:
        own = self._spec(self._task.where.file)
        name = quote(Path(os.path.relpath(path, self._root)).as_posix())
        if isinstance(own.value(("import",)), list):
            own.extend(("import",), [name])
        else:
            own.lead("import", [name])

    def _spec(self, path: Path) -> SpecText:
        real = path.resolve()
        if real not in self._specs:
            self._specs[real] = SpecText(path, _read(path) or "")
        return self._specs[real]

    def _write_value(self, path: Path, value: object) -> None:
        self._values[path] = self._text(path, value)

    @staticmethod
    def _text(path: Path, value: object) -> str:
        return block_text(value) if path.suffix != ".json" else document.encode(value).decode() + "\n"


def _same(left: object, right: object) -> bool:
    return document.encode(left) == document.encode(right)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CatalogError.at(Where(path), f"stands where a file is to be written ({error.strerror})") from None


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _stage(path: Path, temporary: Path, text: str) -> None:
    """`temporary` holds `text`, and has the permissions of the file it will replace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_bytes(text.encode())
    if path.exists():
        temporary.chmod(path.stat().st_mode)
