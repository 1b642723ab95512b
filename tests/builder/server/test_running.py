from __future__ import annotations

from typing import Any

from python.builder.jobs import Command
from python.builder.server.streams import stream_urls
from tests.builder.server.served import Client, Memory


def test_a_migration_lists_what_it_changed(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    answer = client.post("/v1/builder/migrate", {"manifest": manifest})

    assert answer.body["manifest"]["version"] == "7.0.0"
    assert answer.body["changes"] == [{"at": "/version", "was": "6.0.0", "now": "7.0.0"}]
    assert [job.migrate for job in engine.asked] == [False, True]


def test_a_full_resolve_says_how_many_streams(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    client.post("/v1/manifest/full_resolve", {"manifest": manifest, "config": {}, "stream_limit": 7})

    assert (engine.asked[0].command, engine.asked[0].limits.streams) == (Command.FULL_RESOLVE, 7)


def test_a_resolved_manifest_keeps_what_its_author_wrote(client: Client, manifest: dict[str, Any]) -> None:
    manifest["definitions"] = {"auth": {"type": "BearerAuthenticator", "api_token": "{{ config['api_key'] }}"}}
    answer = client.post("/v1/manifest/resolve", {"manifest": manifest})

    assert answer.body["manifest"]["definitions"]["auth"]["api_token"] == "{{ config['api_key'] }}"


def test_urls_have_the_plain_values_of_the_config() -> None:
    def stream(**requester: str) -> dict[str, Any]:
        return {"name": "x", "retriever": {"requester": requester}}

    resolved = {
        "streams": [
            stream(url="{{ config['base'] }}/items"),
            stream(url_base="https://{{ config.host }}/", path="/a"),
            stream(url="https://{{ config['host'] | upper }}"),
            stream(url="https://{{ config['none'] }}"),
            {"name": "x", "retriever": {"requester": {"url": "/{{ parameters.a }}", "$parameters": {"a": "b"}}}},
            {"name": "x"},
        ]
    }

    assert [each["url"] for each in stream_urls(resolved, {"base": "http://b", "host": "h"})] == [
        "http://b/items",
        "https://h/a",
        "https://{{ config['host'] | upper }}",
        "https://{{ config['none'] }}",
        "/b",
        "",
    ]
