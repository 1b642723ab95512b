"""Neither the secrets of a config nor the tokens that a source is given for them reach the logs, at any level."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conversing import ROOT, converse
from tests.manifests.server import LOGIN, TOKEN, Server, serving

pytestmark = pytest.mark.slow

SECRET = "client-secret-0123456789"
FETCHED = ("access-token-0123456789", "session-0123456789")
CONFIGS: dict[str, dict[str, Any]] = {
    "oauth": {"credentials": {"client_id": "client-id-0123456789", "client_secret": SECRET, "refresh_token": TOKEN}},
    "session": dict(LOGIN),
}
STREAMS = {"oauth": "members", "session": "rows"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from serving()


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_no_secret_and_no_token_of_a_manifest_s_source_is_logged(name: str, server: Server) -> None:
    command = [sys.executable, "-m", "python.shim_airbyte_cdk", str(ROOT / "tests" / "manifests" / name)]
    config = {"url": server.url, **CONFIGS[name]}
    resource = {"stream": STREAMS[name], "syncMode": "full_refresh"}
    bound = {
        "resourceConfig": resource,
        "resourcePath": [STREAMS[name]],
        "stateKey": STREAMS[name],
        "collection": {"name": "acmeCo/x", "key": ["/id"], "writeSchema": {"type": "object"}},
    }

    told = converse(
        command,
        {"spec": {}},
        {"discover": {"config": config}},
        {"validate": {"config": config, "bindings": [{"resourceConfig": resource}]}},
        {"open": {"capture": {"name": "acmeCo/x", "config": config, "bindings": [bound]}, "state": {}}},
        LOG_LEVEL="trace",
    )

    assert told.status == 0, told.stderr
    assert "captured" in told.kinds
    assert f"/{name}/" in told.stderr  # requests are logged at this level
    secrets = [value for value in (SECRET, TOKEN, LOGIN["password"], *FETCHED) if value in told.stderr]
    assert secrets == []
