"""Snapshots read: from one JSON file, from a connector's folder, and from a folder as it is in a git revision.

Understood is what `headwater snapshot` and Estuary's repository keep: `snapshots__spec__capture.stdout.json` and the
like, for `spec`, `discover`, `capture` and `state`, with the name of a config before it where there are several
(`snapshots__csv_capture__capture.stdout.json`); and the same as `spec.json` or `csv_capture.json`.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, TypedDict

import msgspec

from python.importing.repository import GitError, Repository
from python.importing.snapshot_redaction import without_placeholder
from python.importing.snapshots import Json, Run, Snapshot
from python.protocol.errors import HeadwaterError
from python.protocol.patch import merge

__all__ = ["SnapshotError", "of_file", "of_files", "of_folder", "of_revision", "of_value"]

_PLAIN = re.compile(r"(?:(?P<run>.+)_)?(?P<kind>spec|discover|capture|state)\.json")
_FLOWCTLS = re.compile(r"(?:.*__)?(?:(?P<run>.+)_)?(?P<kind>spec|discover|capture|state)__capture\.stdout\.json")


class SnapshotError(HeadwaterError):
    """A snapshot cannot be read. Whoever named it must act."""


class _OAuth2(TypedDict, total=False):
    provider: str


class _Spec(TypedDict, total=False):
    protocol: int
    documentationUrl: str | None
    oauth2: _OAuth2 | None
    resourcePathPointers: list[Annotated[str, msgspec.Meta(pattern="^/")]] | None


class _Binding(TypedDict, total=False):
    recommendedName: str
    resourceConfig: dict[str, Json]
    key: list[str] | None
    resourcePath: list[str] | None
    isFallbackKey: bool | None
    disable: bool | None


def of_folder(folder: pathlib.Path) -> Snapshot:
    """Return the snapshot that the tests of the connector in `folder` keep, and its VERSION.

    `spec` is None and there are no runs where its tests keep none. Raises SnapshotError where one cannot be read.
    """
    paths = [folder / "VERSION", *sorted(folder.glob("tests/snapshots/**/*.json"))]
    files = {str(path.relative_to(folder)): _content(path) for path in paths if path.is_file()}
    return of_files(str(folder), files)


def of_file(path: pathlib.Path) -> Snapshot:
    """Return the snapshot in the JSON file at `path`. Raises SnapshotError where there is none."""
    return of_value(str(path), _decoded(str(path), _content(path)))


def of_revision(revision: str, folder: str, cwd: pathlib.Path) -> Snapshot:
    """Return the snapshot of the connector in `folder`, which is relative to `cwd`, as the git revision has it.

    Raises SnapshotError where git knows no such revision, or the revision no such folder.
    """
    name = f"{revision}:{folder}"
    git = Repository(cwd)
    root = pathlib.PurePosixPath(folder)
    try:
        listed = git.text("ls-tree", "-r", "-z", "--name-only", revision, "--", f"{folder.rstrip('/')}/")
        files = {str(pathlib.PurePosixPath(path).relative_to(root)): path for path in listed.split("\0") if path}
        if not files:
            raise SnapshotError(f"{name}: the revision has no such folder; name it as seen from {cwd}")
        kept = {short: path for short, path in files.items() if short == "VERSION" or _is_snapshot(short)}
        found = {short: git.run("show", f"{revision}:./{path}") for short, path in kept.items()}
    except GitError as error:
        raise SnapshotError(f"{name}: {error}") from None
    return of_files(name, found)


def _is_snapshot(path: str) -> bool:
    return path.startswith("tests/snapshots/") and path.endswith(".json")


def of_files(name: str, files: Mapping[str, bytes]) -> Snapshot:
    """Return the snapshot in `files`, by their paths below a connector's folder; `name` is what to call it."""
    found: dict[tuple[str, str], Json] = {}
    for path, content in files.items():
        base = pathlib.PurePosixPath(path).name
        match = _FLOWCTLS.fullmatch(base) or _PLAIN.fullmatch(base)
        if match is not None:
            place = (match["kind"], match.groupdict().get("run") or "")
            value = _decoded(f"{name}: {path}", content)
            if found.setdefault(place, value) != value:
                raise SnapshotError(f"{name}: {path} is another {' '.join(place).strip()} snapshot: keep one of them")
    version = files["VERSION"].decode(errors="replace").strip() if "VERSION" in files else None
    specs = [_spec(f"{name}: spec", value) for (kind, _), value in found.items() if kind == "spec"]
    named = sorted({run for kind, run in found if kind != "spec"})
    runs = {run: _run(name, {kind: value for (kind, of), value in found.items() if of == run}) for run in named}
    return Snapshot(name=name, version=version, spec=specs[0] if specs else None, runs=runs)


