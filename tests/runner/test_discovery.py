from __future__ import annotations

import os
import stat
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.protocol.capture import Discovered, DiscoveredBinding
from python.protocol.errors import HeadwaterError
from python.runner import discovery
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError

SPEC = """\
# a capture of mine
captures:
  acmeCo/source-x:
    endpoint:
      local: {command: [python, -m, source-x], config: {}}
    bindings:
      - resource: {stream: users, cursor: mine} # keep this
        target: acmeCo/people
        backfill: 3
collections:
  acmeCo/people:
    schema: people.schema.yaml
    key: [/id]
"""
PEOPLE: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "people.schema.yaml").write_text("# mine\n" + msgspec.json.encode(PEOPLE).decode())
    path = tmp_path / "test.flow.yaml"
    path.write_text(SPEC)
    return path


def found(stream: str, schema: dict[str, Any] | None = None, **members: Any) -> DiscoveredBinding:
    return DiscoveredBinding(
        recommended_name=stream,
        resource_config=msgspec.Raw(msgspec.json.encode({"stream": stream, "cursor": "theirs"})),
        document_schema=msgspec.Raw(msgspec.json.encode(schema or PEOPLE)),
        **{"key": ("/id",), **members},
    )


def write(source: Path, *bindings: DiscoveredBinding) -> list[str]:
    catalog = load_catalog(source)
    lines = discovery.write(catalog, catalog.capture(), Discovered(bindings=bindings), ("/stream",))
    return [line.replace(str(source.parent) + "/", "") for line in lines]


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_new_resource_is_written_with_its_collection(source: Path) -> None:
    before = files(source.parent)

    told = write(source, found("users"), found("orders", disable=True))

    assert told == [
        "test.flow.yaml: added a binding into acmeCo/orders",
        "acmeCo/flow.yaml: added the collection acmeCo/orders",
        "Wrote 2 specifications under test.flow.yaml.",
    ]
    after = files(source.parent)
    assert after["acmeCo/flow.yaml"] == textwrap.dedent("""\
        collections:
          acmeCo/orders:
            schema: orders.schema.yaml
            key:
              - /id
        """)
    binding = (
        "      - resource:\n          stream: orders\n          cursor: theirs\n"
        "        target: acmeCo/orders\n        disable: true\n"
    )
    assert after["test.flow.yaml"] == SPEC.replace("captures:", "import:\n  - acmeCo/flow.yaml\ncaptures:").replace(
        "        backfill: 3\n", "        backfill: 3\n" + binding
    )
    assert after["people.schema.yaml"] == before["people.schema.yaml"]
    loaded = load_catalog(source)
    assert loaded.collections["acmeCo/orders"].write_schema == PEOPLE
    assert [binding.target for binding in loaded.capture().bindings] == ["acmeCo/people", "acmeCo/orders"]


def test_discovering_the_same_again_changes_nothing(source: Path) -> None:
    write(source, found("users"), found("orders"))
    before = files(source.parent)

    told = write(source, found("users"), found("orders"))

    assert told == ["Wrote 0 specifications under test.flow.yaml."]
    assert files(source.parent) == before


def test_later_discoveries_go_on_in_the_same_files(source: Path) -> None:
    write(source, found("users"), found("orders"))
    write(source, found("users"), found("orders"), found("items"))

    loaded = load_catalog(source)

    assert sorted(loaded.collections) == ["acmeCo/items", "acmeCo/orders", "acmeCo/people"]
    assert source.read_text().count("acmeCo/flow.yaml") == 1


def test_a_vanished_resource_is_kept_and_told(source: Path) -> None:
    told = write(source)

    assert told == [
        "test.flow.yaml:7: acmeCo/people is captured from a resource that was not discovered; it was kept",
        "Wrote 0 specifications under test.flow.yaml.",
    ]
    assert source.read_text() == SPEC


def test_a_schema_in_a_file_follows_the_source_there(source: Path) -> None:
    narrower = {**PEOPLE, "title": "New"}

    told = write(source, found("users", narrower))

    assert told[0] == "test.flow.yaml:11: acmeCo/people now has its schema as discovered"
    assert source.read_text() == SPEC
    assert load_catalog(source).collections["acmeCo/people"].write_schema == narrower


@pytest.mark.parametrize("member", ["schema", "writeSchema"])
def test_a_schema_in_the_specification_follows_the_source_there(source: Path, member: str) -> None:
    read = "\n    readSchema: {type: object}" if member == "writeSchema" else ""
    source.write_text(SPEC.replace("schema: people.schema.yaml", f"{member}: {{type: object}} # old{read}"))

    told = write(source, found("users"))

    assert told[0] == f"test.flow.yaml:11: acmeCo/people now has its {member} as discovered"
    assert load_catalog(source).collections["acmeCo/people"].write_schema == PEOPLE
    assert "cursor: mine} # keep this" in source.read_text()


def test_a_key_follows_the_source_unless_it_was_invented(source: Path) -> None:
    write(source, found("users", key=("/_meta/row_id",), is_fallback_key=True))
    assert load_catalog(source).collections["acmeCo/people"].key == ("/id",)

    told = write(source, found("users", key=("/id", "/region")))
    assert told[0] == "test.flow.yaml:11: acmeCo/people now has its key and schema as discovered"
    assert load_catalog(source).collections["acmeCo/people"].key == ("/id", "/region")


