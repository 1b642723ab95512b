"""Publishing an endpoint config that the source has changed: it is encrypted first, since an event is a log."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable, Mapping

from python.shell import logs
from python.shell.scrubber import secrets_in
from python.shim_airbyte_cdk.models import Json

__all__ = ["ENCRYPTION_URL", "Seal", "publish", "sealed_by"]

ENCRYPTION_URL = "https://config-encryption.estuary.dev/v1/encrypt-config"
"""Flow's service, unless the environment variable ENCRYPTION_URL names another; empty, it forbids to send anything."""

Seal = Callable[[Json], Json]
"""Encrypts a config. Raises OSError or ValueError where it cannot."""

_SECONDS_MAX = 30.0
_logger = logging.getLogger(__name__)


def sealed_by(url: str, schema: Mapping[str, object]) -> Seal | None:
    """Return what encrypts a config as `schema` marks its secrets, at the service `url`; None where that is empty."""
    if not url:
        return None

    def seal(config: Json) -> Json:
        body = json.dumps({"config": config, "schema": schema}, sort_keys=True).encode()
        request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310 -- the operator's own
        with urllib.request.urlopen(request, timeout=_SECONDS_MAX) as answer:  # noqa: S310 -- same
            sealed: Json = json.load(answer)
        return sealed

    return seal


def publish(config: Json, schema: Mapping[str, object], seal: Seal | None) -> None:
    """Ask the control plane to store `config`, such as one with a rotated token, and mask its secrets from now on.

    A failure is logged: the source goes on with what it has, but its next start may find its credentials spent.
    """
    logs.protect(secrets_in(config, schema))
    problem: object = "ENCRYPTION_URL is empty"
    if seal is not None:
        try:
            logs.config_update(seal(config))
        except (OSError, ValueError) as error:
            problem = error
        else:
            return
    _logger.error("the source has changed its config, and it could not be encrypted and kept: %s", problem)
