"""The files of each form, and the defects of Airbyte's own export (builder reference, section 9.2), mended."""

from __future__ import annotations

import ast
import json
import xml.etree.ElementTree as ET
from typing import Any

import msgspec
import pytest
import yaml

from python.builder.export.drafting import drafted
from python.builder.export.layouts import Kept
from python.builder.export.order import ExportError, Form, Order
from python.builder.export.revising import Before
from python.builder.manifests import cdk
from tests.builder.export.made import DATE, MANIFEST, facts, order, with_stream

FORMS = pytest.mark.parametrize("form", list(Form), ids=lambda form: form.value)

DYNAMIC = """
dynamic_streams:
  - type: DynamicDeclarativeStream
    name: tables
    components_resolver: {type: ConfigComponentsResolver, stream_config: {type: StreamConfig, configs_pointer: [t]}, components_mapping: []}
    stream_template:
      type: DeclarativeStream
      name: any
      retriever:
        type: SimpleRetriever
        requester: {type: HttpRequester, url: https://tables.example.com}
        record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
"""  # noqa: E501 -- a manifest


def files(ordered: Order, before: Before | None = None, **kept: str) -> dict[str, str]:
    laid = drafted(ordered, before, Kept(**kept)).laid
    return {**laid.begun, **laid.written}


def yaml_of(found: dict[str, str], name: str) -> Any:
    return yaml.safe_load(found[name])


def manifest_name(form: Form) -> str:
    return "source_shop/manifest.yaml" if form is Form.PYTHON else "manifest.yaml"


@FORMS
def test_every_form_has_what_a_registry_and_people_want(form: Form) -> None:
    found = files(order(form=form))
    data = yaml_of(found, "metadata.yaml")["data"]

    assert {"README.md", "icon.svg", "acceptance-test-config.yml", "metadata.yaml", "docs/shop.md"} <= found.keys()
    assert data["registryOverrides"] == {"oss": {"enabled": True}, "cloud": {"enabled": True}}
    assert str(data["releaseDate"]) == DATE
    assert data["name"] == "Shop"
    assert ET.fromstring(found[data["icon"]]).tag.endswith("svg")  # noqa: S314 -- our own
    assert "metadata" not in yaml_of(found, manifest_name(form))
    assert "# each shop has its own" in found[manifest_name(form)]
    assert list(yaml_of(found, manifest_name(form))) == ["version", "type", "check", "definitions", "streams", "spec"]


@FORMS
def test_defect_1_acceptance_names_the_image_and_runs_its_tests(form: Form) -> None:
    found = yaml_of(files(order(form=form)), "acceptance-test-config.yml")
    tests = found["acceptance_tests"]

    assert found["connector_image"] == "airbyte/source-shop:dev"
    assert [name for name, each in tests.items() if "tests" not in each] == ["incremental"]
    assert tests["spec"]["tests"] == [{"spec_path": manifest_name(form)}]


def test_defect_1_incremental_streams_are_tested_as_such() -> None:
    cursor = (
        "    primary_key: id\n    incremental_sync: {type: DatetimeBasedCursor, cursor_field: at, "
        'datetime_format: "%Y", start_datetime: "2024"}\n'
    )
    found = files(order(MANIFEST.replace("    primary_key: id\n", cursor)))
    catalog = json.loads(found["integration_tests/configured_catalog.json"])

    assert "tests" in yaml_of(found, "acceptance-test-config.yml")["acceptance_tests"]["incremental"]
    assert [each["sync_mode"] for each in catalog["streams"]] == ["incremental"]


@pytest.mark.parametrize("member", ["url", "url_base"])
def test_defect_2_hosts_of_both_spellings_are_allowed(member: str) -> None:
    found = files(order(MANIFEST.replace("    url:", f"    {member}:")))

    assert yaml_of(found, "metadata.yaml")["data"]["allowedHosts"] == {"hosts": ["${shop}.example.com"]}


def test_defect_3_the_page_tells_the_strategy_of_pages() -> None:
    assert "| orders | id | OffsetIncrement | no |" in files(order())["docs/shop.md"]


def test_defect_4_dynamic_and_conditional_streams_are_told() -> None:
    conditional = "streams:\n  - type: ConditionalStreams\n    condition: \"{{ config['more'] }}\"\n    streams:\n"
    stream = MANIFEST[MANIFEST.index("  - type: DeclarativeStream") : MANIFEST.index("metadata:")]
    indented = "".join(f"    {line}\n" for line in stream.splitlines())
    text = MANIFEST.replace("streams:\n" + stream, conditional + indented)
    found = files(order(text + DYNAMIC))

    assert "| orders, if config['more'] | id | OffsetIncrement | no |" in found["docs/shop.md"]
    assert "| tables (streams made of a template) |" in found["docs/shop.md"]
    assert "tables.example.com" in yaml_of(found, "metadata.yaml")["data"]["allowedHosts"]["hosts"]


def test_defect_5_an_edit_raises_the_tag_and_has_its_row() -> None:
    first = files(order())
    before = Before(facts=facts(), texts=(first["manifest.yaml"], ""), version="0.0.1", tag="0.0.1")
    found = files(
        order(with_stream("items")),
        before,
        metadata=first["metadata.yaml"].replace("releaseStage: alpha", "releaseStage: beta # since May"),
        documentation=first["docs/shop.md"],
        changelog=first["CHANGELOG.md"],
    )
    rows = [line for line in found["docs/shop.md"].splitlines() if line.startswith("| 0.")]

    assert yaml_of(found, "metadata.yaml")["data"]["dockerImageTag"] == "0.0.2"
    assert "releaseStage: beta # since May" in found["metadata.yaml"]
    assert [row.split(" | ")[0] for row in rows] == ["| 0.0.2", "| 0.0.1"]
    assert "binding items" in rows[0]
    assert found["VERSION"] == "0.0.2\n"
    assert found["CHANGELOG.md"].index("binding items") < found["CHANGELOG.md"].index("First version")


