"""What the orchestrator is told by its environment: which bucket, whom to tell, which checkout."""

from __future__ import annotations

import datetime as dt
import logging
import os
import pathlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import dagster as dg

from python.protocol.errors import HeadwaterError
from python.registry.generation.plans import Options
from python.registry.service.notices import VARIABLES, NoticeError, notify
from python.registry.store import ConflictError, PathError, Store, StoreError, open_store

__all__ = [
    "AllowanceResource",
    "CheckoutResource",
    "Facts",
    "NoticeResource",
    "RegistryResource",
    "now",
    "resources_from",
    "sentences",
]


Facts: TypeAlias = "dict[str, dg.MetadataValue | str | int | bool]"
"""What is told of an asset or a check."""


class AllowanceResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # it gives no value but itself
    """What a gate lets pass in this run alone: somebody sets it in the launchpad, who has looked at the change."""

    allow_shrink: bool = False
    allow_breaking: bool = False


class RegistryResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # it gives no value but itself
    """The bucket, where readers find it, and how many snapshots it keeps."""

    bucket: str = ""
    base_url: str = ""
    keep: int = 20

    def store(self) -> Store:
        """Return the bucket. Raises HeadwaterError where none is named."""
        if not self.bucket:
            raise HeadwaterError("METADATA_BUCKET names no bucket: copy .env.template to .env, and set it there")
        return open_store(self.bucket)

    def options(self, allowed: AllowanceResource | None = None) -> Options:
        """Return how to generate."""
        return Options(
            base_url=self.base_url.rstrip("/") or None,
            allow_shrink=bool(allowed and allowed.allow_shrink),
            allow_breaking=bool(allowed and allowed.allow_breaking),
        )


class NoticeResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # it gives no value but itself
    """The webhook that people are told by, a secret; empty where nobody wants to be told."""

    webhook: str = ""

    def tell(self, text: str) -> bool:
        """People are told `text`; return whether anybody wants to be. Raises NoticeError where it does not arrive."""
        if not self.webhook:
            return False
        notify(self.webhook, text)
        return True

    def try_to_tell(self, text: str, log: logging.Logger) -> bool:
        """People are told `text`, if anybody wants to be; that it does not arrive is logged. Return whether it did."""
        try:
            return self.tell(text)
        except NoticeError as error:
            log.error(str(error))  # noqa: TRY400 -- a sentence; its traceback would tell nothing more
            return False


class CheckoutResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # it gives no value but itself
    """The folder that connectors are released from; empty where there is none."""

    path: str = ""

    def folder(self) -> pathlib.Path | None:
        """Return the folder, None where none is named."""
        return pathlib.Path(self.path).absolute() if self.path else None


def resources_from(environment: Mapping[str, str] = os.environ) -> dict[str, object]:
    """Return the resources as the environment has them; what it does not set is empty, and told where it is missed.

    Secrets stay names of variables, so that no page shows them.
    """
    webhook = next((dg.EnvVar(name) for name in VARIABLES if environment.get(name)), "")
    return {
        "registry": RegistryResource(
            bucket=environment.get("METADATA_BUCKET", ""), base_url=environment.get("METADATA_CDN_BASE_URL", "")
        ),
        "allowed": AllowanceResource(),
        "notices": NoticeResource(webhook=webhook),
        "checkout": CheckoutResource(path=environment.get("METADATA_CHECKOUT", "")),
    }


def now() -> dt.datetime:
    """Return the time, in UTC."""
    return dt.datetime.now(dt.timezone.utc)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn our errors into failures of a step, told in a sentence; only a bucket out of reach is asked again."""
    try:
        yield
    except HeadwaterError as error:
        is_passing = isinstance(error, StoreError) and not isinstance(error, ConflictError | PathError)
        raise dg.Failure(str(error), allow_retries=is_passing) from None
