"""Flow specs, loaded: captures and collections as values, everything they refer to read and inlined.

Protocol reference, sections 8.4, 8.5 and 9.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from python.runner import spec_files
from python.runner.bundling import bundled, load_value
from python.runner.spec_files import Place, Problems, SpecError
from python.runner.unseal import unsealed

__all__ = ["Capture", "CaptureBinding", "Catalog", "Collection", "ImageEndpoint", "LocalEndpoint", "duration", "load"]

INTERVAL_SECONDS = 300
"""What `interval` is by default: five minutes, from start to start."""

_NAME = re.compile(r"[\w.\-]+(/[\w.\-]+)*", re.UNICODE)
_UNITS = {
    "ms": 0.001, "msec": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "week": 604800,
}  # fmt: skip


class LocalEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A connector that is a command on this machine. `folder` is where the spec stands."""

    command: tuple[str, ...]
    config: Any
    env: Mapping[str, str] = {}
    protobuf: bool = False


class ImageEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A connector that is a container image."""

    image: str
    config: Any


class CaptureBinding(msgspec.Struct, frozen=True, kw_only=True):
    """What of the endpoint (`resource`) is captured into which collection (`target`)."""

    resource: Any
    target: str
    disable: bool = False
    backfill: int = 0
    place: Place = Place("")


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A capture task; `interval_seconds` counts from the start of a session to that of the next."""

    name: str
    endpoint: LocalEndpoint | ImageEndpoint
    bindings: tuple[CaptureBinding, ...]
    interval_seconds: int = INTERVAL_SECONDS
    log_level: str = "info"
    place: Place = Place("")

    @property
    def enabled(self) -> tuple[CaptureBinding, ...]:
        """The bindings that count on the wire."""
        return tuple(binding for binding in self.bindings if not binding.disable)


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection: bundled schemas, and its key as JSON pointers."""

    name: str
    write_schema: Any
    read_schema: Any
    key: tuple[str, ...]
    projections: Mapping[str, Any] = {}
    place: Place = Place("")


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a spec and its imports. Sections that no command here runs are kept as they stand."""

    captures: Mapping[str, Capture]
    collections: Mapping[str, Collection]
    materializations: Mapping[str, Any]
    tests: Mapping[str, Any]
    source: str

    def capture(self, name: str | None) -> Capture:
        """Return the capture called `name`, or the only one. Raises SpecError listing what there is."""
        if name is None and len(self.captures) == 1:
            return next(iter(self.captures.values()))
        if name is not None and name in self.captures:
            return self.captures[name]
        known = ", ".join(self.captures) or "none"
        asked = f"has no capture {name!r}" if name else "has several captures, or none: name one"
        raise SpecError(f"{self.source} {asked} (captures: {known})")


def load(source: str) -> Catalog:
    """Return the catalog of the spec file `source` and all it imports. Raises SpecError with every problem found."""
    loader = _Loader(source)
    loader.file(pathlib.Path(source), Place(source))
    loader.check_targets()
    loader.problems.raise_all()
    return loader.catalog


def duration(text: object) -> float:
    """Return the seconds of a humantime text such as `5m` or `1h 30m`. Raises ValueError."""
    parts = re.findall(r"(\d+)\s*([a-z]+)", str(text))
    rest = re.sub(r"(\d+)\s*([a-z]+)", "", str(text)).strip()
    units = [unit if unit in _UNITS else unit.removesuffix("s") for _, unit in parts]
    if rest or not parts or any(unit not in _UNITS for unit in units):
        raise ValueError(f"{text!r} is no duration; write it as 5m, 30s or 1h 30m")
    return float(sum(int(number) * _UNITS[unit] for (number, _), unit in zip(parts, units, strict=True)))


