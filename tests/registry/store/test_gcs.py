"""What is asked of Google, where its emulator would not notice: preconditions, and how errors are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from google.api_core import exceptions

from python.registry.store import ABSENT, ALWAYS, ConflictError, NotFoundError, StoreError, Unchanged, When, open_store
from python.registry.store.gcs import GcsStore

GOOGLE: Any = exceptions  # it is not typed


class Blob:
    """Notes the keyword arguments of each call; `raises` is raised by all."""

    def __init__(self, name: str, raises: list[Exception]) -> None:
        self.name = name
        self.raises = raises
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.generation, self.size = 7, 1
        self.updated = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
        self.metadata: dict[str, str] = {}
        self.cache_control: str | None = None

    def _called(self, name: str, options: dict[str, Any]) -> None:
        self.calls.append((name, options))
        if self.raises:
            raise self.raises.pop(0)

    def reload(self, **options: Any) -> None:
        self._called("reload", options)

    def download_as_bytes(self, **options: Any) -> bytes:
        self._called("download", options)
        return b"x"

    def upload_from_string(self, data: bytes, **options: Any) -> None:
        self._called("upload", options)

    def delete(self, **options: Any) -> None:
        self._called("delete", options)


class Client:
    """A bucket of one blob."""

    def __init__(self, *raises: Exception) -> None:
        self.one = Blob("", list(raises))

    def bucket(self, name: str) -> Client:
        return self

    def blob(self, name: str) -> Blob:
        self.one.name = name
        return self.one


def store(client: Client, prefix: str = "") -> GcsStore:
    return GcsStore(client, "bucket", prefix)


@pytest.mark.parametrize(("when", "wanted"), [(ALWAYS, None), (ABSENT, 0), (Unchanged("7"), 7)])
def test_a_write_names_the_generation_that_it_wants_to_find(when: When, wanted: int | None) -> None:
    client = Client()

    store(client, "prefix").put("a/b.json", b"{}", when=when, cache_control="no-cache")

    (name, options) = client.one.calls[0]
    assert (name, client.one.name, options["if_generation_match"]) == ("upload", "prefix/a/b.json", wanted)
    assert (options["content_type"], client.one.cache_control) == ("application/json", "no-cache")
    assert set(client.one.metadata) == {"sha256"}


def test_a_delete_names_the_generation_that_it_wants_to_find() -> None:
    client = Client()

    store(client).delete("a", when=Unchanged("7"))

    assert client.one.calls[0][1]["if_generation_match"] == 7


def test_a_read_is_of_one_generation_and_begins_anew_where_somebody_wrote() -> None:
    client = Client()
    raised = iter([None, GOOGLE.PreconditionFailed("x"), None, None])
    client.one._called = lambda name, options: _raise(next(raised), client.one.calls, name, options)  # type: ignore[method-assign] # a fake

    assert store(client).get("a").data == b"x"
    assert [name for name, _ in client.one.calls] == ["reload", "download", "reload", "download"]
    assert client.one.calls[1][1]["if_generation_match"] == 7


def _raise(error: Exception | None, calls: list[Any], name: str, options: dict[str, Any]) -> None:
    calls.append((name, options))
    if error:
        raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (GOOGLE.PreconditionFailed("x"), ConflictError),
        (GOOGLE.NotFound("no such object"), NotFoundError),
        (GOOGLE.NotFound("The specified bucket does not exist."), StoreError),
        (GOOGLE.Forbidden("x"), StoreError),
        (GOOGLE.ServiceUnavailable("x"), StoreError),
        (requests.ConnectionError("x"), StoreError),
    ],
)
def test_what_google_says_is_told_as_ours(error: Exception, told: type[Exception]) -> None:
    with pytest.raises(told):
        store(Client(error)).put("a", b"", when=ABSENT)


def test_deleting_what_is_gone_is_a_conflict_only_where_a_generation_was_wanted() -> None:
    store(Client(GOOGLE.NotFound("x"))).delete("a")
    with pytest.raises(ConflictError):
        store(Client(GOOGLE.NotFound("x"))).delete("a", when=Unchanged("7"))


@pytest.mark.parametrize("credentials", ["{hunter2", "[]", "null", '{"type": "hunter2"}', "hunter2.json"])
def test_credentials_that_are_none_are_told_without_showing_them(credentials: str) -> None:
    with pytest.raises(StoreError, match="GCS_CREDENTIALS is not the JSON of a service account") as raised:
        open_store("gs://bucket", {"GCS_CREDENTIALS": credentials})

    assert "hunter2" not in str(raised.value)


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_told_by_its_listing(google: Mapping[str, str]) -> None:
    with pytest.raises(StoreError, match="gs://nobodys: there is no such bucket"):
        list(open_store("gs://nobodys", google).list())
