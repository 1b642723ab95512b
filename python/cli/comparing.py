"""What `headwater compare` does: find out what each side is, get its snapshot, and tell what differs."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys
from collections.abc import Callable, Mapping

import msgspec

from python.importing import report, snapshot_files
from python.importing.comparing import Comparison, compare
from python.importing.snapshots import Json, Run, Snapshot
from python.importing.versions import verdict
from python.protocol import capture as wire
from python.protocol.errors import HeadwaterError
from python.runner import drive, engines, task_logs, tasks
from python.runner.catalog import CaptureTask
from python.runner.endpoints import ImageEndpoint
from python.runner.loading import load_catalog
from python.runner.stop import until_signal
from python.shell.outlet import Outlet

__all__ = ["Options", "compared", "tell"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`old` and `new` are folders of connectors, files, `REVISION:folder` of git, or images.

    `run` asks folders anew instead of reading what their tests keep; `source` is the Flow spec whose capture `name` has
    the config to ask with, by default the `test.flow.yaml` of the folder.
    """

    old: str
    new: str
    run: bool = False
    source: str | None = None
    name: str | None = None
    network: str = "bridge"
    form: str = "table"


_FORMS: Mapping[str, Callable[[Comparison], str]] = {
    "table": report.as_table,
    "json": report.as_json,
    "markdown": report.as_markdown,
}


def tell(options: Options) -> tuple[str, bool]:
    """Return what to print, and whether VERSION was raised enough. Raises HeadwaterError where a side is none."""
    found = compared(options)
    return _FORMS[options.form](found), verdict(found).enough


def compared(options: Options) -> Comparison:
    """Return what differs between the two sides of `options`."""
    old, new = (_side(name, other, options) for name, other in _both_ways(options))
    return compare(old, new)


def _both_ways(options: Options) -> tuple[tuple[str, str], tuple[str, str]]:
    return (options.old, options.new), (options.new, options.old)


def _side(name: str, other: str, options: Options) -> Snapshot:
    path = pathlib.Path(name)
    if path.is_file():
        return snapshot_files.of_file(path)
    if path.is_dir():
        kept = snapshot_files.of_folder(path)
        known = kept.spec is not None or kept.runs
        return kept if known and not options.run else _asked(kept, _task(path, options), options.network)
    revision, colon, folder = name.partition(":")
    if colon and _is_revision(revision):
        kept = snapshot_files.of_revision(revision, folder, pathlib.Path.cwd())
        if kept.spec is None and not kept.runs:
            raise HeadwaterError(f"{name} keeps no snapshots of spec, discover or capture under tests/snapshots")
        return kept
    if colon or "@" in name:
        task = _task(pathlib.Path(other), options)
        endpoint = ImageEndpoint(
            image=name, config=task.endpoint.config, config_where=task.endpoint.config_where, where=task.where
        )
        kept = Snapshot(name=name, version=_tag(name))
        return _asked(kept, dataclasses.replace(task, endpoint=endpoint), options.network)
    raise HeadwaterError(f"{name} is no folder, no file, no REVISION:folder of git and no image with a tag")


def _is_revision(name: str) -> bool:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], capture_output=True, check=False
        )
    except OSError:
        return False
    return not done.returncode


def _tag(image: str) -> str | None:
    """Return the version that an image's tag is, or None where the tag says something else."""
    tag = image.rpartition(":")[2]
    return tag if tag.removeprefix("v").replace(".", "").isdigit() and "@" not in image else None


def _task(folder: pathlib.Path, options: Options) -> CaptureTask:
    """Return the capture whose config connectors are asked with."""
    source = pathlib.Path(options.source) if options.source else folder / "test.flow.yaml"
    if not source.is_file():
        raise HeadwaterError(
            f"a connector is asked with the config of a Flow spec, and {source} is no file: name one with --source"
        )
    return load_catalog(source).capture(options.name, flag="--name")


def _asked(kept: Snapshot, task: CaptureTask, network: str) -> Snapshot:
    """Return `kept` with what the connector of `task` answers now; documents are not captured."""
    with until_signal() as stop:
        on_log = task_logs.writer(Outlet(sys.stderr, stop.ask), task, as_json=False)
        launch = msgspec.structs.replace(engines.launch(task, on_log, network), stop=stop)
        request = tasks.discover_request(task)
        about = wire.Spec(connector_type=launch.connector_type, config=request.config)
        spec = _plain(drive.ask(launch, about, wire.SpecResponse))
        found = _plain(drive.ask(launch, request, wire.Discovered))
    runs = {"": Run(bindings=tuple(found.get("bindings", ())))}
    return msgspec.structs.replace(kept, spec=spec, runs=runs)


def _plain(message: msgspec.Struct) -> Json:
    """Return the members of `message` as plain values."""
    return msgspec.json.decode(msgspec.json.encode(message))
