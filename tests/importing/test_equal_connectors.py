"""Connectors that are the same: written otherwise, they do not differ."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python.importing.comparing import compare
from python.importing.snapshot_files import of_folder, of_value
from python.importing.snapshots import Snapshot
from tests.importing import corpus

ROOT = Path(__file__).parent.parent.parent
CONNECTORS = sorted(path.parent.name for path in ROOT.glob("source-*/tests/snapshots") for path in [path.parent])

# Keywords whose value is a schema, a map of schemas, or a list of schemas.
_SCHEMA = {"items", "additionalProperties", "if", "then", "else", "not", "contains", "propertyNames"}
_MAP = {"properties", "patternProperties", "$defs", "definitions"}
_ANY_ORDER = {"anyOf", "oneOf", "allOf"}
_DECORATION: dict[str, list[Any]] = {
    "title": ["A Title", ""],
    "description": ["Said otherwise.", "Zwei\nZeilen"],
    "examples": [["x"], [1, None]],
    "order": [0, 7],
    "$comment": ["a remark"],
    "x-hidden-field": [True],
    "multiline": [True],
    "advanced": [True],
}


class Writer:
    """Writes a connector's answers anew: other order, other words, other spelling, the same meaning."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def shuffled(self, value: Any) -> Any:
        if isinstance(value, dict):
            names = list(value)
            self.chance.shuffle(names)
            return {name: self.shuffled(value[name]) for name in names}
        return [self.shuffled(item) for item in value] if isinstance(value, list) else value

    def mixed(self, items: list[Any]) -> list[Any]:
        return self.chance.sample(items, len(items))

    def schema(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema
        written = {name: self.keyword(name, value) for name, value in schema.items() if name not in _DECORATION}
        for name in self.chance.sample(sorted(_DECORATION), 3):
            written[name] = self.chance.choice(_DECORATION[name])
        self.respell(written)
        return self.shuffled(written)

    def keyword(self, name: str, value: Any) -> Any:
        if name in _MAP:
            return {each: self.schema(part) for each, part in value.items()}
        if name in _ANY_ORDER:
            return self.mixed([self.schema(part) for part in value])
        if name in ("required", "enum") or (name == "type" and isinstance(value, list)):
            return self.mixed(value)
        return self.schema(value) if name in _SCHEMA else value

    def respell(self, schema: dict[str, Any]) -> None:
        """Say some things in other words: the keywords of pydantic, of older drafts, or none where none is needed."""
        kinds = schema.get("type")
        if isinstance(kinds, list) and not {"enum", "const"} & {*schema} and self.chance.random() < 0.5:
            del schema["type"]
            schema["anyOf"] = self.mixed([{"type": kind} for kind in kinds])
        elif isinstance(kinds, str) and self.chance.random() < 0.3:
            schema["type"] = [kinds]
        if kinds == "object" and "additionalProperties" not in schema and self.chance.random() < 0.3:
            schema["additionalProperties"] = self.chance.choice([True, {}])
        if "secret" in schema and self.chance.random() < 0.5:
            schema["airbyte_secret"] = schema.pop("secret")
        if "const" in schema and self.chance.random() < 0.5:
            schema["enum"] = [schema.pop("const")]
        if "required" not in schema and self.chance.random() < 0.3:
            schema["required"] = []

    def wrapped(self, schema: Any) -> Any:
        """Put the whole schema behind a reference, or into an `allOf`."""
        form = self.chance.randrange(3)
        if form == 0 or not isinstance(schema, dict) or "#/" in str(schema):
            return schema
        return {"allOf": [schema]} if form == 1 else {"$defs": {"whole": schema}, "$ref": "#/$defs/whole"}

    def again(self, snapshot: Snapshot) -> Snapshot:
        spec: Any = snapshot.spec and {
            name: self.wrapped(self.schema(value)) if name.endswith("Schema") else value
            for name, value in snapshot.spec.items()
        }
        runs: dict[str, Any] = {}
        for name, run in snapshot.runs.items():
            bindings = [
                {**each, "documentSchema": self.wrapped(self.schema(each.get("documentSchema", {})))}
                for each in run.bindings or ()
            ]
            documents = run.documents and {
                each: self.shuffled(self.mixed([*run.documents[each]])) for each in run.documents
            }
            runs[name] = type(run)(
                bindings=None
                if run.bindings is None
                else tuple(self.mixed([self.shuffled(each) for each in bindings])),
                documents=self.shuffled(documents),
                state=self.shuffled(run.state),
            )
        return Snapshot(name="again", version=snapshot.version, spec=self.shuffled(spec), runs=runs)


@pytest.mark.parametrize("name", CONNECTORS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_connector_of_ours_written_otherwise_is_the_same(name: str, seed: int) -> None:
    snapshot = of_folder(ROOT / name)
    found = compare(snapshot, Writer(seed).again(snapshot))

    assert found.differences == ()
    assert found.unknown == ()
    assert snapshot.spec
    assert snapshot.runs


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(corpus.NAMES), old=st.integers(0, 10**9), new=st.integers(0, 10**9))
def test_a_pair_of_the_corpus_written_otherwise_differs_as_before(name: str, old: int, new: int) -> None:
    case = corpus.case(name)
    sides = [Writer(seed).again(side) for seed, side in zip((old, new), case.snapshots(), strict=True)]
    found = compare(sides[0], sides[1])

    assert sorted((each.rule, each.pointer) for each in found.differences) == sorted(
        (each["rule"], each["pointer"]) for each in case.expect
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}),
        ({"type": ["integer", "number"]}, {"type": "number"}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}),
        ({"enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"enum": ["a", None]}, {"anyOf": [{"const": "a"}, {"type": "null"}]}),
        ({"type": "string", "enum": ["a", 1]}, {"const": "a"}),
        ({"type": "integer", "enum": [1.0]}, {"const": 1}),
        ({"type": "integer", "pattern": "x", "minLength": 3}, {"type": "integer"}),
        ({"type": "string", "minLength": 0}, {"type": "string"}),
        ({"type": "array", "items": {}}, {"type": "array"}),
        ({"type": "array", "items": [{"type": "string"}]}, {"type": "array", "prefixItems": [{"type": "string"}]}),
        ({"type": "string", "default": None}, {"type": "string"}),
        (
            {"anyOf": [{"type": "string", "format": "date"}, {"type": "integer"}]},
            {"type": ["integer", "string"], "format": "date"},
        ),
        ({"definitions": {"a": {"type": "string"}}, "$ref": "#/definitions/a"}, {"type": "string"}),
        ({"$defs": {"a": {"$anchor": "here", "type": "string"}}, "$ref": "#here"}, {"type": "string"}),
        (
            {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"oneOf": [{"type": "object", "required": ["b"]}, {"required": ["a"], "type": "object"}]},
        ),
        ({"allOf": [{"minimum": 1}, {"minimum": 2}], "type": "integer"}, {"type": "integer", "minimum": 2}),
    ],
)
def test_two_spellings_are_one_schema(one: Any, other: Any) -> None:
    for area in ("configSchema", "resourceConfigSchema"):
        sides = [of_value("x", {"spec": {area: {"properties": {"a": each}}}}) for each in (one, other)]
        if "$" not in str((one, other)):
            assert compare(sides[0], sides[1]).differences == ()
    sides = [of_value("x", {"discovered": [{"recommendedName": "x", "documentSchema": each}]}) for each in (one, other)]
    assert compare(sides[0], sides[1]).differences == ()
    assert compare(sides[1], sides[0]).differences == ()


def test_a_schema_that_holds_itself_is_read() -> None:
    def tree(name: str, **more: Any) -> Snapshot:
        node = {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}, **more},
        }
        return of_value("x", {"spec": {"configSchema": {"$ref": f"#/$defs/{name}", "$defs": {name: node}}}})

    assert compare(tree("Node"), tree("Tree")).differences == ()
    assert [each.rule for each in compare(tree("Node"), tree("Node", a={})).differences] == ["config-field-added"]
