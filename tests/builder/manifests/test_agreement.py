"""The linter follows the component schema by itself; a JSON Schema library must come to the same verdicts."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from python.builder.manifests import cdk, rules
from python.builder.manifests.documents import of_value
from python.builder.manifests.findings import Severity
from python.builder.manifests.linting import read
from python.shim_airbyte_cdk import manifest_check

pytest.importorskip("airbyte_cdk")

MANIFESTS = sorted((Path(__file__).parent.parent.parent / "manifests").glob("*/manifest.yaml"))
REFERENCES = frozenset({"missing-definition", "circular-reference", "depth", "size"})
PUT: tuple[Any, ...] = (
    5,
    "x",
    None,
    [],
    {},
    True,
    ["a"],
    1.5,
    {"type": "JsonDecoder"},
    {"type": "NoAuth"},
    {"type": "Unheard"},
)


@cache
def validator() -> Any:
    return jsonschema_rs.Draft7Validator(rules.json_schema(cdk.installed().schema))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield value, name
        yield from places(member)


def mutated(manifest: Any, chance: random.Random) -> Any:
    changed = copy.deepcopy(manifest)
    around, name = chance.choice(list(places(changed)))
    what = chance.randrange(4)
    if what == 0:
        del around[name]
    elif what == 1 and isinstance(around, dict):
        around[f"{name}x"] = around.pop(name)
    elif what == 2 and isinstance(around, dict):
        around["extra"] = 1
    else:
        around[name] = chance.choice(PUT)
    return changed


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_the_linter_and_the_schema_agree_on_what_is_wrong(path: Path) -> None:
    chance = random.Random(path.parent.name)
    manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    compared = 0
    for _ in range(25):
        changed = mutated(manifest, chance)
        try:
            whole = manifest_check.resolved(changed)
        except (manifest_check.ManifestError, TypeError, ValueError, AttributeError):  # the CDK's own code gave up
            continue
        found = [each for each, _ in read(of_value(changed), cdk.installed()).found if each.rule not in REFERENCES]
        errors = [each for each in found if each.severity is Severity.ERROR]
        compared += 1

        assert bool(errors) != validator().is_valid(whole), (changed, errors)

    assert compared > 10