@FORMS
def test_defect_6_a_manifest_without_spec_is_exported_with_one(form: Form) -> None:
    found = files(order(MANIFEST[: MANIFEST.index("# What a user")], form=form))

    assert yaml_of(found, manifest_name(form))["spec"]["connection_specification"]["type"] == "object"
    assert "There is nothing to configure." in found["docs/shop.md"]


def test_defect_7_references_and_quotes_are_written_as_they_came() -> None:
    text = MANIFEST.replace("title: Shop", 'title: "the \\"shop\\"\\n#/definitions/x"')

    assert files(order(text))["manifest.yaml"] == text.replace("metadata:\n  autoImportSchema: {orders: true}\n\n", "")


def test_a_break_is_written_for_airbytes_users() -> None:
    first = files(order())
    before = Before(facts=facts(), tag="1.2.0", version="v1")
    text = MANIFEST.replace("primary_key: id", "primary_key: total")
    found = files(order(text), before, metadata=first["metadata.yaml"].replace("0.0.1", "1.2.0"))
    releases = yaml_of(found, "metadata.yaml")["data"]["releases"]

    assert list(releases["breakingChanges"]) == ["2.0.0"]
    assert found["VERSION"] == "v2\n"


def test_hosts_that_people_allowed_stay_and_new_ones_come() -> None:
    first = files(order())["metadata.yaml"].replace("- ${shop}.example.com", "- own.example.com # theirs")
    found = files(order(), Before(facts=facts(), tag="0.0.1"), metadata=first)["metadata.yaml"]

    assert yaml.safe_load(found)["data"]["allowedHosts"]["hosts"] == ["own.example.com", "${shop}.example.com"]
    assert "# theirs" in found


def test_our_form_runs_through_the_shim_with_the_cdk_that_was_named() -> None:
    found = files(order(requirements=("pyjwt>=2",)))
    capture = yaml_of(found, "test.flow.yaml")["captures"]["acmeCo/source-shop"]

    assert capture["endpoint"]["local"]["command"] == ["python", "-m", "python.shim_airbyte_cdk", "source-shop"]
    assert (
        f'dependencies = ["airbyte-cdk=={cdk.installed().version}", "headwater", "pyjwt>=2"]' in found["pyproject.toml"]
    )
    assert found["VERSION"] == "0.0.1\n"


def test_test_values_are_kept_but_for_secrets() -> None:
    found = files(order(config={"shop": "mine", "token": "token-0123456789", "api_key": "key-0123456789"}))

    assert yaml_of(found, "test.flow.yaml")["captures"]["acmeCo/source-shop"]["endpoint"]["local"]["config"] == {
        "shop": "mine",
        "token": "FILL_IN",
    }
    assert not [name for name, text in found.items() if "0123456789" in text]


@pytest.mark.parametrize(("release", "is_given"), [("7.39.1", True), ("6.61.6", True), ("5.17.0", False)])
def test_a_package_gives_the_config_to_a_cdk_that_builds_from_it(release: str, is_given: bool) -> None:
    pinned = msgspec.structs.replace(cdk.installed(), version=release)
    found = files(order(form=Form.PYTHON, cdk=pinned, components="class A: ...\n"))

    assert ("config=config" in found["source_shop/source.py"]) is is_given
    assert f"airbyte-cdk=={release}" in found["pyproject.toml"]
    assert found["source_shop/components.py"] == "class A: ...\n"
    for name, text in found.items():
        if name.endswith(".py"):
            ast.parse(text)


def test_what_people_wrote_in_the_project_of_a_package_stays_but_for_its_version() -> None:
    first = files(order(form=Form.PYTHON))["pyproject.toml"]
    mine = first.replace("dependencies = [", 'dependencies = ["mine", ')
    before = Before(facts=facts(), texts=(MANIFEST, ""), tag="0.0.1")
    found = files(order(with_stream("items"), form=Form.PYTHON), before, project=mine)["pyproject.toml"]

    assert found == mine.replace('version = "0.0.1"', 'version = "0.0.2"')


@pytest.mark.parametrize("name", ["shop", "source_shop", "source-Shop", "source-", "source-a/../b", "source-ä", ""])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ExportError, match="is no name for a connector: want source-x"):
        drafted(order(name=name))


@pytest.mark.parametrize(
    ("text", "want"),
    [("a: [", "cannot be read: line 2"), ("", "is empty"), ("version: 1.0.0\n", "has no streams")],
)
def test_a_manifest_that_is_none_is_refused(text: str, want: str) -> None:
    with pytest.raises(ExportError, match=want):
        drafted(order(text))


@pytest.mark.parametrize("text", ["[]", "data: []", "a: ["])
def test_metadata_that_cannot_be_read_is_not_replaced(text: str) -> None:
    with pytest.raises(ExportError, match=r"metadata\.yaml of the connector"):
        files(order(), Before(facts=facts(), tag="0.0.1"), metadata=text)
