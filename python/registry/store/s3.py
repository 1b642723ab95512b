"""A store in a bucket of S3, or of what speaks as it does. Writers are told apart by the sum of an object, its ETag."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import hashlib
from collections.abc import Container, Iterator
from typing import Any, TypeAlias

import boto3  # type: ignore[import-untyped] # it ships no types
from botocore.config import Config  # type: ignore[import-untyped] # same
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped] # same

from python.registry.store.base import (
    Absent,
    Always,
    Blob,
    ConflictError,
    Headers,
    NotFoundError,
    Store,
    StoreError,
    Unchanged,
    Version,
    When,
    named,
)

__all__ = ["S3Store", "open_s3"]

_CONNECT_SECONDS_MAX = 10.0
_READ_SECONDS_MAX = 60.0
_CONNECTIONS_MAX = 32  # as many threads as may use one store at once without waiting for each other

_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "404", "NotFound")

_Client: TypeAlias = Any  # boto3 makes its clients' types at run time


class S3Store(Store):
    """The objects below `prefix` in `bucket`. The generation is the ETag: the same bytes written again keep it."""

    def __init__(self, client: _Client, bucket: str, prefix: str = "") -> None:
        super().__init__(f"s3://{bucket}/{prefix}".rstrip("/"))
        self._client = client
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""

    def _list(self, prefix: str, names: Container[str] | None) -> Iterator[Version]:
        return named(self._listed(prefix), names)

    def _listed(self, prefix: str) -> Iterator[Version]:
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix):
                for each in page.get("Contents", ()):
                    yield self._version(each["Key"], each, each["Size"])

    def _get(self, path: str) -> Blob:
        with self._told(path):
            found = self._client.get_object(Bucket=self._bucket, Key=self._root + path)
            data = found["Body"].read()
        sha256 = hashlib.sha256(data).hexdigest()
        return Blob(data=data, version=self._version(self._root + path, found, len(data), sha256))

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:
        options = {"CacheControl": headers.cache_control} if headers.cache_control else {}
        key = {"Bucket": self._bucket, "Key": self._root + path}
        with self._told(path, when):
            options |= _condition(when)
            found = self._client.put_object(**key, Body=data, ContentType=headers.content_type, **options)
        # asked for once more, it might be another writer's already
        written = {"ETag": found["ETag"], "LastModified": _date(found)}
        return self._version(key["Key"], written, len(data), headers.sha256)

    def _delete(self, path: str, when: Always | Unchanged) -> None:
        with self._told(path, when):
            try:
                self._client.delete_object(Bucket=self._bucket, Key=self._root + path, **_condition(when))
            except ClientError as error:
                if isinstance(when, Always) and _code(error) in _MISSING:
                    return
                raise

    def _version(self, key: str, found: _Client, size: int, sha256: str | None = None) -> Version:
        return Version(
            path=key.removeprefix(self._root),
            generation=found["ETag"].strip('"'),
            size=size,
            sha256=sha256,
            updated=found["LastModified"],
        )

    @contextlib.contextmanager
    def _told(self, path: str, when: When | None = None) -> Iterator[None]:
        """Tell what the library raises as our errors."""
        try:
            yield
        except ClientError as error:
            code = _code(error)
            if code in _CONFLICTS or (isinstance(when, Unchanged) and code in _MISSING):
                wanted = f"generation {when.generation}" if isinstance(when, Unchanged) else "nothing there"
                raise ConflictError(path, wanted) from None
            if code in _MISSING:
                raise NotFoundError(path) from None
            if code == "NoSuchBucket":
                raise StoreError(f"{self.address}: there is no such bucket") from None
            raise StoreError(f"{self.address}/{path}: S3 says: {error}") from None
        except BotoCoreError as error:
            raise StoreError(f"{self.address}/{path}: {error}") from None


def open_s3(bucket: str, prefix: str) -> S3Store:
    """Return the store below `prefix` in `bucket`; nothing is asked yet.

    Credentials, region and endpoint are found as every tool of AWS finds them: AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL_S3, or profiles. Raises StoreError for a profile that is none.
    """
    config = Config(
        connect_timeout=_CONNECT_SECONDS_MAX,
        read_timeout=_READ_SECONDS_MAX,
        max_pool_connections=_CONNECTIONS_MAX,
        retries={"mode": "standard"},
    )
    try:
        return S3Store(boto3.client("s3", config=config), bucket, prefix)
    except (BotoCoreError, ValueError) as error:
        raise StoreError(f"s3://{bucket}: {error}") from None


def _condition(when: When) -> dict[str, str]:
    if isinstance(when, Absent):
        return {"IfNoneMatch": "*"}
    return {"IfMatch": when.generation} if isinstance(when, Unchanged) else {}


def _date(found: _Client) -> dt.datetime:
    return email.utils.parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
