"""A store in a bucket of Google Cloud Storage. Writers are told apart by the generation of an object, by the bucket."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from collections.abc import Container, Iterator, Mapping
from typing import Any, TypeAlias

import google.cloud.storage as storage  # type: ignore[import-untyped] # it ships no types # noqa: PLR0402 -- mypy finds it by no other way
import msgspec
from google.api_core.exceptions import GoogleAPICallError, NotFound, PreconditionFailed, RetryError
from google.auth import credentials as google_credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped] # same
from google.oauth2 import service_account
from requests import RequestException

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

__all__ = ["GcsStore", "open_gcs"]

RETRY_SECONDS_MAX = 60.0  # a bucket that cannot be reached for longer is an error that people should see
_READS_MAX = 5  # each repeats only where somebody wrote between two requests
_PROJECT = "headwater"  # what the client wants to be given; only making buckets would use it

_Object: TypeAlias = Any  # google-cloud-storage ships no types


class GcsStore(Store):
    """The objects below `prefix` in `bucket`. The sum of each object is kept beside it, so that a listing tells it."""

    def __init__(self, client: storage.Client, bucket: str, prefix: str = "") -> None:
        super().__init__(f"gs://{bucket}/{prefix}".rstrip("/"))
        self._bucket = client.bucket(bucket)
        self._client = client
        self._root = f"{prefix}/" if prefix else ""
        self._retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS_MAX)

    def _list(self, prefix: str, names: Container[str] | None) -> Iterator[Version]:
        return named(self._listed(prefix), names)

    def _listed(self, prefix: str) -> Iterator[Version]:
        with self._told(prefix):
            try:
                for each in self._client.list_blobs(self._bucket, prefix=self._root + prefix, retry=self._retry):
                    yield self._version(each)
            except NotFound:  # a listing that finds nothing is empty
                raise StoreError(f"{self.address}: there is no such bucket, or you may not see it") from None

    def _get(self, path: str) -> Blob:
        with self._told(path):
            for _ in range(_READS_MAX):
                found = self._object(path)
                found.reload(retry=self._retry)
                version = self._version(found)  # the download changes what the object knows of itself
                with contextlib.suppress(PreconditionFailed):  # somebody wrote meanwhile
                    data = found.download_as_bytes(if_generation_match=found.generation, retry=self._retry)
                    sha256 = hashlib.sha256(data).hexdigest()
                    return Blob(data=data, version=msgspec.structs.replace(version, sha256=sha256))
        raise StoreError(f"{self.address}/{path}: is written faster than it can be read")

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:
        made = self._object(path)
        made.cache_control = headers.cache_control
        made.metadata = {"sha256": headers.sha256}
        with self._told(path, when):
            made.upload_from_string(
                data,
                content_type=headers.content_type,
                if_generation_match=_generation(when),
                retry=self._retry,
            )
        return self._version(made)

    def _delete(self, path: str, when: Always | Unchanged) -> None:
        with self._told(path, when):
            try:
                self._object(path).delete(if_generation_match=_generation(when), retry=self._retry)
            except NotFound:
                if isinstance(when, Unchanged):
                    raise ConflictError(path, f"generation {when.generation}") from None

    def _object(self, path: str) -> _Object:
        return self._bucket.blob(self._root + path)

    def _version(self, found: _Object) -> Version:
        return Version(
            path=found.name.removeprefix(self._root),
            generation=str(found.generation),
            size=int(found.size),
            sha256=(found.metadata or {}).get("sha256"),
            updated=found.updated or dt.datetime.fromtimestamp(0, dt.timezone.utc),
        )

    @contextlib.contextmanager
    def _told(self, path: str, when: When | None = None) -> Iterator[None]:
        """Tell what the library raises as our errors."""
        try:
            yield
        except PreconditionFailed:
            wanted = f"generation {when.generation}" if isinstance(when, Unchanged) else "nothing there"
            raise ConflictError(path, wanted) from None
        except NotFound as error:
            if "bucket does not exist" in str(error).lower():
                raise StoreError(f"{self.address}: there is no such bucket, or you may not see it") from None
            raise NotFoundError(path) from None
        except (GoogleAPICallError, GoogleAuthError, RetryError, RequestException) as error:
            sentence = " ".join(str(error).split())
            raise StoreError(f"{self.address}/{path}: Google Cloud Storage says: {sentence}") from None


def open_gcs(bucket: str, prefix: str, environment: Mapping[str, str]) -> GcsStore:
    """Return the store below `prefix` in `bucket`, with the credentials of `environment`; nothing is asked yet.

    GCS_CREDENTIALS is the raw JSON of a service account; without it, Google's default credentials are looked for.
    With STORAGE_EMULATOR_HOST none are used. Raises StoreError where they are none.
    """
    host = environment.get("STORAGE_EMULATOR_HOST")
    if host:
        options = {"api_endpoint": host if "://" in host else f"http://{host}"}
        anonymous = google_credentials.AnonymousCredentials()  # type: ignore[no-untyped-call] # theirs
        return GcsStore(storage.Client(_PROJECT, anonymous, client_options=options), bucket, prefix)
    try:
        given = environment.get("GCS_CREDENTIALS")
        account = _account(given) if given else None
        client = storage.Client(project=account.project_id or _PROJECT if account else None, credentials=account)
    except (GoogleAuthError, OSError) as error:
        raise StoreError(
            f"gs://{bucket}: no credentials: {error} Set GCS_CREDENTIALS to the JSON of a service account"
        ) from None
    return GcsStore(client, bucket, prefix)


def _account(text: str) -> service_account.Credentials:
    try:
        found = json.loads(text)
        account: service_account.Credentials = service_account.Credentials.from_service_account_info(found)  # type: ignore[no-untyped-call] # theirs
    except (ValueError, TypeError, AttributeError, GoogleAuthError):
        # what the text is must not be told: it is a secret
        raise StoreError(
            "GCS_CREDENTIALS is not the JSON of a service account: want the text of its key file, raw, from { to }"
        ) from None
    return account


def _generation(when: When) -> int | None:
    """Return the generation that the bucket is to find: 0 is none, None is any."""
    if isinstance(when, Absent):
        return 0
    return int(when.generation) if isinstance(when, Unchanged) else None
