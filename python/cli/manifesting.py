"""What the commands of `headwater manifest` do."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from python.builder.manifests import cdk as cdks
from python.builder.manifests import compatibility
from python.builder.manifests.documents import DocumentError, of_text
from python.builder.manifests.findings import Severity, as_table, worst
from python.builder.manifests.findings import as_json as json_of
from python.builder.manifests.gathering import gathered
from python.builder.manifests.importing import Kind, imported
from python.builder.manifests.linting import lint, opened, read
from python.protocol.errors import HeadwaterError

__all__ = ["Import", "checked", "linted", "taken_in"]


def linted(source: Path, cdk: str | None, *, strict: bool, as_json: bool) -> tuple[str, bool]:
    """Return what to print of the manifest at `source`, and whether it is well. Raises HeadwaterError."""
    allowed = cdks.installed(cdk)
    found = gathered(source)
    findings = lint(found.text, allowed, found.connection_specification)
    told = json_of(found.path, allowed.version, findings) if as_json else as_table(found.path, findings)
    return told, worst(findings) not in ((Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,))


def checked(source: Path, cdk: str | None, *, as_json: bool) -> tuple[str, bool]:
    """Return what the manifest at `source` does, to print, and whether all is built in. Raises HeadwaterError."""
    allowed = cdks.installed(cdk)
    found = gathered(source)
    try:
        document = opened(found.text)
    except DocumentError as error:
        raise HeadwaterError(f"{found.path}: {error}") from None
    reading = read(document, allowed, found.connection_specification)
    rows = compatibility.compatibility(reading, allowed, found.components)
    told = (compatibility.as_json if as_json else compatibility.as_table)(found.path, allowed.version, rows)
    return told, compatibility.is_compatible(rows)


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What to take in, and where to: `values` is a file with test values, whose flat form goes to `values_to`."""

    source: Path
    to: Path
    cdk: str | None = None
    flatten_config: bool = False
    values: Path | None = None
    values_to: Path | None = None
    force: bool = False


def taken_in(options: Import, *, as_json: bool) -> tuple[str, bool]:
    """Write the manifest, its components.py and the flat values; return what to print, and whether nothing is left.

    All files are written, or none. Raises HeadwaterError, where one of them exists and `force` is not given, too.
    """
    if (options.values is None) != (options.values_to is None):
        raise HeadwaterError("test values need both: --values FILE and --values-to FILE")
    values = None if options.values is None else _values(options.values)
    done = imported(
        gathered(options.source), cdks.installed(options.cdk), flatten=options.flatten_config, values=values
    )
    files = {options.to: done.text}
    if done.components is not None:
        files[options.to.parent / "components.py"] = done.components
    if options.values_to is not None:
        files[options.values_to] = msgspec.json.format(msgspec.json.encode(done.values)).decode() + "\n"
    _write(files, force=options.force)
    is_whole = all(note.kind is Kind.DONE for note in done.notes)
    if as_json:
        return msgspec.json.encode({"files": [*map(str, files)], "notes": done.notes}).decode(), is_whole
    lines = [
        f"{note.kind.value}: {note.at or '/'}{f' (line {note.line})' * bool(note.line)}: {note.what}"
        for note in done.notes
    ]
    return "\n".join([*lines, f"written: {', '.join(map(str, files))}"]), is_whole


def _values(path: Path) -> Mapping[str, Any]:
    try:
        value = of_text(path.read_text(encoding="utf-8")).value
    except (OSError, UnicodeDecodeError, DocumentError) as error:
        raise HeadwaterError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise HeadwaterError(f"{path} holds no object: want the values of a config")
    return value


def _write(files: Mapping[Path, str], *, force: bool) -> None:
    """Write all files beside their places first, then move them there: an error before that leaves nothing."""
    exist = [path for path, text in files.items() if path.exists() and not _holds(path, text)]
    if exist and not force:
        raise HeadwaterError(f"{', '.join(map(str, exist))} exists: name another place, or say --force to replace it")
    moves: dict[Path, str] = {}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
                moves[path] = file.name
                file.write(text)
        for path in [*moves]:
            Path(moves[path]).replace(path)
            del moves[path]
    except OSError as error:
        raise HeadwaterError(f"{error.filename or 'a file'} cannot be written: {error.strerror}") from None
    finally:
        for name in moves.values():
            Path(name).unlink(missing_ok=True)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
