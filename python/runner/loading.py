"""Loads a specification file with its imports into a `Catalog` (Flow protocol, section 9).

Every mistake of every file is reported together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from python.runner.bundling import Files, file_named
from python.runner.catalog import Catalog
from python.runner.entries import Entry
from python.runner.grammar import ROOT, TASK_KINDS
from python.runner.grammar_check import check
from python.runner.problems import CatalogError, Problem, Where
from python.runner.specs import capture_of, collection_of
from python.runner.specs_readers import materialization_of
from python.runner.specs_tests import test_of
from python.runner.yaml_file import SourceFile

__all__ = ["load_catalog"]


def load_catalog(path: Path) -> Catalog:
    """Return all that the specification at `path` and its imports define. Raises CatalogError with every problem."""
    loader = _Loader(path)
    loader.load()
    return loader.catalog()


class _Loader:
    """One load: what is still to read, what was found, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = Files()
        self._problems: list[Problem] = []
        self._entries: list[Entry] = []
        self._seen: set[Path] = set()

    def load(self) -> None:
        """All files are read, and held against the grammar."""
        pending: list[tuple[Path, Where | None]] = [(self._path, None)]
        while pending:
            path, wanted_by = pending.pop(0)
            if path.resolve() in self._seen:
                continue
            self._seen.add(path.resolve())
            try:
                source = self._files.read(path, wanted_by)
            except CatalogError as error:
                self._problems += error.problems
                continue
            pending += self._imports(source)
            self._check(source)

    def catalog(self) -> Catalog:
        """Return what was found. Raises CatalogError where anything was wrong."""
        found: dict[str, dict[str, object]] = {kind: {} for kind in TASK_KINDS}
        for entry in self._unique_entries():
            found[entry.kind][entry.name] = self._built(entry)
        if self._problems:
            raise CatalogError(self._problems)
        files = frozenset(self._seen)
        return Catalog(source=self._path, files=files, **found)  # type: ignore[arg-type] # of their kinds, as built

    def _built(self, entry: Entry) -> object:
        try:
            return _BUILDERS[entry.kind](entry)
        except CatalogError as error:
            self._problems += error.problems
            return None

    def _imports(self, source: SourceFile) -> Iterator[tuple[Path, Where]]:
        imports = source.value.get("import") if isinstance(source.value, dict) else None
        for index, reference in enumerate(imports if isinstance(imports, list) else []):
            where = source.where(("import", index))
            if not isinstance(reference, str):
                continue  # the grammar says so
            try:
                yield file_named(reference, where), where
            except CatalogError as error:
                self._problems += error.problems

    def _check(self, source: SourceFile) -> None:
        value = {} if source.value is None else source.value
        wrong = [(at, Problem(source.where(at), sentence)) for at, sentence in check(value, ROOT)]
        self._problems += [problem for _, problem in wrong]
        refused = {at[:2] for at, _ in wrong}
        if not isinstance(value, dict):
            return
        for kind in TASK_KINDS:
            specs = value.get(kind)
            for name, spec in specs.items() if isinstance(specs, dict) else ():
                usable = (kind, name) not in refused and (kind,) not in refused
                self._entries.append(Entry(kind, name, spec if usable else None, source, self._files))

    def _unique_entries(self) -> Iterator[Entry]:
        """Yield the entries that the grammar accepts, and note each name that is defined twice."""
        first: dict[str, Where] = {}
        for entry in self._entries:
            where = entry.where()
            if entry.name in first:
                sentence = f"defines {entry.name} again, first defined at {first[entry.name]}; rename or remove one"
                self._problems.append(Problem(where, sentence))
            elif entry.spec is not None:
                yield entry
            first.setdefault(entry.name, where)


_BUILDERS = {
    "captures": capture_of,
    "collections": collection_of,
    "materializations": materialization_of,
    "tests": test_of,
}
