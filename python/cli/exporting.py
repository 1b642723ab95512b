"""What `headwater manifest export` does: takes a manifest in, puts the connector in place, and locks what it needs."""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.builder.export.custom import custom_code_in
from python.builder.export.flow_files import REPLAY_SPEC, TEST_SPEC
from python.builder.export.order import ExportError, Form, Order, checked_name
from python.builder.export.reporting import report
from python.builder.export.revising import FIRST_TAG
from python.builder.export.writing import Written, written
from python.builder.manifests import cdk as cdks
from python.builder.manifests.documents import DocumentError, of_text
from python.builder.manifests.findings import Severity, as_table
from python.builder.manifests.gathering import gathered
from python.builder.manifests.importing import Imported, Kind, imported
from python.builder.manifests.linting import lint
from python.importing.changes import Connector
from python.importing.scaffold import matrix
from python.importing.scaffold.names import repository
from python.protocol.errors import HeadwaterError

__all__ = ["Options", "exported"]

_LOCK_SECONDS_MAX = 600.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`source` is a manifest as it comes, `to` a connector's folder, `values` a file with a config to test with.

    The connector is started if it has no code of its own, or that is allowed. With `lock`, a folder of ours gets its
    uv.lock, and CI its line, where it is in a repository of ours.
    """

    source: pathlib.Path
    to: pathlib.Path
    form: str = Form.HEADWATER.value
    cdk: str | None = None
    values: pathlib.Path | None = None
    recording: pathlib.Path | None = None
    icon: pathlib.Path | None = None
    requirements: tuple[str, ...] = ()
    lock: bool = True
    force: bool = False
    allow_custom_code: bool = False


def exported(options: Options, *, as_json: bool) -> str:
    """Put the connector in place, and return what to print. Where it raises HeadwaterError, nothing has changed."""
    name = checked_name(options.to.name)
    cdk = cdks.installed(options.cdk)
    taken = imported(gathered(options.source), cdk)
    if not options.force:
        _refuse_errors(options.source, taken, cdk)
    custom = custom_code_in(taken.text, taken.components)
    order = Order(
        text=taken.text,
        name=name,
        cdk=cdk,
        date=dt.datetime.now(dt.timezone.utc).date().isoformat(),
        form=Form(options.form),
        components=taken.components,
        config=_values(options.values) if options.values else {},
        recording=_recording(options.recording),
        requirements=options.requirements,
        icon=_icon(options.icon) if options.icon else None,
        ask=options.allow_custom_code or not custom,
        unasked=f"it has {custom}; --allow-custom-code runs it",
    )
    done = written(order, options.to, force=options.force)
    left = list(_settled(options, done)) if order.form is Form.HEADWATER else []
    if as_json:
        return msgspec.json.encode(_json(taken, done, left)).decode()
    return "\n".join([*_taken(taken), *_lines(done), *left, *_next(options, done)])


def _refuse_errors(source: pathlib.Path, taken: Imported, cdk: cdks.Cdk) -> None:
    errors = [each for each in lint(taken.text, cdk) if each.severity is Severity.ERROR]
    if errors:
        told = as_table(str(source), errors)
        raise ExportError(f"{told}\nnothing is exported: mend the manifest, or say --force to export it as it is")


def _values(path: pathlib.Path) -> Mapping[str, Any]:
    try:
        value = of_text(_text(path)).value
    except DocumentError as error:
        raise HeadwaterError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise HeadwaterError(f"{path} holds no object: want the values of a config")
    return value


def _icon(path: pathlib.Path) -> str:
    text = _text(path)
    if "<svg" not in text:
        raise HeadwaterError(f"{path} is no SVG: want an icon as text that has <svg …>")
    return text


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HeadwaterError(f"{path} cannot be read: {error}") from None


def _recording(path: pathlib.Path | None) -> pathlib.Path | None:
    if path is not None and not path.is_dir():
        raise HeadwaterError(f"{path} is no folder: want the one that a test read was recorded in")
    return path


def _settled(options: Options, done: Written) -> Iterator[str]:
    """The folder has a lock, and CI a line for it, if it is in a repository of ours; yields what is left to do."""
    try:
        root = repository(done.folder.absolute().parent)
    except HeadwaterError:
        yield f"{done.folder} runs in a repository of Headwater: move it into one, where connectors have their folders"
        return
    if done.folder.absolute().parent != root:
        yield f"{done.folder} is not in {root} itself, where connectors have their folders: move it there"
        return
    connector = Connector(done.folder.name, "capture", done.draft.revision.version, "shim_airbyte_cdk")
    if options.lock:
        problem = _lock(root, done.folder)
        if problem:
            yield f"It has no lock yet ({problem}): uv lock --project {done.folder}"
        if not matrix.enlist(root, connector):
            yield f"Add it to {matrix.WORKFLOW}: {matrix.line_of(connector)}"


def _lock(root: pathlib.Path, folder: pathlib.Path) -> str:
    """The folder has a uv.lock of what its pyproject.toml says. Returned is why not, or an empty text."""
    own = root / ".venv" / "bin" / "uv"
    uv = str(own) if own.is_file() else shutil.which("uv")
    if uv is None:
        return "uv is not installed"
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    try:
        done = subprocess.run(
            [uv, "lock", "--quiet", "--project", str(folder)],
            env={**kept, "UV_NO_WRAP": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LOCK_SECONDS_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr.strip().splitlines() or ["uv failed"])[-1].strip() if done.returncode else ""


def _taken(taken: Imported) -> Iterator[str]:
    yield from (f"{note.kind.value}: {note.at or '/'}: {note.what}" for note in taken.notes if note.kind is Kind.DONE)


def _lines(done: Written) -> Iterator[str]:
    revision, facts = done.draft.revision, done.draft.facts
    yield from (f"removed: {done.folder / name}" for name in done.removed)
    yield from (f"changed: {done.folder / name}" for name in done.changed)
    yield from (f"breaks: {line}" for line in revision.breaking)
    if "*" in facts.hosts:
        yield "allowedHosts has `*`: the manifest asks hosts that only its answers name"
    state = "the same" if not revision.new else "next" if done.changed or done.removed else "new"
    count = len(done.added)
    yield f"{done.folder}: {count} file{'s' * (count != 1)} added, {state} version {revision.version}"
    if revision.new and revision.tag != FIRST_TAG and TEST_SPEC in done.draft.laid.begun:
        spec = done.folder / TEST_SPEC
        yield f"{spec} is as it was; for new streams: headwater raw discover --source {spec}"
    if done.draft.laid.problem:
        yield f"Its bindings are not known: {done.draft.laid.problem}"
    if done.draft.laid.unplayed:
        yield f"Its tests capture nothing of the recording: {done.draft.laid.unplayed}"
    for stream, reason in done.draft.laid.unread.items():
        lacks = f"{stream}, which was not recorded as a whole (record more slices and pages)"
        yield f"Its tests do not capture {lacks}: {reason}"


def _next(options: Options, done: Written) -> Iterator[str]:
    if options.form != Form.HEADWATER.value:
        return
    yield "What comes next:"
    if REPLAY_SPEC in done.draft.laid.written:
        yield f"  headwater preview --source {done.folder}/tests/replay.flow.yaml"
    yield f"  headwater run --source {done.folder}/test.flow.yaml"


def _json(taken: Imported, done: Written, left: list[str]) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        "added": done.added,
        "changed": done.changed,
        "removed": done.removed,
        **report(done.draft, taken.notes),
        "left": left,
    }
