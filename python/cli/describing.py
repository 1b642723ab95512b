"""What the files of a new connector say of it: asked of the connector itself."""

from __future__ import annotations

import functools
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from python.cli import unsteady
from python.importing import config_pages
from python.importing import snapshot_texts as texts
from python.importing.scaffold import proving, templates
from python.importing.scaffold.drafts import Draft
from python.importing.scaffold.examples import Example, example
from python.importing.scaffold.names import class_name, module_name
from python.protocol import capture as wire
from python.protocol.errors import HeadwaterError
from python.protocol.wire import FromConnector, FromRuntime
from python.runner import drive, engines, tasks
from python.runner.catalog import CaptureTask
from python.runner.discovery_merge import Merge, merge
from python.runner.loading import load_catalog
from python.runner.preview_options import stopped_after
from python.runner.spec_edit import block_text
from python.runner.stop import until_signal

__all__ = ["files"]

_ANSWER_SECONDS_MAX = 120.0  # sources that are asked with an example's credentials try again and again
_MARK = "@pytest.mark.skip(reason=WANTED)\n"
_CAPTURE_TEST = "test_what_is_captured_is_as_it_was"
_HEADER = """\
# A Flow spec that runs {name} here: headwater run --source {name}/test.flow.yaml
# The collections are as `headwater raw discover` writes them.
"""
_GAPS = """\
# FILL_IN stands where only you know the value. Secrets belong into git encrypted with sops, or not at all.
"""

_Response = TypeVar("_Response", bound=FromConnector)


def files(folder: pathlib.Path, draft: Draft, protocol: str) -> Iterator[str]:
    """The connector in `folder`, which runs, has all its files, and has passed its tests; yields what is left to do.

    Raises HeadwaterError where it cannot be asked, or fails its tests.
    """
    (folder / "tests").mkdir(exist_ok=True)  # upstream's, perhaps
    for name in ("CHANGELOG.md", "VERSION"):
        _write(folder, name, templates.rendered(name, {}))
    if protocol == "capture":
        yield from _capture(folder, draft)
        return
    names = {"name": folder.name, "module": module_name(folder.name), "class_name": class_name(folder.name)}
    _write(folder, "README.md", templates.wrapped(templates.rendered(draft.readme, names)))
    _write(folder, "test.flow.yaml", templates.rendered(f"{protocol}.flow.yaml", names))
    _write(folder, _test_name(folder), templates.rendered(f"test_{protocol}.py", names))
    if protocol == "materialize":
        _write(folder, "fixture.jsonl", templates.rendered("fixture.jsonl", {}))
    proving.tidy(folder)
    _refuse(folder, proving.keep(folder))


def _capture(folder: pathlib.Path, draft: Draft) -> Iterator[str]:
    _write(folder, "test.flow.yaml", _flow_spec(folder.name, draft, Example({}), None))
    spec = _ask(folder, None, wire.SpecResponse)
    schema = msgspec.json.decode(spec.config_schema)
    given = example(schema)
    _write(folder, "test.flow.yaml", _flow_spec(folder.name, draft, given, None))
    values = {"name": folder.name, "what": draft.what, "module": module_name(folder.name)}
    values |= {"by_hand": " ".join(draft.command)}
    page = templates.wrapped(templates.rendered(draft.readme, values))
    schemas = {"configSchema": schema, "resourceConfigSchema": msgspec.json.decode(spec.resource_config_schema)}
    _write(folder, "README.md", config_pages.with_tables(page, schemas))
    problem = _discover(folder, draft, given, spec)
    yield from _proved(folder, given, problem)


def _discover(folder: pathlib.Path, draft: Draft, given: Example, spec: wire.SpecResponse) -> str:
    """The Flow spec has the bindings that the connector discovers. Returned is why it has none, or an empty text."""
    task = load_catalog(folder / "test.flow.yaml").capture(None)
    try:
        found = _ask(folder, tasks.discover_request(task), wire.Discovered)
    except HeadwaterError as error:
        return templates.sentence(error)
    if not found.bindings:
        return "the connector discovers nothing with this config"
    merged = merge(task, found.bindings, spec.resource_path_pointers)
    _write(folder, "test.flow.yaml", _flow_spec(folder.name, draft, given, merged))
    return ""


