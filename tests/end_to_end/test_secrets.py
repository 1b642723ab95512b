"""Neither the secrets of a config nor the tokens that a source is given for them reach the logs, at any level."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conversing import ROOT, converse
from tests.manifests.server import LOGIN, TOKEN, Server, serving
from tests.singer import require_environment

pytestmark = pytest.mark.slow

SECRET = "client-secret-0123456789"
FETCHED = ("access-token-0123456789", "session-0123456789")
CONFIGS: dict[str, dict[str, Any]] = {
    "oauth": {"credentials": {"client_id": "client-id-0123456789", "client_secret": SECRET, "refresh_token": TOKEN}},
    "session": dict(LOGIN),
}
STREAMS = {"oauth": "members", "session": "rows"}


# A tap that logs its config, and the token that it was given for it.
TALKATIVE = """
import logging

from singer_sdk.authenticators import OAuthAuthenticator
from tap_rest_api_msdk.tap import TapRestApiMsdk

from python import shim_singer_sdk

own = OAuthAuthenticator.is_token_valid


def is_token_valid(self):
    logging.getLogger("tap").info("%s %s", self.access_token, dict(self.config))
    return own(self)


OAuthAuthenticator.is_token_valid = is_token_valid
shim_singer_sdk.CaptureShim(TapRestApiMsdk).main()
"""
REST = ROOT / "source-rest-api" / ".venv" / "bin" / "python"


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


def test_no_secret_and_no_token_of_a_tap_is_logged_though_it_marks_none(server: Server) -> None:
    require_environment("source-rest-api")
    stream = {"name": "members", "path": "/oauth/members", "primary_keys": ["id"], "records_path": "$.members[*]"}
    config = {
        "api_url": server.url,
        "streams": [stream],
        "auth_method": "oauth",
        "grant_type": "refresh_token",
        "access_token_url": f"{server.url}/oauth/token",
        "client_id": "reader",
        "password": LOGIN["password"],
        "client_secret": SECRET,
        "refresh_token": TOKEN,
        "headers": {"Authorization": "Basic header-0123456789"},
    }
    resource = {"tap_stream_id": "members", "stream": "members", "replication_method": "FULL_TABLE"}
    bound = {
        "resourceConfig": resource,
        "resourcePath": ["members"],
        "stateKey": "members",
        "collection": {"name": "acmeCo/x", "key": ["/id"], "writeSchema": {"type": "object"}},
    }
    opened = {"open": {"capture": {"name": "acmeCo/x", "config": config, "bindings": [bound]}, "state": {}}}
    env = {"LOG_LEVEL": "trace", "PYTHONWARNINGS": "ignore"}
    told = converse([str(REST), "-c", TALKATIVE], {"spec": {}}, {"discover": {"config": config}}, opened, **env)

    assert (told.status, told.kinds.count("captured")) == (0, 5), told.stderr
    assert "'client_id': 'reader'" in told.stderr
    secrets = (SECRET, TOKEN, LOGIN["password"], "header-0123456789", *FETCHED)
    assert [value for value in secrets if value in told.stderr] == []