class _Loader:
    def __init__(self, source: str) -> None:
        self.problems = Problems()
        self._seen: set[pathlib.Path] = set()
        self._captures: dict[str, Capture] = {}
        self._collections: dict[str, Collection] = {}
        self._others: dict[str, dict[str, Any]] = {"materializations": {}, "tests": {}}
        self._places: dict[str, Place] = {}
        self._source = source

    @property
    def catalog(self) -> Catalog:
        return Catalog(captures=self._captures, collections=self._collections, source=self._source, **self._others)

    def file(self, path: pathlib.Path, asked: Place) -> None:
        """Load `path` and its imports, once."""
        if path.resolve() in self._seen:
            return
        self._seen.add(path.resolve())
        root = spec_files.read_file(path, asked)
        place = Place(str(path))
        if not isinstance(root, Mapping):
            self.problems.add(place, "a Flow spec is a mapping with captures, collections and the like")
            return
        spec_files.check_shape(root, spec_files.ROOT, place, self.problems)
        for imported in root.get("import") or ():
            self._import(path, str(imported), place.of(root, "import"))
        for section, add in (("captures", self._capture), ("collections", self._collection)):
            for name in spec_files.names(root.get(section)):
                at = place.of(root[section], name)
                if self._fresh(section, name, at):
                    add(name, root[section][name], at, path)
        for section, kept in self._others.items():
            kept.update({name: spec_files.plain(root[section][name]) for name in spec_files.names(root.get(section))})

    def check_targets(self) -> None:
        """Every binding's target is a collection of the catalog."""
        for capture in self._captures.values():
            for binding in capture.bindings:
                if binding.target not in self._collections:
                    known = ", ".join(self._collections) or "none"
                    self.problems.add(
                        binding.place, f"the target {binding.target!r} is no collection of this spec (there: {known})"
                    )

    def _import(self, path: pathlib.Path, imported: str, at: Place) -> None:
        if "://" in imported:
            self.problems.add(at, f"the import {imported!r} is a URL; only files are read here: download it first")
        else:
            self.file(path.parent / imported, at)

    def _fresh(self, section: str, name: str, at: Place) -> bool:
        if not _NAME.fullmatch(name):
            self.problems.add(at, f"the name {name!r} is not tokens of letters, digits, - _ . joined by /")
        key = f"{section}/{name}"
        if key in self._places:
            self.problems.add(at, f"{name!r} is defined before, at {self._places[key]}")
            return False
        self._places[key] = at
        return True

    def _capture(self, name: str, node: Any, at: Place, path: pathlib.Path) -> None:  # noqa: ANN401 -- a YAML node
        try:
            endpoint = _endpoint(node.get("endpoint"), at.of(node, "endpoint"), path)
            bindings = tuple(_binding(item, at.of(item), path) for item in node.get("bindings") or ())
            interval = int(duration(node["interval"])) if "interval" in node else INTERVAL_SECONDS
        except ValueError as error:
            self.problems.add(at.of(node, "interval"), str(error))
        except _ProblemError as problem:
            self.problems.add(problem.place, str(problem))
        else:
            level = str((node.get("shards") or {}).get("logLevel", "info"))
            self._captures[name] = Capture(
                name=name, endpoint=endpoint, bindings=bindings, interval_seconds=interval, log_level=level, place=at
            )

    def _collection(self, name: str, node: Any, at: Place, path: pathlib.Path) -> None:  # noqa: ANN401 -- a YAML node
        has = {key for key in ("schema", "writeSchema", "readSchema") if key in node}
        if has not in ({"schema"}, {"writeSchema", "readSchema"}):
            self.problems.add(at, "a collection has either `schema`, or both `writeSchema` and `readSchema`")
            return
        key = node.get("key")
        if not isinstance(key, list) or not key or not all(str(part).startswith("/") for part in key):
            self.problems.add(at.of(node, "key"), "`key` is a list of one or more JSON pointers, such as [/id]")
            return
        write = bundled(node.get("schema", node.get("writeSchema")), path, at)
        read = bundled(node["readSchema"], path, at) if "readSchema" in node else None
        self._collections[name] = Collection(
            name=name,
            write_schema=write,
            read_schema=read,
            key=tuple(map(str, key)),
            projections=spec_files.plain(node.get("projections") or {}),
            place=at,
        )


class _ProblemError(Exception):
    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


def _endpoint(node: Any, at: Place, path: pathlib.Path) -> LocalEndpoint | ImageEndpoint:  # noqa: ANN401 -- a YAML node
    if not isinstance(node, Mapping) or len(node) != 1:
        raise _ProblemError(at, "`endpoint` has one of `local` and `connector`")
    kind, given = next(iter(node.items()))
    if not isinstance(given, Mapping):
        raise _ProblemError(at, f"`endpoint.{kind}` is a mapping")
    config = unsealed(load_value(given.get("config", {}), path, at), at)
    if kind == "connector":
        if not isinstance(given.get("image"), str):
            raise _ProblemError(at.of(given), "`endpoint.connector` needs `image`")
        return ImageEndpoint(image=str(given["image"]), config=config)
    command = given.get("command")
    if not isinstance(command, list) or not command:
        raise _ProblemError(at.of(given), "`endpoint.local` needs `command`, a list such as [python, -m, source-x]")
    env = {str(name): str(value) for name, value in (given.get("env") or {}).items()}
    if given.get("protobuf"):
        raise _ProblemError(at.of(given, "protobuf"), "`protobuf: true` is not spoken here, only JSON lines are")
    return LocalEndpoint(command=tuple(map(str, command)), config=config, env=env)


def _binding(node: Any, at: Place, path: pathlib.Path) -> CaptureBinding:  # noqa: ANN401 -- a YAML node
    if not isinstance(node, Mapping) or not {"resource", "target"} <= set(node):
        raise _ProblemError(at, "a binding needs `resource` and `target`")
    backfill = node.get("backfill", 0)
    if not isinstance(backfill, int) or backfill < 0:
        raise _ProblemError(at.of(node, "backfill"), f"`backfill` is {backfill!r}; it is a count, 0 or more")
    return CaptureBinding(
        resource=load_value(node["resource"], path, at),
        target=str(node["target"]),
        disable=bool(node.get("disable", False)),
        backfill=backfill,
        place=at,
    )
