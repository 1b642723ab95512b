from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builder.server.served import Client, Memories, Memory, serving

pytest.importorskip("airbyte_cdk")


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Client, Memories]]:
    engines = Memories()
    with serving(engines) as client:
        yield client, engines


@pytest.fixture
def engine(served: tuple[Client, Memories]) -> Memory:
    """The engine behind `client`, as new."""
    engine: Memory = served[1].named("default")
    engine.__init__()  # type: ignore[misc]  # as new, since routes hold this one
    return engine


@pytest.fixture
def client(served: tuple[Client, Memories], engine: Memory) -> Client:
    return served[0]


@pytest.fixture
def manifest() -> dict[str, Any]:
    """A manifest that nothing is wrong with."""
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [stream("items"), stream("others")],
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
            },
        },
    }


def stream(name: str) -> dict[str, Any]:
    return {
        "type": "DeclarativeStream",
        "name": name,
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url": f"https://api.example.com/{name}",
                "http_method": "GET",
                "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['api_key'] }}"},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": []},
            },
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    }
