from __future__ import annotations

import msgspec

from python.importing.comparing import Comparison, compare
from python.importing.report import as_json, as_markdown, as_table
from python.importing.snapshot_files import of_value

OLD = {
    "version": "v1",
    "spec": {"configSchema": {"properties": {"a|b": {"type": "string"}}}, "documentationUrl": "https://docs.example/x"},
    "discovered": [{"recommendedName": "users", "resourceConfig": {"stream": "users"}, "key": ["/id"]}],
}
KEYED = "running tasks, the collection's readers, materializations"
NEW = {
    "version": "v1",
    "spec": {
        "configSchema": {"properties": {"a|b": {"type": "integer"}}},
        "documentationUrl": "https://docs.example/x",
    },
    "discovered": [],
}


def compared(old: object = OLD, new: object = NEW) -> Comparison:
    return compare(of_value("old", old), of_value("new", new))


def test_a_person_reads_where_what_and_why() -> None:
    assert as_table(compared()).splitlines() == [
        "old → new",
        "",
        "major  config-type-changed  config /a|b: string → integer",
        "                            values of the old type are refused, for running tasks, the user's config",
        "major  binding-removed      binding users: was users",
        f"{'':28}tasks that capture it fail, and its collection gets nothing more, for {KEYED}",
        "",
        "2 major changes: the gravest change is major, and VERSION still is v1: raise it to v2",
    ]


def test_nothing_is_said_in_one_line() -> None:
    assert as_table(compared(OLD, OLD)).splitlines()[2:] == ["nothing has changed, and VERSION is v1"]


def test_json_holds_all_that_is_known() -> None:
    told = msgspec.json.decode(as_json(compared()))

    assert (told["level"], told["enough"], told["new"]) == ("major", False, {"name": "new", "version": "v1"})
    assert told["differences"][0] == {
        "level": "major",
        "rule": "config-type-changed",
        "part": "config",
        "pointer": "/a|b",
        "old": "string",
        "new": "integer",
        "whom": ["running tasks", "the user's config"],
        "why": "values of the old type are refused",
    }
    assert "new" not in told["differences"][1]


def test_markdown_has_the_sections_of_an_import() -> None:
    lines = as_markdown(compared()).splitlines()

    assert [line for line in lines if line.startswith("#")] == [
        "## Changes from `old` to `new`",
        "### Spec",
        "### Discovery",
        "### Capture",
    ]
    assert (
        "| **major** | config `/a\\|b` | `string` → `integer` | running tasks, the user's config: "
        "values of the old type are refused | `config-type-changed` |"
    ) in lines
    assert lines[-1] == "Not compared."
    assert as_markdown(compared(OLD, OLD)).splitlines()[6:9] == ["No difference.", "", "### Discovery"]


def test_what_only_one_side_has_is_named_in_each_form() -> None:
    partial = compared(OLD, {"spec": NEW["spec"]})
    sentence = "new has no bindings to compare with old"

    assert f"not compared: {sentence}" in as_table(partial)
    assert f"- {sentence}" in as_markdown(partial)
    assert msgspec.json.decode(as_json(partial))["unknown"] == [sentence]
