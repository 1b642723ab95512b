"""Whatever stands at whichever place: the linter, the report and the import answer, or refuse in a sentence."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.builder.manifests import cdk
from python.builder.manifests.compatibility import compatibility
from python.builder.manifests.findings import as_json
from python.builder.manifests.gathering import Gathered
from python.builder.manifests.importing import imported
from python.builder.manifests.linting import lint, opened, read
from python.protocol.errors import HeadwaterError

pytest.importorskip("airbyte_cdk")

OAUTH = Path(__file__).parent.parent.parent / "manifests" / "oauth" / "manifest.yaml"
HOSTILE: tuple[Any, ...] = (
    5,
    [None],
    {"$ref": 5},
    {"properties": 5},
    {"properties": {"a": {"properties": {"b": None}}}},
    "#/",
    "{{ config.a.b['c'].get(1) }}",
    "{{ config",
    {5: {None: float("nan")}},
)


def places(value: Any) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (name,)
        yield from ((name, *rest) for rest in places(member))


def sample(manifest: Any, value: Any) -> list[tuple[str | int, ...]]:
    """Every third place, others for each value."""
    return list(places(manifest))[HOSTILE.index(value) % 3 :: 3]


def put(manifest: Any, at: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(manifest)
    around = changed
    for name in at[:-1]:
        around = around[name]
    around[at[-1]] = copy.deepcopy(value)
    return changed


@pytest.mark.parametrize("value", HOSTILE, ids=str)
def test_a_hostile_value_at_any_place_is_answered(value: Any) -> None:
    manifest = yaml.safe_load(OAUTH.read_text(encoding="utf-8"))
    allowed = cdk.installed()
    for at in sample(manifest, value):
        changed = put(manifest, at, value)

        as_json("manifest.yaml", allowed.version, lint(changed, allowed))
        compatibility(read(opened(changed), allowed), allowed, "class X: ...")


@pytest.mark.parametrize("value", HOSTILE, ids=str)
def test_a_hostile_specification_is_taken_in_or_refused_in_a_sentence(value: Any) -> None:
    manifest = yaml.safe_load(OAUTH.read_text(encoding="utf-8"))
    for at in sample(manifest["spec"], value):
        text = yaml.safe_dump(put(manifest, ("spec", *at), value))

        with contextlib.suppress(HeadwaterError):
            imported(Gathered(path="manifest.yaml", text=text), cdk.installed(), flatten=True, values={"url": "x"})
