from __future__ import annotations

from typing import Any

import pytest

from python.shim_airbyte_cdk import manifest_check
from python.shim_airbyte_cdk.manifest_check import ManifestError


def manifest(**retriever: Any) -> dict[str, Any]:
    """A manifest of one stream; what is given replaces members of its retriever."""
    requester = {"type": "HttpRequester", "url_base": "https://x.test", "path": "/a", "http_method": "GET"}
    selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}}
    own = {"type": "SimpleRetriever", "requester": requester, "record_selector": selector, **retriever}
    return {
        "version": "6.0.0",
        "check": {"type": "CheckStream", "stream_names": ["a"]},
        "streams": [{"type": "DeclarativeStream", "name": "a", "retriever": own}],
    }


def problem(content: dict[str, Any]) -> str:
    found = manifest_check.schema_problem(content, manifest_check.resolved(content))
    return str(found) if found else ""


def stream_with(**members: Any) -> dict[str, Any]:
    content = manifest()
    content["streams"][0].update(members)
    return content


def test_a_good_manifest_has_no_problem() -> None:
    assert problem(manifest()) == ""


def test_an_unknown_component_is_told_with_those_that_may_stand_there() -> None:
    assert problem(manifest(paginator={"type": "DefaultPaginater"})) == (
        "/streams/0/retriever/paginator: unknown component type DefaultPaginater; "
        "want one of DefaultPaginator, NoPagination"
    )


def test_a_component_that_was_removed_is_told_with_its_successor() -> None:
    assert problem(stream_with(incremental_sync={"type": "CustomIncrementalSync", "class_name": "x.Y"})) == (
        "/streams/0/incremental_sync: unknown component type CustomIncrementalSync; "
        "airbyte-cdk 7.0 removed it: write a DatetimeBasedCursor, or install airbyte-cdk below 7"
    )


def test_what_is_wrong_inside_the_component_that_is_meant_is_told() -> None:
    selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor"}}

    told = "/streams/0/retriever/record_selector/extractor: DpathExtractor needs field_path"
    assert problem(manifest(record_selector=selector)) == told


def test_a_value_of_the_wrong_type_is_shown() -> None:
    assert problem(stream_with(name=7)) == "/streams/0/name: got 7, want the type string"


def test_a_component_without_type_is_told() -> None:
    requester = {"type": "HttpRequester", "url_base": "https://x.test", "authenticator": {"api_token": "x"}}

    assert problem(manifest(requester=requester)).startswith(
        "/streams/0/retriever/requester/authenticator: a component without `type`; want one of ApiKeyAuthenticator, "
    )


def test_a_manifest_without_streams_is_told() -> None:
    content = manifest()
    del content["streams"]

    assert problem(content) == "/: DeclarativeSource needs streams"


def test_the_other_streams_with_a_problem_are_counted() -> None:
    content = manifest(paginator={"type": "Odd"})
    content["streams"].append({"type": "DeclarativeStream", "name": 7, "retriever": content["streams"][0]["retriever"]})

    assert problem(content).endswith("; 1 more such")


def test_what_a_reference_brings_in_is_told_with_where_it_is_written() -> None:
    content = manifest(paginator={"$ref": "#/definitions/parts/pager"})
    content["definitions"] = {"parts": {"pager": {"type": "Odd"}}}
    told = " (written at /definitions/parts/pager)"
    assert told in problem(content)

    content["streams"] = ["#/definitions/stream"]
    content["definitions"]["stream"] = stream_with(name=7)["streams"][0]
    assert problem(content) == "/streams/0/name: got 7, want the type string (written at /definitions/stream/name)"


@pytest.mark.parametrize(
    ("version", "installed", "refused"),
    [
        ("7.40.0", "7.39.1", True),
        ("8.0.0", "7.39.1", True),
        ("7.39.9", "7.39.1", False),
        ("6.99.0", "7.39.1", False),
        ("9.0.0", "0.0.0", False),
    ],
)
def test_a_manifest_that_is_newer_than_airbyte_cdk_is_refused(version: str, installed: str, refused: bool) -> None:
    content = {**manifest(), "version": version}

    if not refused:
        manifest_check.refuse_foreign(content, installed)
        return
    with pytest.raises(ManifestError, match=rf"^/version: .* airbyte-cdk {version}, and {installed} is installed"):
        manifest_check.refuse_foreign(content, installed)


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ManifestError, match=r"^/version: 'new' is no version such as '6.0.0'$"):
        manifest_check.refuse_foreign({"version": "new"}, "7.0.0")


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"retriever": {"requester": "*ref(definitions.requester)"}}, r"^/streams/0/retriever/requester: `\*ref\(x\)`"),
        ({"$options": {"name": "a"}}, r"^/streams/0/\$options: `\$options` is `\$parameters` since airbyte-cdk 0.29"),
    ],
)
def test_the_dialect_of_2022_is_refused(members: dict[str, Any], told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        manifest_check.refuse_foreign({"version": "0.1.0", "streams": [members]}, "7.39.1")


def test_a_reference_to_nothing_is_told_with_its_place() -> None:
    with pytest.raises(
        ManifestError, match=r"^/streams/0/retriever/paginator/\$ref: Undefined reference #/definitions"
    ):
        manifest_check.resolved(manifest(paginator={"$ref": "#/definitions/pager"}))


def test_a_circular_reference_is_told() -> None:
    content = {**manifest(), "definitions": {"a": "#/definitions/b", "b": "#/definitions/a"}}

    with pytest.raises(ManifestError, match=r"^/definitions/[ab]: Circular reference found: "):
        manifest_check.resolved(content)


def test_airbyte_cdk_s_own_migrations_are_applied() -> None:
    whole = manifest_check.resolved(manifest())

    migrated: Any = manifest_check.migrated(whole)

    assert migrated["streams"][0]["retriever"]["requester"]["url"] == "https://x.test/a"
    assert "path" in whole["streams"][0]["retriever"]["requester"]  # type: ignore[index] # a manifest has any shape