def _proved(folder: pathlib.Path, given: Example, problem: str) -> Iterator[str]:
    """The connector's tests pass; those that cannot yet are marked. Values that are never the same are not kept."""
    reason = problem
    if not problem and not given.gaps:
        _tests(folder, given, "", discovers=True)
        failed = proving.keep(folder)
        if set(failed) == {_CAPTURE_TEST}:
            unsteady.redact(folder, functools.partial(_launch, folder))
            failed = proving.keep(folder)
        if not failed:
            return
        reason = templates.sentence(failed.get(_CAPTURE_TEST, ""))
        _refuse(folder, {test: why for test, why in failed.items() if test != _CAPTURE_TEST})
        for kind in ("capture", "state"):
            (folder / texts.FOLDER / texts.file_name(kind)).unlink(missing_ok=True)
    _tests(folder, given, reason, discovers=not problem)
    _refuse(folder, proving.keep(folder))
    waiting = "The tests of discover and capture wait" if problem else "The test of capture waits"
    filled = f" has {', '.join(given.gaps)} filled in" if given.gaps else " has a config that works"
    yield f"{waiting} until {folder.name}/test.flow.yaml{filled}; the mark on each says what to do then."
    if reason:
        yield f"The connector said: {reason}"


def _tests(folder: pathlib.Path, given: Example, reason: str, *, discovers: bool) -> None:
    """The folder has its tests; without a `reason` and gaps, all of them run."""
    waits = bool(reason or given.gaps)
    values = {
        "name": folder.name,
        "wanted": templates.wanted(folder.name, given.gaps, reason, discovers=discovers) if waits else "",
        "skip_discover": "" if discovers else _MARK,
        "skip_capture": _MARK if waits else "",
    }
    _write(folder, _test_name(folder), templates.rendered("test_upstream.py", values))
    proving.tidy(folder)


def _flow_spec(name: str, draft: Draft, given: Example, found: Merge | None) -> str:
    """Return the text of test.flow.yaml, with what was discovered, if anything was."""
    bindings: list[dict[str, Any]] = []
    for each in found.added if found else ():
        disabled = {"disable": True} if each.disable else {}
        bindings.append({"resource": each.resource, "target": each.target, **disabled})
    endpoint = {"local": {"command": list(draft.command), "config": given.value}}
    spec: dict[str, Any] = {
        "captures": {f"acmeCo/{name}": {"endpoint": endpoint, "interval": "5m", "bindings": bindings}}
    }
    if found:
        spec["collections"] = {each.name: {"schema": each.schema, "key": list(each.key)} for each in found.collections}
    return _HEADER.format(name=name) + (_GAPS if given.gaps else "") + block_text(spec)


def _ask(folder: pathlib.Path, request: FromRuntime | None, want: type[_Response]) -> _Response:
    """Return what the connector in `folder` answers to `request`, or to `spec`. Its logs are not shown."""
    task = load_catalog(folder / "test.flow.yaml").capture(None)
    with until_signal() as stop, stopped_after(_ANSWER_SECONDS_MAX, stop):
        launch = msgspec.structs.replace(_launch(folder, task), stop=stop)
        return drive.ask(launch, request or wire.Spec(connector_type=launch.connector_type), want)


def _launch(folder: pathlib.Path, task: CaptureTask) -> drive.Launch:
    """Return how to start the connector in `folder`, which is not where the runner looks for environments."""
    launch = engines.launch(task, lambda _log: None)
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return msgspec.structs.replace(launch, cwd=str(folder.parent), env={**launch.env, "PATH": path})


def _refuse(folder: pathlib.Path, failed: Mapping[str, str]) -> None:
    if failed:
        told = "; ".join(f"{test or 'pytest'}: {templates.sentence(why)}" for test, why in failed.items())
        raise HeadwaterError(f"{folder.name} does not pass its tests, so that nothing was written: {told}")


def _test_name(folder: pathlib.Path) -> str:
    return f"tests/test_{module_name(folder.name)}.py"


def _write(folder: pathlib.Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
