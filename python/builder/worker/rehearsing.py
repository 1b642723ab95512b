"""A test read that nobody asked for, done so that those that somebody asks for find everything warm.

The supervisor does one before it forks anything: what Python and the libraries do once in a process (caches, types
looked at for the first time, code specialised) is a third of what a first read takes. Then a child does another, as a
job, and tells which memory it wrote to. The API is a thread of the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import IO

from . import answering, child, execution, masking, pages, request, watching
from .kinds import Json

__all__ = ["has_threads", "memory_of_a_job", "read"]

_END_SECONDS_MAX = 2.0  # from the end of a read to that of its threads, which have nothing left to do
_JOB_SECONDS_MAX = 5.0

_MANIFEST = """{
  "version": "0.29.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["a"]},
  "streams": [{
    "type": "DeclarativeStream", "name": "a", "primary_key": ["id"],
    "retriever": {
      "type": "SimpleRetriever",
      "requester": {
        "type": "HttpRequester", "url_base": "https://a.invalid", "path": "/a", "http_method": "GET",
        "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['a'] }}"}
      },
      "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["a"]}},
      "paginator": {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "b"},
        "pagination_strategy": {
          "type": "CursorPagination", "cursor_value": "{{ response.b }}", "stop_condition": "{{ not response.b }}"
        }
      }
    },
    "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}}
  }]
}"""
_PAGES = (
    '{"a": [{"id": 1, "a": "x"}, {"id": 2, "a": null}], "b": "2"}',
    '{"a": [{"id": 3, "a": "2020-01-01T00:00:00Z"}], "b": null}',
)
_JOB = """{
  "command": "test_read", "config": {"a": "rehearsed"}, "stream": "a", "state": [], "components_py": null,
  "migrate": false, "normalize": false, "record": null, "replay": null,
  "limits": {
    "records": 100, "pages": 5, "slices": 5, "streams": 100, "seconds": 10, "cpu_seconds": 10,
    "result_bytes": 1048576, "memory_bytes": 2147483648
  },
  "allow_custom_code": false, "entrypoint": null, "network": null, "paths": []
}"""


def read(cdk_version: str) -> None:
    """Do a whole read in this process, but for what a job's process does to itself: limits and patches.

    Afterwards nothing is left of it that a job could see, but threads if `has_threads` says so. Whatever goes wrong is
    raised, within ten seconds.
    """
    main, hook = sys.modules["__main__"], sys.excepthook
    try:
        with _api() as url, tempfile.TemporaryDirectory() as folder:
            job = _job(url, folder, cdk_version)
            watch = watching.Watch(job, lambda *_: None)
            watch.start_clock()
            try:
                printed = execution.run_entrypoint(None, request.arguments(job, folder))
            finally:
                watch.stop_clock()
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
            answering.answer(job, printed, watch, masking.Masker(job["manifest"], job["config"]))
    finally:
        sys.modules["__main__"], sys.excepthook = main, hook


def has_threads() -> bool:
    """Whether this process has threads that do not end soon: then it must not be forked."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(_END_SECONDS_MAX)
    return threading.active_count() > 1


def memory_of_a_job(cdk_version: str) -> list[Json]:
    """Return the memory that a job of a forked child writes to, as of `pages.written`; nothing where none tells."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as told, contextlib.suppress(OSError, ValueError):
        pid = _forked(cdk_version, writing)
        try:
            return _runs(told)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return []


def _forked(cdk_version: str, writing: int) -> int:
    """Return a child that tells which memory a job writes to."""
    with os.fdopen(writing, "wb") as telling:
        pid = os.fork()
        if pid == 0:
            _tell(cdk_version, telling)
    return pid


def _runs(told: IO[bytes]) -> list[Json]:
    """Return what a child tells. Raises ValueError if that does not come whole, and in time."""
    text, deadline = b"", time.monotonic() + _JOB_SECONDS_MAX
    while select.select([told], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = told.read(65536)
        if not part:
            break
        text += part
    runs: list[Json] = json.loads(text)
    return runs


def _tell(cdk_version: str, telling: IO[bytes]) -> None:
    """Run a job in this process, write to which memory that was, and end."""
    with contextlib.suppress(BaseException), _api() as url, tempfile.TemporaryDirectory() as folder:
        ours, theirs = socket.socketpair()
        body = json.dumps(_job(url, folder, cdk_version)).encode()
        ours.sendall(struct.pack(">I", len(body)) + body)  # it fits a socket's buffer, as do the answers
        child.run(theirs.detach(), os.getppid())
        telling.write(json.dumps(pages.written()).encode())
        telling.flush()
    os._exit(0)


def _job(url: str, folder: str, cdk_version: str) -> dict[str, Json]:
    """Return a frame as of the server."""
    manifest = json.loads(_MANIFEST)
    manifest["streams"][0]["retriever"]["requester"]["url_base"] = url
    major = int(cdk_version.partition(".")[0])
    of_now = {"folder": folder, "server": os.getppid(), "started": time.monotonic()}
    return {**json.loads(_JOB), **of_now, "manifest": manifest, "cdk_major": major}


@contextlib.contextmanager
def _api() -> Iterator[str]:
    """Within, a thread answers at the URL."""
    before = os.environ.get("NO_PROXY")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening,), daemon=True)
        thread.start()
        os.environ["NO_PROXY"] = "127.0.0.1"
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            del os.environ["NO_PROXY"]
            os.environ.update({} if before is None else {"NO_PROXY": before})
            with contextlib.suppress(OSError):
                socket.create_connection(listening.getsockname()).close()  # which ends it
            thread.join(_END_SECONDS_MAX)


def _serve(listening: socket.socket) -> None:
    """Answer one request on each connection, one after the other, until one comes without a request."""
    with contextlib.suppress(OSError):
        while _answered(listening.accept()[0]):
            pass


def _answered(connection: socket.socket) -> bool:
    """Answer a request, and close the connection; return whether there was one."""
    with connection:
        asked = connection.recv(65536)  # a request without a body comes whole
        body = _PAGES[b"b=2" in asked.partition(b"\r\n")[0]].encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
    return bool(asked)
