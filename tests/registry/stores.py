"""Stores for tests: emulators of the clouds, a store that fails at its n-th write, one that counts its writes."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Container, Iterator, Mapping
from typing import Any
from unittest import mock

from python.registry.store import Always, Blob, Store, Unchanged, Version, When
from python.registry.store.base import Headers

BUCKET = "registry-of-a-test"


class CrashError(BaseException):
    """The process is gone: nothing that handles errors may handle this one."""


class FailingStore(Store):
    """`inner`, until the write after `writes` of them (puts and deletes that changed something, or tried to)."""

    def __init__(self, inner: Store, writes: int) -> None:
        super().__init__(inner.address)
        self.inner = inner
        self.left = writes

    def _list(self, prefix: str, names: Container[str] | None) -> Iterator[Version]:
        return self.inner.list(prefix, names)

    def _get(self, path: str) -> Blob:
        return self.inner.get(path)

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:
        self._write(path)
        kinds = {"content_type": headers.content_type, "cache_control": headers.cache_control}
        return self.inner.put(path, data, when=when, **kinds)

    def _delete(self, path: str, when: Always | Unchanged) -> None:
        self._write(path)
        self.inner.delete(path, when=when)

    def _write(self, path: str) -> None:
        if self.left <= 0:
            raise CrashError(path)
        self.left -= 1


class RecordingStore(FailingStore):
    """`inner`, with `written`: the path of each write, in order."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner, 0)
        self.written: list[str] = []

    def _write(self, path: str) -> None:
        self.written.append(path)


def contents(store: Store, prefix: str = "") -> Mapping[str, bytes]:
    """Every object of `store` below `prefix`."""
    return {each.path: store.get(each.path).data for each in store.list(prefix)}


@contextlib.contextmanager
def google_emulator() -> Iterator[Mapping[str, str]]:
    """Within, the environment of a bucket BUCKET of Google's, in memory, on loopback.

    After each write the emulator writes down all that it holds, which takes it a minute for a few thousand objects; in
    memory nobody ever reads that, so it is left out.
    """
    from gcp_storage_emulator.server import create_server  # type: ignore[import-untyped] # it ships no types
    from gcp_storage_emulator.storage import Storage  # type: ignore[import-untyped] # same

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with mock.patch.object(Storage, "_write_config_to_file"):
        server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
        server.start()
        try:
            yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"}
        finally:
            server.stop()


@contextlib.contextmanager
def s3_emulator() -> Iterator[None]:
    """Within, boto3 finds a bucket BUCKET of S3's, in memory, on loopback."""
    import boto3  # type: ignore[import-untyped] # same
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        found: dict[str, Any] = {
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "of-a-test",
            "AWS_SECRET_ACCESS_KEY": "of-a-test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with mock.patch.dict(os.environ, found):
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            yield
    finally:
        server.stop()
