from __future__ import annotations

from collections.abc import Mapping

import pytest

from python.runner.grammar import ROOT
from python.runner.grammar_check import check

CAPTURE: Mapping[str, object] = {
    "endpoint": {"local": {"command": ["python", "-m", "source-x"], "config": {}}},
    "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}],
}
COLLECTION: Mapping[str, object] = {"schema": {"type": "object"}, "key": ["/id"]}
TRANSFORM: Mapping[str, object] = {
    "name": "fromUsers",
    "source": "acmeCo/users",
    "shuffle": "any",
    "lambda": "select 1",
}


def sentences(spec: object) -> list[str]:
    return [sentence for _, sentence in check(spec, ROOT)]


def capture(**changes: object) -> dict[str, object]:
    return {"captures": {"acmeCo/x": {**CAPTURE, **changes}}}


def collection(**changes: object) -> dict[str, object]:
    return {"collections": {"acmeCo/users": {**COLLECTION, **changes}}}


def derive(**changes: object) -> dict[str, object]:
    return collection(derive={"using": {"sqlite": {}}, "transforms": [TRANSFORM], **changes})


def materialization(**changes: object) -> dict[str, object]:
    binding = {"resource": {"table": "users"}, "source": "acmeCo/users"}
    endpoint = {"connector": {"image": "x:v1", "config": "x.config.yaml"}}
    return {"materializations": {"acmeCo/m": {"endpoint": endpoint, "bindings": [binding], **changes}}}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"$schema": "x", "import": ["a.flow.yaml"]},
        capture(),
        capture(interval="1h 30m", autoDiscover={"addNewBindings": True, "evolveIncompatibleCollections": False}),
        capture(shards={"disable": True, "maxTxnDuration": "1s", "logLevel": "debug", "hotStandbys": 0}),
        capture(endpoint={"connector": {"image": "x:v1", "config": {}, "surprise": 1}}),
        capture(endpoint={"local": {"command": ["x"], "config": "c.yaml", "env": {"A": "b"}, "surprise": 1}}),
        capture(secrets={"/password": "acmeCo/secret"}, redactSalt="c2FsdA==", expectPubId="00", delete=False),
        capture(bindings=[{"resource": "r.yaml", "target": "a/b", "disable": True, "backfill": 3}]),
        collection(),
        collection(projections={"id": "/id", "region": {"location": "/region", "partition": True}}, journals={}),
        derive(shuffleKeyTypes=["integer"], shards={}),
        derive(
            transforms=[{**TRANSFORM, "shuffle": {"key": ["/id"]}, "readDelay": "1h", "priority": 1, "backfill": 1}]
        ),
        materialization(),
        materialization(source="acmeCo/x", onIncompatibleSchemaChange="abort"),
        materialization(
            bindings=[
                {
                    "resource": {},
                    "source": {
                        "name": "a/b",
                        "notBefore": "2024-01-31T00:00:00Z",
                        "partitions": {"include": {"r": [1]}},
                    },
                    "fields": {"recommended": 2, "include": {"id": {}}, "exclude": ["x"], "groupBy": ["id"]},
                }
            ]
        ),
        {"tests": {"acmeCo/t": [{"ingest": {"collection": "a/b", "documents": [{}]}}]}},
        {
            "tests": {
                "acmeCo/t": {
                    "description": "x",
                    "steps": [{"verify": {"collection": {"name": "a/b"}, "documents": "d.json"}}],
                }
            }
        },
    ],
)
def test_what_flow_accepts_is_accepted(spec: object) -> None:
    assert sentences(spec) == []


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ([], "the file is []; want an object"),
        ({"capture": {}}, "the file has the unknown key 'capture'; did you mean 'captures'?"),
        ({"import": "a.yaml"}, 'import is "a.yaml"; want a list'),
        (
            {"captures": {"acmeCo//x": CAPTURE}},
            "the key 'acmeCo//x' of captures is not a name: letters, digits, '-', '_' and '.', in parts joined by '/'",
        ),
        (capture(bindigns=[]), "captures.acmeCo/x has the unknown key 'bindigns'; did you mean 'bindings'?"),
        (capture(interval="5"), "captures.acmeCo/x.interval is \"5\"; want a duration such as 30s, 5m or '1h 30m'"),
        (capture(interval=300), "captures.acmeCo/x.interval is 300; want a duration such as 30s, 5m or '1h 30m'"),
        ({"captures": {"a/b": {"bindings": []}}}, "captures.a/b lacks `endpoint`, which every capture has"),
        (
            capture(endpoint={}),
            "captures.acmeCo/x.endpoint has none of connector, local; want exactly one",
        ),
        (
            capture(endpoint={"local": {"command": ["x"]}}),
            "captures.acmeCo/x.endpoint.local lacks `config`, which every local has",
        ),
        (
            capture(endpoint={"local": {"command": [], "config": {}}}),
            "captures.acmeCo/x.endpoint.local.command has 0 items; want 1 or more",
        ),
        (
            capture(bindings=[{"resource": {}, "target": "a", "backfill": True}]),
            "captures.acmeCo/x.bindings[0].backfill is true; want a whole number from 0 to 4294967295",
        ),
        (
            capture(bindings=[{"resource": {}, "target": "a", "zoo": 1}]),
            "captures.acmeCo/x.bindings[0] has the unknown key 'zoo'; it may have resource, target, disable, backfill",
        ),
        (collection(key=["id"]), 'collections.acmeCo/users.key[0] is "id"; want a JSON pointer, such as /id or /a/b'),
        (
            collection(projections={"id": 1}),
            "collections.acmeCo/users.projections.id is 1; want a JSON pointer, or an object with `location`",
        ),
        (
            derive(transforms=[{**TRANSFORM, "shuffle": "all"}]),
            'collections.acmeCo/users.derive.transforms[0].shuffle is "all"; want one of any',
        ),
        (
            {"tests": {"acmeCo/t": {"steps": [{"ingest": {"collection": "a", "documents": 1}}]}}},
            "tests.acmeCo/t.steps[0].ingest.documents is 1; want a list of documents, or the name of a file",
        ),
    ],
)
def test_each_mistake_is_one_sentence(spec: object, sentence: str) -> None:
    assert sentences(spec) == [sentence]


def test_all_mistakes_are_found_at_once() -> None:
    spec = {**capture(interval=1, shards={"disabled": True}), **collection(key=[])}

    assert [at for at, _ in check(spec, ROOT)] == [
        ("captures", "acmeCo/x", "interval"),
        ("captures", "acmeCo/x", "shards", "disabled"),
        ("collections", "acmeCo/users", "key"),
    ]


def test_a_long_value_is_cut_in_the_sentence() -> None:
    (sentence,) = sentences(capture(interval="x" * 500))

    assert len(sentence) < 200
