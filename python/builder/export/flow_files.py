"""What a folder of ours has beside the manifest: its project, its Flow specs, and its tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from python.builder.export.answers import Answers
from python.builder.export.order import Order
from python.importing.scaffold import templates
from python.importing.scaffold.examples import Example
from python.importing.scaffold.names import module_name
from python.importing.scaffold.project import Project, text_of
from python.runner.discovery_merge import Merge
from python.runner.spec_edit import block_text

__all__ = ["RECORDING", "REPLAY_SPEC", "TEST_SPEC", "project", "replay_spec", "test_module", "test_spec"]

TEST_SPEC = "test.flow.yaml"
REPLAY_SPEC = "tests/replay.flow.yaml"
"""The Flow spec whose connector answers from `RECORDING`, and asks nothing of the network."""

RECORDING = "tests/recording"

_SHIM = "python.shim_airbyte_cdk"
_REPLAY = "python.builder.replay"
_HEADER = """\
# A Flow spec that runs {name} here: headwater run --source {name}/test.flow.yaml
# The collections are as `headwater raw discover` writes them.
"""
_GAPS = """\
# FILL_IN stands where only you know the value. Secrets belong into git encrypted with sops, or not at all.
"""
_REPLAY_HEADER = """\
# A Flow spec that runs {name} on what was recorded of its API, without a network. It is written by `headwater manifest
# export`: headwater preview --source {name}/tests/replay.flow.yaml
"""
_SKIP = "@pytest.mark.skip(reason=WANTED)\n"
_TABLE = f"""
[tool.headwater.snapshot]
source = "{REPLAY_SPEC}"
"""


def project(order: Order, text: str, *, recorded: bool) -> str:
    """Return the pyproject.toml of the connector; `text` is the one that it has, which is kept if it is one of ours."""
    own = text
    if "headwater" not in text:
        version = f"=={order.cdk.version}" if any(order.cdk.release) else ""
        own = text_of(
            Project(
                name=order.name,
                description="A capture that is a declarative manifest.",
                requirements=[f"airbyte-cdk{version}", "headwater", *order.requirements],
            )
        )
    return own + _TABLE if recorded and "[tool.headwater.snapshot]" not in own else own


def test_spec(name: str, given: Example, found: Merge | None) -> str:
    """Return the Flow spec that runs the connector, with the bindings that were discovered, if any were."""
    header = _HEADER.format(name=name) + (_GAPS if given.gaps else "")
    return header + block_text(_spec(name, ("python", "-m", _SHIM, name), given.value, found))


def replay_spec(name: str, config: Mapping[str, Any], found: Merge | None) -> str:
    """Return the Flow spec that runs the connector on its recording."""
    command = ("python", "-m", _REPLAY, f"{name}/{RECORDING}", _SHIM, name)
    return _REPLAY_HEADER.format(name=name) + block_text(_spec(name, command, config, found))


def _spec(name: str, command: Sequence[str], config: Any, found: Merge | None) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    endpoint = {"local": {"command": list(command), "config": config}}
    bindings = list(_bindings(found))
    spec: dict[str, Any] = {
        "captures": {f"acmeCo/{name}": {"endpoint": endpoint, "interval": "5m", "bindings": bindings}}
    }
    if found:
        spec["collections"] = {each.name: {"schema": each.schema, "key": list(each.key)} for each in found.collections}
    return spec


def _bindings(found: Merge | None) -> Iterator[dict[str, Any]]:
    for each in found.added if found else ():
        disabled = {"disable": True} if each.disable else {}
        yield {"resource": each.resource, "target": each.target, **disabled}


def test_module(name: str, told: Answers) -> dict[str, str]:
    """Return the connector's tests by path; those that nothing can answer wait, and say for what."""
    waits = told.records is None
    reason = told.problem or told.unplayed or "no read was recorded when it was exported"
    values = {
        "name": name,
        "wanted": templates.wanted(name, told.given.gaps, reason, discovers=not told.problem) if waits else "",
        "skip_discover": _SKIP if told.problem else "",
        "skip_capture": _SKIP if waits else "",
    }
    return {f"tests/test_{module_name(name)}.py": templates.rendered("test_upstream.py", values)}
