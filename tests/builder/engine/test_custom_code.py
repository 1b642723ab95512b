from __future__ import annotations

from typing import Any

import pytest

from python.builder.engine.custom_code import custom_components, refusal
from python.builder.jobs import Command, Job, Kind


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({"streams": [{"retriever": {"type": "CustomRetriever", "class_name": "a.B"}}]}, ["/streams/0/retriever"]),
        ({"definitions": {"a": {"class_name": "os.system"}}}, ["/definitions/a"]),
        ({"streams": [{"transformations": [{"type": "CustomTransformation"}]}]}, ["/streams/0/transformations/0"]),
        ({"streams": [{"$parameters": {"class_name": "a.B"}}]}, ["/streams/0/$parameters"]),
        ({"type": "CustomRetriever"}, ["/"]),
    ],
)
def test_a_component_that_names_a_class_or_is_custom_is_found(manifest: dict[str, Any], found: list[str]) -> None:
    assert list(custom_components(manifest)) == found


@pytest.mark.parametrize(
    "manifest",
    [
        {"streams": [{"type": "DeclarativeStream", "name": "customers"}]},
        {"schemas": {"a": {"properties": {"class_name": {"type": "string"}}}}},
        {"requester": {"request_headers": {"class_name": "x"}}},
        {"schema_loader": {"schema": {"class_name": "x"}}},
    ],
)
def test_what_only_looks_so_is_not_refused(manifest: dict[str, Any]) -> None:
    assert refusal(Job(command=Command.RESOLVE, manifest=manifest)) is None


def test_code_is_refused_whatever_the_manifest_says() -> None:
    failure = refusal(Job(command=Command.TEST_READ, manifest={}, components_py="import os"))

    assert failure is not None
    assert failure.kind is Kind.CUSTOM_CODE
    assert "components.py" in failure.message
    assert "--allow-custom-code" in failure.message


def test_many_components_are_counted() -> None:
    streams = [{"type": "CustomRetriever"}] * 8

    failure = refusal(Job(command=Command.RESOLVE, manifest={"streams": streams}))

    assert failure is not None
    assert "/streams/4 and 3 more;" in failure.message


def test_nesting_beyond_recursion_is_looked_through() -> None:
    deep: dict[str, Any] = {"class_name": "a.B"}
    for _ in range(3000):
        deep = {"a": deep}

    assert refusal(Job(command=Command.RESOLVE, manifest=deep)) is not None
