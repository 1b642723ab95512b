from __future__ import annotations

from pathlib import Path

import pytest

from python.builder.export.facts import Stream
from tests.builder.export.made import MANIFEST, facts, with_stream

MANIFESTS = Path(__file__).parent.parent.parent / "manifests"


def of(name: str) -> list[tuple[str, str, str, bool]]:
    found = facts((MANIFESTS / name / "manifest.yaml").read_text(encoding="utf-8")).streams
    return [(each.name, each.cursor, each.condition, each.is_template) for each in found]


def test_a_stream_is_told_with_its_key_and_the_strategy_of_its_pages() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "total": {"type": "number"}}}

    assert facts().streams == (Stream(name="orders", key=(("id",),), pagination="OffsetIncrement", schema=schema),)


def test_streams_of_groups_conditions_and_delegation_are_found() -> None:
    assert of("groups") == [
        ("parents", "", "", False),
        ("children", "", "", False),
        ("events", "on", "", False),
        ("extra", "", "{{ config['extra'] }}", False),
    ]


def test_templates_of_dynamic_streams_are_found_and_known_as_such() -> None:
    assert of("dynamic") == [("of_the_api", "", "", True), ("of_the_config", "", "", True)]


@pytest.mark.parametrize(
    ("key", "want"),
    [("id", (("id",),)), ("[a, b]", (("a",), ("b",))), ("[[a, b], [c]]", (("a", "b"), ("c",)))],
)
def test_a_primary_key_in_each_form(key: str, want: tuple[tuple[str, ...], ...]) -> None:
    assert facts(MANIFEST.replace("primary_key: id", f"primary_key: {key}")).streams[0].key == want


def test_a_name_that_parameters_give_is_known() -> None:
    text = MANIFEST.replace("    name: orders\n", "    $parameters: {name: orders}\n")

    assert facts(text).streams[0].name == "orders"


def test_a_manifest_without_spec_takes_any_config() -> None:
    assert facts(MANIFEST[: MANIFEST.index("spec:")]).specification == {"type": "object", "properties": {}}


def test_a_snapshot_has_a_binding_for_each_stream_but_for_templates() -> None:
    run = facts(with_stream("items")).snapshot("shop", "v1").runs[""]

    assert [(each["recommendedName"], each["key"]) for each in run.bindings or ()] == [
        ("orders", ["/id"]),
        ("items", ["/_meta/row_id"]),
    ]