def test_a_changed_schema_that_is_part_of_a_file_is_left_to_its_user(source: Path) -> None:
    source.write_text(SPEC.replace("people.schema.yaml", "people.schema.yaml#/properties/id"))
    before = files(source.parent)

    with pytest.raises(CatalogError, match=r"acmeCo/people has changed, but it is a part of people.schema.yaml"):
        write(source, found("users"), found("orders"))

    assert files(source.parent) == before


def test_a_json_specification_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "test.flow.json"
    endpoint = {"local": {"command": ["x"], "config": {}}}
    path.write_bytes(msgspec.json.encode({"captures": {"acmeCo/x": {"endpoint": endpoint, "bindings": []}}}))

    write(path, found("users"))

    assert msgspec.json.decode(path.read_bytes())["import"] == ["acmeCo/flow.yaml"]
    assert load_catalog(path).capture().bindings[0].target == "acmeCo/users"


def test_a_name_that_a_url_would_misread_is_quoted(source: Path) -> None:
    write(source, found("users"), found("ünï"))

    assert "acmeCo/ünï" in load_catalog(source).collections


def test_permissions_of_rewritten_files_stay(source: Path) -> None:
    source.chmod(0o640)

    write(source, found("users"), found("orders"))

    assert stat.S_IMODE(source.stat().st_mode) == 0o640


def test_where_a_file_cannot_be_written_none_is(source: Path) -> None:
    (source.parent / f".test.flow.yaml.{os.getpid()}.tmp").mkdir()
    before = files(source.parent)

    with pytest.raises(HeadwaterError, match=r"cannot be written: Is a directory; nothing was added"):
        write(source, found("users", {**PEOPLE, "title": "New"}), found("orders"))

    assert files(source.parent) == before


def test_a_folder_in_the_place_of_a_file_is_told(source: Path) -> None:
    (source.parent / "acmeCo" / "flow.yaml").mkdir(parents=True)

    with pytest.raises(CatalogError, match="stands where a file is to be written"):
        write(source, found("users"), found("orders"))


def test_no_temporary_file_remains(source: Path) -> None:
    write(source, found("users"), found("orders"))

    assert sorted(files(source.parent)) == [
        "acmeCo/flow.yaml",
        "acmeCo/orders.schema.yaml",
        "people.schema.yaml",
        "test.flow.yaml",
    ]


@pytest.mark.parametrize("name", ["../../../etc/evil", "./../..", "..", "a/../../../evil", "/etc/evil"])
def test_no_recommended_name_leads_out_of_the_project(source: Path, name: str) -> None:
    folder = source.parent
    (folder / "project").mkdir()
    inner = folder / "project" / "test.flow.yaml"
    inner.write_text(SPEC)
    (folder / "project" / "people.schema.yaml").write_text("{}")
    before = {path: text for path, text in files(folder).items() if not path.startswith("project/")}
    write(inner, found("users"), found(name))

    assert {path: text for path, text in files(folder).items() if not path.startswith("project/")} == before
    assert len(load_catalog(inner).capture().bindings) == 2


def test_a_capture_whose_name_leads_out_of_the_project_is_refused(source: Path) -> None:
    source.write_text(SPEC.replace("acmeCo/source-x", "../../source-x"))

    with pytest.raises(CatalogError, match=r"collection \.\./\.\./orders, whose files would stand outside"):
        write(source, found("users"), found("orders"))
    assert sorted(files(source.parent)) == ["people.schema.yaml", "test.flow.yaml"]


def test_a_file_of_the_users_is_not_replaced_by_a_new_schema(source: Path) -> None:
    mine = source.parent / "acmeCo" / "orders.schema.yaml"
    mine.parent.mkdir()
    mine.write_text("# not part of any spec\ntype: array\n")
    write(source, found("users"), found("orders"))

    assert mine.read_text() == "# not part of any spec\ntype: array\n"
    assert load_catalog(source).collections["acmeCo/orders"].write_schema == PEOPLE
    assert (mine.parent / "orders_2.schema.yaml").exists()


def test_a_schema_that_a_broken_off_discovery_left_is_taken(source: Path) -> None:
    write(source, found("users"), found("orders"))
    (source.parent / "acmeCo" / "flow.yaml").unlink()
    source.write_text(SPEC)
    write(source, found("users"), found("orders"))

    assert sorted(files(source.parent / "acmeCo")) == ["flow.yaml", "orders.schema.yaml"]


def test_a_collection_of_a_file_that_is_not_imported_is_not_replaced(source: Path) -> None:
    mine = source.parent / "acmeCo" / "flow.yaml"
    mine.parent.mkdir()
    mine.write_text("collections: {acmeCo/orders: {schema: {type: array}, key: [/mine]}}\n")
    before = files(source.parent)

    with pytest.raises(CatalogError, match=r"has a collection acmeCo/orders already.* import this file there"):
        write(source, found("users"), found("orders"))
    assert files(source.parent) == before
