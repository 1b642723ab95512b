"""Whether images are there, asked of their registries by the OCI distribution protocol: once each, and not too fast."""

from __future__ import annotations

import email.message
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.metadata.findings import Finding, Severity
from python.registry.metadata.validators import Subject, Validator

__all__ = ["Clock", "Image", "ImageError", "Images", "image_of", "validator"]

PAUSE_SECONDS = 0.2  # between two requests: well below what Docker Hub counts as abuse
TIMEOUT_SECONDS = 20.0
WAIT_SECONDS_MAX = 60.0  # that a registry may ask us to wait; beyond it we say so and end
TRIES_MAX = 3
_TOKEN_BYTES_MAX = 1024 * 1024

_HUB = "registry-1.docker.io"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_KINDS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class ImageError(HeadwaterError):
    """A registry cannot be asked. Its user must act: nobody knows whether the image is there."""


class _SilentError(ImageError):
    """A registry cannot be asked for anything."""


class Image(NamedTuple):
    """The name of an image, apart: which registry has it, its repository there, its tag or its digest."""

    host: str
    repository: str
    reference: str


def image_of(name: str) -> Image:
    """Return the parts of `name`, as docker reads it.

    >>> image_of("airbyte/source-faker:7.0.0"), image_of("localhost:5000/a@sha256:00").host
    (Image(host='registry-1.docker.io', repository='airbyte/source-faker', reference='7.0.0'), 'localhost:5000')
    """
    name, _, digest = name.partition("@")
    first, slash, rest = name.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, path = (first, rest) if is_host else (_HUB, name)
    path, _, tag = path.partition(":")
    if host == _HUB and "/" not in path:
        path = f"library/{path}"
    return Image("registry-1.docker.io" if host == "docker.io" else host, path, digest or tag or "latest")


class Clock(NamedTuple):
    """Time, and how to wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Images:
    """Asks registries, remembering what they said, with a pause between two requests. For one thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._known: dict[str, bool] = {}
        self._silent: dict[str, _SilentError] = {}
        self._next = float("-inf")

    def has(self, name: str) -> bool:
        """Return whether the image `name` can be pulled by everybody. Raises ImageError where nobody can tell.

        A registry that does not answer, or wants a long pause, is not asked again: each time would take as long.
        """
        host = image_of(name).host
        if host in self._silent:
            raise self._silent[host]
        if name not in self._known:
            try:
                self._known[name] = self._asked(name)
            except _SilentError as error:
                self._silent[host] = error
                raise
        return self._known[name]

    def _asked(self, name: str) -> bool:
        image = image_of(name)
        scheme = "http" if image.host.rsplit(":", 1)[0] in _LOOPBACK else "https"
        url = f"{scheme}://{image.host}/v2/{image.repository}/manifests/{image.reference}"
        answer = self._answer("HEAD", url, {"Accept": _KINDS})
        if answer.status == http.HTTPStatus.UNAUTHORIZED:
            token = self._token(answer.headers.get("www-authenticate", ""))
            answer = self._answer("HEAD", url, {"Accept": _KINDS, "Authorization": f"Bearer {token}"})
        if answer.status in (http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND):
            return answer.status == http.HTTPStatus.OK
        if answer.status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            return False  # registries say so of what is not there, too, and users could not pull it
        raise ImageError(f"{image.host} answers {answer.status}")

    def _token(self, challenge: str) -> str:
        said = dict(_CHALLENGE.findall(challenge))
        realm = said.pop("realm", "")
        if not realm.startswith(("https://", *(f"http://{host}" for host in _LOOPBACK))):
            raise ImageError(f"its registry wants a login of a kind that is not known: {challenge[:80]!r}")
        answer = self._answer("GET", f"{realm}?{urllib.parse.urlencode(said)}", {})
        try:
            found = json.loads(answer.body)
            return str(found.get("token") or found["access_token"])
        except (ValueError, KeyError, AttributeError):
            raise ImageError(f"its registry gives no token: {answer.status}") from None

    def _answer(self, method: str, url: str, headers: Mapping[str, str]) -> _Answer:
        """Return the answer to a request; of one that says to come later, the last of a few."""
        answer = self._paced(method, url, headers)
        for tried in range(1, TRIES_MAX):
            if answer.status != http.HTTPStatus.TOO_MANY_REQUESTS and answer.status < http.HTTPStatus.BAD_GATEWAY:
                break
            asked = answer.headers.get("retry-after", "")
            self._pause(float(asked) if asked.isdigit() else 2.0**tried)
            answer = self._paced(method, url, headers)
        return answer

    def _paced(self, method: str, url: str, headers: Mapping[str, str]) -> _Answer:
        self._pause(self._next - self._clock.now())
        self._next = self._clock.now() + PAUSE_SECONDS
        return _requested(method, url, headers)

    def _pause(self, seconds: float) -> None:
        if seconds > WAIT_SECONDS_MAX:
            raise _SilentError(f"a registry asks to wait {seconds:.0f} seconds")
        if seconds > 0:
            self._clock.sleep(seconds)


def _requested(method: str, url: str, headers: Mapping[str, str]) -> _Answer:
    request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310 -- http and https alone
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 -- same
            return _Answer(response.status, _lowered(response.headers), response.read(_TOKEN_BYTES_MAX))
    except urllib.error.HTTPError as error:
        with error:
            return _Answer(error.code, _lowered(error.headers), b"")
    except (OSError, http.client.HTTPException, ValueError, OverflowError) as error:  # the last two of odd ports
        raise _SilentError(
            f"{urllib.parse.urlsplit(url).netloc} cannot be asked: {getattr(error, 'reason', error)}"
        ) from None


def _lowered(headers: email.message.Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def validator(images: Images) -> Validator:
    """Return the rule that every image that a file names is there."""

    def check(subject: Subject) -> Iterator[Finding]:
        for at, name in _named(subject):
            try:
                is_there = images.has(name)
            except ImageError as error:
                sentence = f"nobody can tell whether {name} is there: {error}"
                yield Finding(
                    rule="",
                    pointer=at,
                    message=sentence,
                    fix="Try again later, or mend the name.",
                    severity=Severity.WARNING,
                )
                continue
            if not is_there:
                sentence = f"there is no image {name} that everybody can pull"
                yield Finding(rule="", pointer=at, message=sentence, fix="Push it first, or mend the name.")

    needs = ("dockerRepository", "dockerImageTag")
    return Validator("image-exists", "the images that it names are there", check, needs)


def _named(subject: Subject) -> Iterator[tuple[str, str]]:
    """Yield every image that the file names, and where: its own, those of overrides, of what breaks, and its base."""
    data = subject.data
    repository, tag = data["dockerRepository"], data["dockerImageTag"]
    yield "/data/dockerImageTag", f"{repository}:{tag}"
    for registry, settings in data.get("registryOverrides", {}).items():
        named = f"{settings.get('dockerRepository', repository)}:{settings.get('dockerImageTag', tag)}"
        if named != f"{repository}:{tag}":
            yield f"/data/registryOverrides/{registry}", named
    for version in data.get("releases", {}).get("breakingChanges", {}):
        if version != tag:
            yield f"/data/releases/breakingChanges/{version}", f"{repository}:{version}"
    base = data.get("connectorBuildOptions", {}).get("baseImage")
    if base:
        yield "/data/connectorBuildOptions/baseImage", base
    normalization = data.get("normalizationConfig")
    if normalization:
        named = f"{normalization['normalizationRepository']}:{normalization['normalizationTag']}"
        yield "/data/normalizationConfig", named