def of_value(name: str, value: Json) -> Snapshot:
    """Return the snapshot that is all of `value`, or one part of it: an answer to spec, or discovered bindings.

    All of it: `{"version": …, "spec": …, "discovered": …, "documents": {name: […]}, "state": …}`, each if known.
    """
    if isinstance(value, dict) and "configSchema" in value:
        value = {"spec": value}
    if isinstance(value, list):
        value = {"spec": value} if _is_spec(value) else {"discovered": value}
    known = {"version", "spec", "discovered", "documents", "capture", "state"}
    if not isinstance(value, dict) or not known & {*value}:
        raise SnapshotError(f"{name} is no snapshot: want an object with some of {', '.join(sorted(known))}")
    members = {"discover": "discovered", "capture": "documents", "state": "state"}
    parts = {kind: value[member] for kind, member in members.items() if member in value}
    parts |= {"capture": value["capture"]} if "capture" in value else {}
    return Snapshot(
        name=name,
        version=value.get("version"),
        spec=_spec(name, value["spec"]) if "spec" in value else None,
        runs={"": _run(name, parts)} if parts else {},
    )


def _is_spec(value: list[Json]) -> bool:
    return len(value) == 1 and isinstance(value[0], dict) and "configSchema" in value[0]


def _content(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror}") from None


def _decoded(name: str, content: bytes) -> Json:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotError(f"{name} is no JSON: {error}") from None


def _spec(name: str, value: Json) -> Mapping[str, Json]:
    """Return the answer to `spec`: the message, its member alone, or flowctl's list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and isinstance(value.get("spec"), dict):
        value = value["spec"]
    spec: Mapping[str, Json] = _checked(name, value, _Spec)
    return spec


def _run(name: str, parts: Mapping[str, Json]) -> Run:
    bindings = _bindings(f"{name}: discover", parts["discover"]) if "discover" in parts else None
    documents, state = None, parts.get("state")
    state = state[0] if isinstance(state, list) and len(state) == 1 else state  # a snapshot of the state is a list
    if "capture" in parts:
        names = [str(binding.get("recommendedName")) for binding in bindings or ()]
        documents, said = _captured(f"{name}: capture", parts["capture"], names)
        state = said if state is None else state
    return Run(bindings=bindings, documents=documents, state=state)


def _bindings(name: str, value: Json) -> tuple[Mapping[str, Json], ...]:
    if isinstance(value, dict):
        value = value.get("discovered", value)
        value = value.get("bindings", []) if isinstance(value, dict) else value
    return tuple(_checked(name, value, list[_Binding]))


def _checked(name: str, value: Json, shape: Json) -> Json:
    """Return `value`, which has the members of `shape` in the right form, if any, and perhaps others."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"{name} is not what a connector answers: {error}") from None
    return value


def _captured(name: str, value: Json, names: list[str]) -> tuple[dict[str, tuple[Json, ...]], Json]:
    """Return documents by binding or collection, and the state that they led to, None where that is not told."""
    if isinstance(value, dict):
        found = {str(collection): tuple(_document(each) for each in each_of) for collection, each_of in value.items()}
        return found, None
    if not isinstance(value, list):
        raise SnapshotError(f"{name} has no documents: got {str(value)[:80]}, want a list, or an object of lists")
    documents: dict[str, list[Json]] = {}
    for collection, document in _pairs(value, names):
        documents.setdefault(collection, []).append(_document(document))
    told = any(isinstance(each, dict) and "opened" in each for each in value)
    return {each: tuple(found) for each, found in documents.items()}, _state(value) if told else None


def _pairs(lines: list[Json], names: list[str]) -> Iterator[tuple[str, Json]]:
    """Yield each document with its binding or collection, "" where that is not told."""
    messages = any(isinstance(line, dict) and {*line} & {"opened", "captured"} for line in lines)
    for line in lines:
        if isinstance(line, list) and len(line) == 2:  # noqa: PLR2004 -- flowctl's pair of collection and document
            yield str(line[0]), line[1]
        elif not messages:
            yield "", line
        elif "captured" in line:
            index = line["captured"].get("binding", 0)
            yield names[index] if index < len(names) else f"binding {index}", line["captured"]["doc"]


def _document(value: Json) -> Json:
    """Return a document that may be kept as JSON text, without what only newer runtimes put there."""
    return without_placeholder(_decoded("a captured document", value.encode()) if isinstance(value, str) else value)


def _state(lines: list[Json]) -> Json:
    """Return what the checkpoints among `lines` make of an empty state."""
    state: Json = {}
    for line in lines:
        change = line.get("checkpoint", {}).get("state") if isinstance(line, dict) else None
        if change:
            updated = change.get("updated")
            state = merge(state, updated) if change.get("mergePatch") else updated
    return state
