from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest

from python.runner.bundling import Files, file_named
from python.runner.problems import CatalogError, Where


@pytest.fixture
def where(tmp_path: Path) -> Where:
    (tmp_path / "other.yaml").write_text(
        "definitions:\n  id: {type: integer, $ref: '#/definitions/small'}\n  small: {maximum: 9}\n"
        "type: object\nproperties: {id: {$ref: '#/definitions/id'}}\n"
    )
    return Where(tmp_path / "a.flow.yaml", 3)


def test_a_value_that_is_no_text_is_itself(where: Where) -> None:
    assert Files().value({"a": 1}, where) == ({"a": 1}, where)


def test_a_name_stands_for_the_file_or_a_part_of_it(where: Where, tmp_path: Path) -> None:
    assert Files().value("other.yaml#/definitions/small", where) == ({"maximum": 9}, Where(tmp_path / "other.yaml", 3))


def test_a_missing_part_of_a_file_is_named(where: Where) -> None:
    with pytest.raises(
        CatalogError, match=r"a.flow.yaml:3: refers to other.yaml#/x, but .*other.yaml has nothing at /x"
    ):
        Files().value("other.yaml#/x", where)


@pytest.mark.parametrize("reference", ["http://example.com/a.yaml", "https://example.com/a.yaml", "s3://b/a.yaml"])
def test_nothing_is_fetched(where: Where, reference: str) -> None:
    with pytest.raises(CatalogError, match="nothing is fetched from a network"):
        file_named(reference, where)


def test_names_are_relative_to_the_file_that_has_them_or_absolute(where: Where, tmp_path: Path) -> None:
    assert file_named("sub/b%20c.yaml", where) == tmp_path / "sub/b c.yaml"
    assert file_named("/etc/x.yaml", where) == Path("/etc/x.yaml")
    assert file_named("file:///etc/x.yaml", where) == Path("/etc/x.yaml")


def test_a_schema_without_foreign_references_stays_as_it_is(where: Where) -> None:
    schema = {"$defs": {"a": True}, "properties": {"x": {"$ref": "#/$defs/a"}, "$ref": {"type": "string"}}}

    assert Files().schema(schema, where) == schema


def test_a_schema_file_is_taken_whole(where: Where) -> None:
    schema = Files().schema("other.yaml", where)

    assert schema == {
        "definitions": {"id": {"type": "integer", "$ref": "#/definitions/small"}, "small": {"maximum": 9}},
        "type": "object",
        "properties": {"id": {"$ref": "#/definitions/id"}},
    }


@pytest.mark.parametrize(
    "schema",
    [
        "other.yaml#/properties/id",
        {"$ref": "other.yaml#/definitions/id"},
        {"allOf": [{"$ref": "other.yaml#/definitions/id"}, {"$ref": "./other.yaml#/definitions/small"}]},
    ],
)
def test_a_bundle_says_what_its_files_say(where: Where, schema: object) -> None:
    bundle = Files().schema(schema, where)

    validator = jsonschema_rs.validator_for(bundle)  # type: ignore[arg-type] # a bundle is a dict here
    assert [validator.is_valid(value) for value in (5, 10, "5")] == [True, False, False]


def test_files_that_refer_to_each_other_are_bundled_once(where: Where, tmp_path: Path) -> None:
    (tmp_path / "tree.yaml").write_text("type: object\nproperties: {left: {$ref: 'leaf.yaml#/$defs/leaf'}}\n")
    (tmp_path / "leaf.yaml").write_text("$defs: {leaf: {anyOf: [{type: 'null'}, {$ref: tree.yaml}]}}\n")

    bundle = Files().schema("tree.yaml", where)

    assert bundle == {
        "type": "object",
        "properties": {"left": {"$ref": "#/$defs/leaf.yaml/$defs/leaf"}},
        "$defs": {"leaf.yaml": {"$defs": {"leaf": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}}},
    }


def test_files_of_the_same_name_do_not_meet(where: Where, tmp_path: Path) -> None:
    for folder, kind in (("a", "string"), ("b", "integer")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x y.yaml").write_text(f"type: {kind}\n")

    bundle = Files().schema({"properties": {"a": {"$ref": "a/x%20y.yaml"}, "b": {"$ref": "b/x%20y.yaml"}}}, where)

    validator = jsonschema_rs.validator_for(bundle)  # type: ignore[arg-type] # a bundle is a dict here
    assert validator.is_valid({"a": "1", "b": 1})
    assert not validator.is_valid({"a": "1", "b": "1"})


def test_references_to_flow_and_inside_values_are_left_alone(where: Where) -> None:
    schema = {"allOf": [{"$ref": "flow://write-schema"}], "default": {"$ref": "gone.yaml"}}

    assert Files().schema(schema, where) == schema


def test_a_schema_file_that_holds_no_schema_is_refused(where: Where, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1\n")

    with pytest.raises(CatalogError, match=r"list\.yaml:1: is used as a JSON schema, but is no object"):
        Files().schema("list.yaml", where)


def test_a_reference_to_a_missing_part_is_named(where: Where) -> None:
    with pytest.raises(CatalogError, match=r"refers to other\.yaml#/x, but .* has nothing at /x"):
        Files().schema({"$ref": "other.yaml#/x"}, where)
