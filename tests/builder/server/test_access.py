from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import jwt
import pytest

from python.builder.server.settings import Settings
from tests.builder.server.served import Client, Memories, serving

LINT = {"manifest": "a: 1"}
TOKEN = "a-token-of-many-letters"
SECRET = "a-secret-that-tokens-are-signed-with-and-that-is-long-enough-here"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Client]:
    settings = Settings(token=TOKEN, jwt_secret=SECRET, origins=("https://builder.example",), hosts=("builder",))
    with serving(Memories(), settings) as client:
        yield client


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]", "a b"])
def test_another_host_is_refused(client: Client, host: str) -> None:
    answer = client.post("/v1/builder/lint", LINT, host=host)

    assert answer.status in (400, 421)
    assert "findings" not in answer.raw.decode()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1", "[::1]:8080"])
def test_loopback_has_several_names(client: Client, host: str) -> None:
    assert client.post("/v1/builder/lint", LINT, host=host).status == 200


def test_another_name_can_be_allowed(guarded: Client) -> None:
    assert guarded.get("/health", host="builder:8080").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://[::1"])
def test_pages_of_other_origins_are_refused(client: Client, origin: str) -> None:
    answer = client.post("/v1/builder/lint", LINT, origin=origin)

    assert answer.status == 403
    assert answer.body["message"] == answer.body["detail"]


def test_a_page_of_our_own_is_served(client: Client) -> None:
    answer = client.post("/v1/builder/lint", LINT, host="localhost:1234", origin="http://localhost:1234")

    assert answer.status == 200


def test_an_allowed_origin_is_told_that_it_is(guarded: Client) -> None:
    asked = {"origin": "https://builder.example", "access_control_request_method": "POST"}
    preflight = guarded.send("OPTIONS", "/v1/builder/lint", None, **asked)
    answer = guarded.post("/v1/builder/lint", LINT, origin="https://builder.example", authorization=f"Bearer {TOKEN}")

    assert (preflight.status, answer.status) == (200, 200)
    assert answer.headers["access-control-allow-origin"] == "https://builder.example"


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer  {TOKEN}"])
def test_the_token_opens(guarded: Client, authorization: str) -> None:
    assert guarded.post("/v1/builder/lint", LINT, authorization=authorization).status == 200


def test_a_signed_token_opens(guarded: Client) -> None:
    signed = jwt.encode({"sub": "somebody"}, SECRET, algorithm="HS256")

    assert guarded.post("/v1/builder/lint", LINT, authorization=f"Bearer {signed}").status == 200


@pytest.mark.parametrize(
    "token",
    [
        "something else",
        jwt.encode({"sub": "x"}, SECRET + "!", algorithm="HS256"),
        jwt.encode({"sub": "x"}, SECRET, algorithm="HS384"),
        jwt.encode({"sub": "x", "exp": 1}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "x"}, "", algorithm="none"),
    ],
    ids=["no token", "signed by another", "another algorithm", "expired", "unsigned"],
)
def test_another_token_does_not(guarded: Client, token: str) -> None:
    answer = guarded.post("/v1/manifest/check", LINT, authorization=f"Bearer {token}")

    assert (answer.status, answer.body) == (401, {"detail": "Invalid token"})
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic YTpi", TOKEN])
def test_without_a_token_the_answer_asks_for_one(guarded: Client, authorization: str) -> None:
    answer = guarded.post("/api/v1/connector_builder/stream/read", LINT, authorization=authorization)

    assert (answer.status, answer.body["message"]) == (401, "Bearer token required")


@pytest.mark.parametrize("path", ["/health/", "/capabilities", "/v1/health", "/api/v1/connector_builder/health"])
def test_probes_need_no_token(guarded: Client, path: str) -> None:
    assert guarded.get(path).status == 200


def test_what_is_there_is_told_only_with_a_token(guarded: Client) -> None:
    assert guarded.get("/openapi.json").status == 401
    assert guarded.get("/v1/builder/cdks").status == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read(client: Client, kind: str) -> None:
    answer = client.post("/v1/manifest/resolve", LINT, content_type=kind)

    assert answer.status == 415
    assert "application/json" in answer.body["detail"]


def test_json_may_say_its_characters(client: Client) -> None:
    assert client.post("/v1/builder/lint", LINT, content_type="application/json; charset=utf-8").status == 200


@pytest.fixture(scope="module")
def narrow() -> Iterator[Client]:
    with serving(Memories(), Settings(body_bytes_max=1000, body_seconds_max=0.2)) as client:
        yield client


def test_a_body_that_is_too_large_is_refused_and_told_so(narrow: Client) -> None:
    answer = narrow.post("/v1/stream/read", b"[" + b"1," * 2_000_000 + b"1]")

    assert (answer.status, answer.body["message"]) == (413, "the request is larger than 1,000 bytes")


def test_a_body_without_a_length_is_counted_as_it_comes(narrow: Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", narrow.port, timeout=10)
    parts = [b"x" * 600, b"x" * 600]
    connection.putrequest("POST", "/v1/stream/read")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for part in parts:
        connection.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    connection.send(b"0\r\n\r\n")

    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_does_not_come_whole_is_not_waited_for(narrow: Client) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=10) as held:
        head = "POST /v1/stream/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        held.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())

        assert held.recv(1000).startswith(b"HTTP/1.1 408")


def test_a_header_that_decides_must_not_come_twice(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as held:
        twice = "Origin: http://localhost\r\nOrigin: https://evil.example\r\n"
        held.sendall(f"GET /health HTTP/1.1\r\nHost: localhost\r\n{twice}\r\n".encode())

        assert held.recv(1000).startswith(b"HTTP/1.1 400")
