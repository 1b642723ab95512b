from __future__ import annotations

from typing import Any

import pytest

from python.builder.manifests.cdk import installed
from python.builder.manifests.linting import lint
from python.builder.server.settings import Settings
from tests.builder.server.served import Client, Memories, Memory, serving


@pytest.mark.parametrize("path", ["/v1/health", "/api/v1/connector_builder/health"])
def test_health_tells_the_version_that_the_interpreter_has(client: Client, engine: Memory, path: str) -> None:
    engine.told = {"cdk_version": "6.1.0", "warm": False, "why_not_warm": "no fork", "python": "/secret/place"}
    body = client.get(path).body

    assert (body["available"], body["cdk_version"], body["capabilities"]) == (
        True,
        "6.1.0",
        {"custom_code_execution": False},
    )
    assert (body["warm"], body["why_not_warm"]) == (False, "no fork")
    assert "/secret" not in str(body)


def test_an_engine_that_cannot_be_asked_is_not_available(client: Client, engine: Memory) -> None:
    async def broken() -> Any:
        raise OSError("canary")

    engine.about = broken  # type: ignore[method-assign]  # one that fails
    answer = client.get("/v1/health")
    del engine.about

    assert (answer.status, answer.body["available"]) == (200, False)
    assert "canary" not in str(answer.body)


def test_a_version_other_than_the_one_that_must_match_is_said() -> None:
    with serving(Memories(), Settings(cdk_version="1.2.3")) as client:
        body = client.get("/v1/health").body

    assert body["available"] is False
    assert body["reason"] == "CDK_VERSION is 1.2.3, and the interpreter has 7.39.1"


def test_manifest_server_tells_capabilities_apart(client: Client) -> None:
    for path in ("/capabilities", "/capabilities/"):
        assert client.get(path).body == {"custom_code_execution": False}
    for path in ("/health", "/health/"):
        assert client.get(path).body == {"status": "ok"}


def test_engines_tell_of_themselves(client: Client, engine: Memory) -> None:
    assert client.get("/v1/builder/cdks").body == {"cdks": {"default": engine.told}}


@pytest.mark.parametrize("path", ["/v1/manifest_template", "/api/v1/connector_builder/manifest_template"])
def test_the_template_is_a_manifest_to_begin_with(client: Client, path: str) -> None:
    template = client.get(path).body

    assert lint(template, installed()) == []
