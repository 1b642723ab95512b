"""What the server is told at its start, and what of it is refused."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import msgspec

from python.protocol.errors import HeadwaterError

__all__ = ["DEFAULT", "Settings", "checked", "from_environment", "is_loopback"]

DEFAULT = "default"
"""The name of the engine that serves requests which name none."""

_TOKEN_CHARACTERS_MIN = 16  # what can still be guessed over a network is no secret
_PORT_MAX = 65_535


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the server listens, whom it serves, and with which CDKs.

    `cdk_python`, `cdk_entrypoint` and `cdk_version` are of the default engine; without the first it is the interpreter
    that runs us. `cdks` are further interpreters by name, `projects` the name of the engine by `project_id`.
    `connectors` is a folder whose sub-folders are on the path of each job; `recordings` one below which `record` and
    `replay` of a request name folders. `allowed_networks` and `denied_networks` (as 10.0.0.0/8) bound what manifests
    may reach; without them everything, but no private address where the server listens beyond loopback. With `plain`
    no worker is kept warm. `hosts` and `origins` are accepted beside the server's own.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    jwt_secret: str | None = None
    allow_custom_code: bool = False
    cdk_python: str | None = None
    cdk_entrypoint: str | None = None
    cdk_version: str | None = None
    cdks: Mapping[str, str] = {}
    projects: Mapping[str, str] = {}
    connectors: str | None = None
    recordings: str | None = None
    allowed_networks: tuple[str, ...] = ()
    denied_networks: tuple[str, ...] = ()
    plain: bool = False
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    body_bytes_max: int = 10 * 1024 * 1024  # Airbyte's own limit of a request
    body_seconds_max: float = 30.0  # until a body has come whole
    deadline_seconds: float = 60.0  # of a job that does not say its own
    deadline_seconds_max: float = 600.0
    jobs_max: int = 8  # at once; more wait, since each may hold a gigabyte

    @property
    def is_guarded(self) -> bool:
        """Whether a token is demanded."""
        return bool(self.token or self.jwt_secret)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the variables say. Raises HeadwaterError for one that cannot be read."""
    told = {member: environment.get(name) or None for member, name in _VARIABLES.items()}
    port = environment.get("HEADWATER_BUILDER_PORT") or "8080"
    if not port.isascii() or not port.isdigit():
        raise HeadwaterError(f"HEADWATER_BUILDER_PORT: got {port!r}, want a number from 0 to {_PORT_MAX}")
    return Settings(
        host=environment.get("HEADWATER_BUILDER_HOST") or "127.0.0.1",
        port=int(port),
        allow_custom_code=_is_true(environment.get("AIRBYTE_ENABLE_UNSAFE_CODE", "")),
        plain=_is_true(environment.get("HEADWATER_BUILDER_PLAIN", "")),
        allowed_networks=_listed(environment.get("HEADWATER_BUILDER_ALLOW_NETWORKS", "")),
        denied_networks=_listed(environment.get("HEADWATER_BUILDER_DENY_NETWORKS", "")),
        **told,  # type: ignore[arg-type]  # each is of a member that is a text or None
    )


def _is_true(text: str) -> bool:
    return text.strip().lower() == "true"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


_VARIABLES = {
    "token": "HEADWATER_BUILDER_TOKEN",
    "jwt_secret": "AB_JWT_SIGNATURE_SECRET",
    "cdk_python": "CDK_PYTHON",
    "cdk_entrypoint": "CDK_ENTRYPOINT",
    "cdk_version": "CDK_VERSION",
    "connectors": "PATH_TO_CONNECTORS",
    "recordings": "HEADWATER_BUILDER_RECORDINGS",
}


def checked(settings: Settings) -> Settings:
    """Return `settings`. Raises HeadwaterError where the server must not start with them."""
    if not 0 <= settings.port <= _PORT_MAX:
        raise HeadwaterError(f"port {settings.port}: want a number from 0 (any free one) to {_PORT_MAX}")
    if not is_loopback(settings.host) and not settings.is_guarded:
        raise HeadwaterError(
            f"{settings.host} can be reached from other machines, and a builder fetches whatever it is told to: "
            "set HEADWATER_BUILDER_TOKEN to a long secret (clients send it as a bearer token), or "
            "AB_JWT_SIGNATURE_SECRET to the secret that tokens are signed with, or listen on 127.0.0.1"
        )
    for name, secret in (("HEADWATER_BUILDER_TOKEN", settings.token), ("AB_JWT_SIGNATURE_SECRET", settings.jwt_secret)):
        if secret is not None and len(secret) < _TOKEN_CHARACTERS_MIN:
            raise HeadwaterError(f"{name} has {len(secret)} characters, want {_TOKEN_CHARACTERS_MIN} or more")
    for network in (*settings.allowed_networks, *settings.denied_networks):
        _check_network(network)
    if DEFAULT in settings.cdks:
        raise HeadwaterError(f"--cdk {DEFAULT}=… is taken: {DEFAULT} is the built-in one, which CDK_PYTHON says")
    if not 0 < settings.deadline_seconds <= settings.deadline_seconds_max:
        most = settings.deadline_seconds_max
        raise HeadwaterError(f"--deadline {settings.deadline_seconds:g}: want seconds above 0, {most:g} at most")
    unknown = sorted(set(settings.projects.values()) - {DEFAULT, *settings.cdks})
    if unknown:
        raise HeadwaterError(f"no CDK is called {unknown[0]}: there are {', '.join([DEFAULT, *settings.cdks])}")
    return settings


def _check_network(network: str) -> None:
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        raise HeadwaterError(f"{network} is no network such as 10.0.0.0/8: {error}") from None


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
