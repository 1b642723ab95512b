"""What airbyte-cdk logs of the requests that it makes, without what must not be told: tokens, and the data itself."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator

from python.shim_airbyte_cdk.generations.values import Json, mapping
from python.shim_common.tokens import Giver, Masked, masking

__all__ = ["told_of_exchange", "withholding"]

_EXCHANGED = ("headers", "body", "request_body")
"""What the CDK adds to the logs that it writes of each request and response, at debug."""

_SECRETS = ("airbyte_cdk.utils.airbyte_secrets_utils", "__SECRETS_FROM_CONFIG")
_GIVERS = (
    Giver("airbyte_cdk.sources.declarative.auth.token_provider", "SessionTokenProvider", ("get_token",)),
    Giver(
        "airbyte_cdk.sources.streams.http.requests_native_auth.abstract_oauth",
        "AbstractOauth2Authenticator",
        ("_make_handled_request", "_get_refresh_access_token_response", "__call__"),
    ),
)
"""Where tokens come from: an OAuth refresh is the second method since CDK 6, and the third one before."""


@contextlib.contextmanager
def withholding() -> Iterator[None]:
    """Within, logs have no headers and bodies of the source's requests, and tokens that it is given are masked."""
    masked = Masked()

    def withhold(record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] == "airbyte":
            for name in _EXCHANGED:
                vars(record).pop(name, None)
        masked.add(_known_to_the_cdk())
        return True

    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        handler.addFilter(withhold)
    try:
        with masking(_GIVERS, masked):
            yield
    finally:
        for handler in handlers:
            handler.removeFilter(withhold)


def told_of_exchange(text: str) -> str:
    """Return the message of a LOG; of one that tells of a request, what was asked, and how it was answered.

    The CDK writes these for its own tools, as JSON with all headers and bodies.
    """
    if '"http"' not in text:
        return text
    try:
        told = mapping(json.loads(text))
    except ValueError:
        return text
    http, url = mapping(told.get("http")), mapping(told.get("url")).get("full")
    request, response = mapping(http.get("request")), mapping(http.get("response"))
    if not request and not response:
        return text
    kept: Json = {"title": http.get("title"), "method": request.get("method"), "status": response.get("status_code")}
    return json.dumps({"http": kept, "url": url})


def _known_to_the_cdk() -> list[str]:
    """Return what the CDK masks in its own output: secrets of the config, which are masked anyway, and tokens."""
    module, name = _SECRETS
    found = getattr(sys.modules.get(module), name, None)
    return [secret for secret in found if isinstance(secret, str)] if isinstance(found, list) else []
