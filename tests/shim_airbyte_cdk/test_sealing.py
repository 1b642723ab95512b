from __future__ import annotations

import http.server
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from python.shim_airbyte_cdk.sealing import publish, sealed_by

SCHEMA = {"type": "object", "properties": {"token": {"type": "string", "secret": True}}}


class Service(http.server.BaseHTTPRequestHandler):
    asked: Any = None
    answer = b'{"token_sops":"sealed","sops":{}}'

    def do_POST(self) -> None:
        type(self).asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_config_is_sealed_by_the_service_and_told_as_an_event(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        publish({"token": "fresh"}, SCHEMA, sealed_by(url, SCHEMA))

    (entry,) = caplog.records
    assert vars(entry)["eventType"] == "configUpdate"
    assert vars(entry)["config"] == {"token_sops": "sealed", "sops": {}}
    assert Service.asked == {"config": {"token": "fresh"}, "schema": SCHEMA}


def test_a_service_that_fails_is_logged_without_the_config(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(config: Any) -> Any:
        raise OSError("connection refused")

    publish({"token": "fresh"}, SCHEMA, refuse)

    assert "could not be encrypted and kept: connection refused" in caplog.text
    assert "fresh" not in caplog.text


def test_an_empty_url_forbids_to_send_anything() -> None:
    assert sealed_by("", SCHEMA) is None
