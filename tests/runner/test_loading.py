from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from python.runner.catalog import AutoDiscover, Catalog, ImageEndpoint, LocalEndpoint, Shards
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError, Where

SPEC = """\
    import: [shared/flow.yaml]
    captures:
      acmeCo/source-x:
        endpoint:
          local:
            command: [python, -m, source-x]
            config: config.yaml
            env: {A: b}
        interval: 1h 30m
        autoDiscover: {addNewBindings: true}
        shards: {maxTxnDuration: 250ms, logLevel: debug}
        bindings:
          - resource: {stream: users, price: 1.10}
            target: acmeCo/users
            backfill: 2
          - resource: resource.json
            target: acmeCo/gone
            disable: true
    """
SHARED = """\
    import: [../test.flow.yaml]
    collections:
      acmeCo/users:
        schema: users.schema.yaml
        key: [/id]
        projections:
          user_id: /id
          region: {location: /region, partition: true}
    """


def spec(tmp_path: Path, text: str, name: str = "test.flow.yaml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    spec(tmp_path, "password: x\n", "config.yaml")
    spec(tmp_path, '{"stream": "gone"}', "resource.json")
    spec(tmp_path, "type: object\nproperties: {id: {type: integer}}\nrequired: [id]\n", "shared/users.schema.yaml")
    spec(tmp_path, SHARED, "shared/flow.yaml")
    return load_catalog(spec(tmp_path, SPEC))


def problems(path: Path) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    return [f"{p.where.file.name}:{p.where.line}: {p.sentence}" for p in caught.value.problems]


def test_a_capture_is_loaded_with_its_files_and_places(catalog: Catalog, tmp_path: Path) -> None:
    capture = catalog.capture()

    assert capture.endpoint == LocalEndpoint(
        command=("python", "-m", "source-x"),
        config={"password": "x"},
        env={"A": "b"},
        config_where=Where(tmp_path / "config.yaml", 1),
        where=Where(tmp_path / "test.flow.yaml", 5),
    )
    assert capture.interval_seconds == 5400
    assert capture.auto_discover == AutoDiscover(add_new_bindings=True)
    assert capture.shards == Shards(max_txn_seconds=0.25, log_level="debug")
    assert [(b.resource, b.target, b.disable, b.backfill, b.where.line) for b in capture.bindings] == [
        ({"stream": "users", "price": 1.1}, "acmeCo/users", False, 2, 13),
        ({"stream": "gone"}, "acmeCo/gone", True, 0, 16),
    ]


def test_imports_may_form_a_circle_and_collections_come_with_them(catalog: Catalog, tmp_path: Path) -> None:
    users = catalog.collections["acmeCo/users"]

    assert users.key == ("/id",)
    assert users.write_schema == {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    assert users.read_schema is None
    assert [(p.field, p.ptr, p.partition) for p in users.projections] == [
        ("user_id", "/id", False),
        ("region", "/region", True),
    ]
    assert users.where == Where(tmp_path / "shared/flow.yaml", 3)


def test_an_image_endpoint_is_loaded(tmp_path: Path) -> None:
    path = spec(
        tmp_path,
        "captures: {acmeCo/x: {endpoint: {connector: {image: 'ghcr.io/x:v1', config: {a: 1}}}, bindings: []}}",
    )

    endpoint = load_catalog(path).capture().endpoint

    assert isinstance(endpoint, ImageEndpoint)
    assert (endpoint.image, endpoint.config) == ("ghcr.io/x:v1", {"a": 1})
    assert load_catalog(path).capture().interval_seconds == 300


def test_json_specifications_are_loaded(tmp_path: Path) -> None:
    path = spec(tmp_path, '{"collections": {"a/b": {"key": ["/id"], "schema": true}}}', "a.flow.json")

    assert load_catalog(path).collections["a/b"].write_schema is True


def test_an_empty_specification_is_an_empty_catalog(tmp_path: Path) -> None:
    assert load_catalog(spec(tmp_path, "# nothing\n")).captures == {}


def test_separate_schemas_for_writing_and_reading_are_kept_apart(tmp_path: Path) -> None:
    path = spec(tmp_path, "collections: {a/b: {key: [/id], writeSchema: {type: object}, readSchema: true}}")

    collection = load_catalog(path).collections["a/b"]

    assert (collection.write_schema, collection.read_schema) == ({"type": "object"}, True)


@pytest.mark.parametrize(
    ("members", "got"),
    [
        ("{}", None),
        ("{schema: true, writeSchema: true, readSchema: true}", "schema and writeSchema and readSchema"),
        ("{writeSchema: true}", "writeSchema"),
    ],
)
def test_other_combinations_of_schemas_are_refused(tmp_path: Path, members: str, got: str | None) -> None:
    path = spec(tmp_path, f"collections:\n  a/b: {{key: [/id], {members.strip('{}')}}}\n")

    want = "want either `schema`, or both `writeSchema` and `readSchema`"
    assert problems(path) == [f"test.flow.yaml:2: collection a/b has {got or 'none of them'}; {want}"]


def test_materializations_tests_and_derivations_are_checked_and_kept(tmp_path: Path) -> None:
    text = """\
        collections:
          a/b: {key: [/id], schema: true, derive: {using: {sqlite: {}}, transforms: []}}
        materializations:
          a/m: {endpoint: {local: {command: [x], config: {}}}, bindings: []}
        tests:
          a/t: []
        """

    catalog = load_catalog(spec(tmp_path, text))

    derive = catalog.collections["a/b"].derive
    assert derive is not None
    assert (derive.name, derive.using, derive.endpoint, derive.transforms) == ("a/b", "sqlite", None, ())
    assert catalog.materializations["a/m"].where.line == 4
    assert catalog.tests["a/t"].steps == ()


def test_all_problems_of_all_files_are_told_together_in_order(tmp_path: Path) -> None:
    spec(tmp_path, "collectons: {}\n", "b.flow.yaml")
    text = """\
        import: [b.flow.yaml, gone.flow.yaml, "https://example.com/c.flow.yaml"]
        captures:
          a/x:
            endpoint: {local: {command: [x], config: gone.yaml}}
            interval: 5
            bindings: []
          a/y:
            endpoint: {local: {command: [x], config: gone.yaml}}
            bindings:
              - {resource: also-gone.yaml, target: a/b}
        """

    told = problems(spec(tmp_path, text))

    assert [line.partition(": ")[0] for line in told] == [
        "b.flow.yaml:1",
        "test.flow.yaml:1",
        "test.flow.yaml:1",
        "test.flow.yaml:5",
        "test.flow.yaml:8",
        "test.flow.yaml:10",
    ]
    assert "did you mean 'collections'?" in told[0]
    assert "gone.flow.yaml cannot be read (no such file or directory)" in told[1]
    assert "nothing is fetched from a network" in told[2]
    assert "also-gone.yaml cannot be read" in told[5]


def test_a_name_defined_twice_names_both_places(tmp_path: Path) -> None:
    spec(tmp_path, "collections:\n  a/x: {key: [/id], schema: true}\n", "b.flow.yaml")
    path = spec(tmp_path, "import: [b.flow.yaml]\ntests:\n  a/x: []\n")

    assert problems(path) == [
        f"b.flow.yaml:2: defines a/x again, first defined at {tmp_path}/test.flow.yaml:3; rename or remove one"
    ]


def test_a_file_imported_by_two_spellings_is_read_once(tmp_path: Path) -> None:
    spec(tmp_path, "collections:\n  a/x: {key: [/id], schema: true}\n", "sub/b.flow.yaml")
    path = spec(tmp_path, "import: [sub/b.flow.yaml, ./sub/../sub/b.flow.yaml]\n")

    assert list(load_catalog(path).collections) == ["a/x"]


def test_a_problem_of_an_own_file_of_a_collection_names_that_file(tmp_path: Path) -> None:
    spec(tmp_path, "type: object\nproperties:\n  a: {$ref: gone.yaml}\n", "a.schema.yaml")
    path = spec(tmp_path, "collections:\n  a/x: {key: [/id], schema: a.schema.yaml}\n")

    (told,) = problems(path)

    assert told.startswith("a.schema.yaml:1: ")
    assert "gone.yaml cannot be read" in told
