"""Images are asked of a registry on loopback that speaks the OCI distribution protocol, with tokens and refusals."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from python.registry.metadata.checking import check
from python.registry.metadata.images import WAIT_SECONDS_MAX, Clock, ImageError, Images, image_of, validator
from python.registry.metadata.validators import Subject
from tests.registry.metadata.metadata_files import changed

THERE = {"/v2/airbyte/there/manifests/1.4.0", "/v2/airbyte/there/manifests/1.0.0"}


class Registry(http.server.ThreadingHTTPServer):
    """It has the images THERE; `answers` are statuses that it gives first, `asked` is what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.wants_token = False
        self.host = f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Registry

    def do_HEAD(self) -> None:
        self.server.asked.append(self.path)
        if self.server.answers:
            self._answer(*self.server.answers.pop(0))
        elif self.server.wants_token and self.headers["Authorization"] != "Bearer of-a-test":
            challenge = f'Bearer realm="http://{self.server.host}/token",service="s",scope="pull"'
            self._answer(401, {"WWW-Authenticate": challenge})
        else:
            self._answer(200 if self.path in THERE else 404, {})

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = b'{"token": "of-a-test"}'
        self._answer(200, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,)).start()
        yield running
        running.shutdown()


class Slept(list[float]):
    """A clock that stands still but for the waiting, which it notes."""

    def clock(self) -> Clock:
        return Clock(now=lambda: sum(self), sleep=self.append)


def test_an_image_that_is_there_is_known_by_one_request(registry: Registry) -> None:
    images = Images(Slept().clock())

    answers = [images.has(f"{registry.host}/airbyte/there:1.4.0") for _ in range(3)]

    assert (answers, registry.asked) == ([True] * 3, ["/v2/airbyte/there/manifests/1.4.0"])


def test_an_image_that_is_not_there_is_not(registry: Registry) -> None:
    assert not Images(Slept().clock()).has(f"{registry.host}/airbyte/there:9.9.9")


def test_a_registry_that_wants_a_token_is_given_its_own(registry: Registry) -> None:
    registry.wants_token = True

    assert Images(Slept().clock()).has(f"{registry.host}/airbyte/there:1.4.0")
    assert "/token?service=s&scope=pull" in registry.asked


def test_requests_are_apart(registry: Registry) -> None:
    slept = Slept()
    images = Images(slept.clock())

    for tag in ("1", "2", "3"):
        images.has(f"{registry.host}/airbyte/there:{tag}")

    assert slept == pytest.approx([0.2, 0.2])


def test_a_registry_that_says_later_is_asked_later(registry: Registry) -> None:
    registry.answers = [(429, {"Retry-After": "7"}), (503, {})]
    slept = Slept()

    assert Images(slept.clock()).has(f"{registry.host}/airbyte/there:1.4.0")
    assert slept == pytest.approx([7, 4])


@pytest.mark.parametrize(
    "answers",
    [[(429, {"Retry-After": str(WAIT_SECONDS_MAX + 1).split(".")[0]})], [(500, {})], [(503, {})] * 3],
)
def test_where_nobody_can_tell_that_is_said(registry: Registry, answers: list[tuple[int, dict[str, str]]]) -> None:
    registry.answers = answers

    with pytest.raises(ImageError, match=r"answers 5|asks to wait"):
        Images(Slept().clock()).has(f"{registry.host}/airbyte/there:1.4.0")


def test_a_registry_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ImageError, match=r"127\.0\.0\.1:1 cannot be asked"):
        Images(Slept().clock()).has("127.0.0.1:1/a/b:1")


@pytest.mark.parametrize("realm", ["http://example.com/token", "file:///etc/passwd", ""])
def test_tokens_are_asked_for_over_https_alone(registry: Registry, realm: str) -> None:
    registry.answers = [(401, {"WWW-Authenticate": f'Bearer realm="{realm}"'})]

    with pytest.raises(ImageError, match="login of a kind that is not known"):
        Images(Slept().clock()).has(f"{registry.host}/airbyte/there:1.4.0")


def test_every_image_that_a_file_names_is_asked_for(registry: Registry) -> None:
    text = changed("data.dockerRepository", f"{registry.host}/airbyte/there").decode()
    text = changed("data.registryOverrides.oss.dockerImageTag", "1.3.9", text).decode()
    entry = {"upgradeDeadline": "2026-01-01", "message": "x"}
    text = changed("data.releases.breakingChanges", {"1.0.0": entry}, text).decode()
    text = changed("data.connectorBuildOptions.baseImage", f"{registry.host}/airbyte/base:1", text).decode()
    metadata = check(text.encode()).metadata
    assert metadata is not None

    findings = list(validator(Images(Slept().clock())).check(Subject(metadata=metadata)))

    assert [each.pointer for each in findings] == [
        "/data/registryOverrides/oss",
        "/data/connectorBuildOptions/baseImage",
    ]


def test_names_are_read_as_docker_reads_them() -> None:
    assert image_of("postgres") == ("registry-1.docker.io", "library/postgres", "latest")
    assert image_of("docker.io/airbyte/base:4@sha256:ab") == ("registry-1.docker.io", "airbyte/base", "sha256:ab")
    assert image_of("ghcr.io/estuary/source-x:v1") == ("ghcr.io", "estuary/source-x", "v1")


def test_a_registry_that_wants_a_long_pause_is_not_asked_again(registry: Registry) -> None:
    images = Images(Slept().clock())
    registry.answers = [(429, {"Retry-After": str(int(WAIT_SECONDS_MAX) + 1)})]

    for name in ("there:1.4.0", "there:1.0.0"):
        with pytest.raises(ImageError, match="asks to wait"):
            images.has(f"{registry.host}/airbyte/{name}")
    assert len(registry.asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1:99999", "127.0.0.1:0"])
def test_a_host_that_can_be_none_is_told(host: str) -> None:
    with pytest.raises(ImageError, match="cannot be asked"):
        Images(Slept().clock()).has(f"{host}/airbyte/there:1.4.0")
