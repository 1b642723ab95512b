from __future__ import annotations

from typing import Any

import pytest

from tests.builder.server.served import Client, Memory


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        (rb'{"manifest": {"a": ["\ud800"]}, "config": {}}', "/manifest/a/0"),
        (rb'{"manifest": "a: \uDFFF"}', "/manifest"),
        (rb'{"manifest": {"a": {"x\udbff": 1}}}', "/manifest/a"),
        (b'{"manifest": {"a": "\xed\xa0\x80"}}', "/manifest/a"),
        ('{"manifest": {"a": "\\ud800"}}'.encode("utf-16-le"), "/manifest/a"),
        (rb'"\ud800"', "/"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/connector_builder/manifest/resolve", "/v1/manifest/check", "/v1/builder/lint"]
)
def test_half_a_character_is_refused_with_its_place(client: Client, path: str, raw: bytes, at: str) -> None:
    answer = client.post(path, raw)

    assert answer.status == 422
    message = f"{at} has half a character (a surrogate without its other half)"
    assert answer.body.get("message", message) == message
    assert [each["msg"] for each in answer.body.get("detail", [{"msg": message}])] == [message]


def test_whole_characters_pass(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    manifest["description"] = "😀 \\ud800"
    answer = client.post("/v1/manifest/resolve", {"manifest": manifest})

    assert answer.body["manifest"]["description"] == "😀 \\ud800"


def test_half_a_character_in_yaml_is_a_finding(client: Client) -> None:
    answer = client.post("/v1/builder/lint", {"manifest": 'a: "\\ud800"'})

    assert (answer.status, answer.body["findings"][0]["rule"]) == (200, "yaml")


@pytest.mark.parametrize("raw", [b"\xff{}", rb'{"a": "\ud800"', b"[" * 100_000 + rb'"\ud800"'])
def test_what_is_no_json_is_left_to_its_reader(client: Client, raw: bytes) -> None:
    assert client.post("/v1/builder/lint", raw).status in (400, 422)


def test_bytes_that_are_no_utf_8_are_told_so(client: Client) -> None:
    assert "it is no UTF-8" in client.post("/v1/builder/lint", b'{"a": "\xff"}').body["message"]
