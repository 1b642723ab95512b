"""An API that means harm, on loopback: what it answers is too large, too deep, endless, late, or tells secrets back."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = b'{"id": 1, "text": "' + b"x" * 65_000 + b'"},\n'
EXPANDED_BYTES = 400 * 1024 * 1024


def gzip_bomb() -> bytes:
    """400 MiB of a JSON list in as many kilobytes: members of a gzip file follow each other."""
    blanks = gzip.compress(b" " * (1 << 20))
    return gzip.compress(b'{"data": [') + blanks * (EXPANDED_BYTES >> 20) + gzip.compress(b"]}")


def zip_bomb(name: str = "data.json") -> bytes:
    """400 MiB of blanks in a ZIP file."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w") as file,
    ):
        for _ in range(EXPANDED_BYTES >> 20):
            file.write(b" " * (1 << 20))
    return packed.getvalue()


def xml_bomb() -> bytes:
    """Entities that multiply."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><data><item>&e9;</item></data>'.encode()


class Attack(BaseHTTPRequestHandler):
    """`GET /NAME` calls the method `NAME`."""

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):  # the reader was ended meanwhile, as it should
            name = self.path.strip("/").partition("?")[0].partition("/")[0].replace("-", "_")
            attack: Callable[[], None] = getattr(self, f"answer_{name}", self.answer_good)
            attack()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        told = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
        for name, value in told.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_good(self) -> None:
        self.send(json.dumps({"data": [{"id": number} for number in range(3)]}).encode())

    def answer_echo(self) -> None:
        """All that was sent, in the body, a cookie and a header; with a token of our own."""
        told = {"data": [{"path": self.path, "headers": dict(self.headers), "access_token": "d3rived-t0ken-77"}]}
        self.send(json.dumps(told).encode(), Set_Cookie=f"sid={self.headers['Authorization']}", X_Echo=self.path)

    def answer_token(self) -> None:
        told = {"access_token": "d3rived-t0ken-77", "refresh_token": "r0tated-refresh-88", "expires_in": 3600}
        self.send(json.dumps(told).encode())

    def answer_error(self) -> None:
        self.send(json.dumps({"error": f"bad credentials {self.headers['Authorization']}"}).encode(), 401)

    def answer_html(self) -> None:
        self.send(b"<!doctype html><title>Log in</title>", Content_Type="text/html")

    def answer_endless(self) -> None:
        self.send(json.dumps({"data": [{"id": 1}], "next_page": time.monotonic_ns()}).encode())

    def answer_huge(self) -> None:
        """One page of a gigabyte, made while it is sent."""
        self.send(b'{"data": [', Content_Length=str(1 << 30))
        for _ in range((1 << 30) // len(CHUNK)):
            self.wfile.write(CHUNK)

    def answer_gzip_bomb(self) -> None:
        self.send(self.server.gzip_bomb, Content_Encoding="gzip")  # type: ignore[attr-defined] # see attacker

    def answer_gzip_file(self) -> None:
        self.send(self.server.gzip_bomb, Content_Type="application/gzip")  # type: ignore[attr-defined] # see attacker

    def answer_zip_file(self) -> None:
        self.send(self.server.zip_bomb, Content_Type="application/zip")  # type: ignore[attr-defined] # see attacker

    def answer_bad_gzip(self) -> None:
        self.send(b"\x1f\x8b not gzip at all", Content_Encoding="gzip")

    def answer_xml_bomb(self) -> None:
        self.send(xml_bomb(), Content_Type="application/xml")

    def answer_deep(self) -> None:
        self.send(b'{"data": ' + b"[" * 200_000 + b"]" * 200_000 + b"}")

    def answer_deep_record(self) -> None:
        self.send(b'{"data": [' + b'{"a": ' * 900 + b"1" + b"}" * 900 + b"]}")

    def answer_wide(self) -> None:
        self.send(json.dumps({"data": [{f"field{n}": n for n in range(200_000)}]}).encode())

    def answer_many(self) -> None:
        self.send(json.dumps({"data": [{"id": n} for n in range(20_000)]}).encode())

    def answer_numbers(self) -> None:
        self.send(b'{"data": [{"n": NaN, "i": Infinity, "b": ' + b"9" * 400 + b', "e": 1e999}]}')

    def answer_digits(self) -> None:
        self.send(b'{"data": [{"n": ' + b"9" * 10_000 + b"}]}")

    def answer_surrogates(self) -> None:
        self.send(rb'{"data": [{"text": "\ud800 \u0000", "\udfff": 1}]}')

    def answer_bytes(self) -> None:
        self.send(b"\xff\xfe\x00\x01" * 100, Content_Type="application/octet-stream")

    def answer_silent(self) -> None:
        self.server.closing.wait(60)  # type: ignore[attr-defined] # see attacker

    def answer_drip(self) -> None:
        """A body that comes byte by byte, each in time."""
        self.send(b'{"data": [', Content_Length="1000000")
        while not self.server.closing.wait(0.05):  # type: ignore[attr-defined] # see attacker
            self.wfile.write(b" ")

    def answer_short(self) -> None:
        self.send(b'{"data": [', Content_Length="5000")

    def answer_loop(self) -> None:
        self.send(b"", 302, Location=self.path)

    def answer_metadata(self) -> None:
        self.send(b"", 302, Location="http://169.254.169.254/latest/meta-data/iam/security-credentials/")

    def answer_garbage(self) -> None:
        self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")

    def answer_headers(self) -> None:
        self.send(b'{"data": []}', X_Long="x" * 100_000)

    def answer_wait(self) -> None:
        self.send(b"{}", 429, Retry_After="1000000")

    def answer_pattern(self) -> None:
        self.send(json.dumps({"data": [{"text": "a" * 60 + "!"}]}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
        """Say nothing."""


@contextlib.contextmanager
def attacker() -> Iterator[str]:
    """Within, the API is at the address that is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Attack)
    server.daemon_threads = True
    server.block_on_close = False
    server.closing = threading.Event()  # type: ignore[attr-defined] # so that nobody waits for a silent answer
    server.gzip_bomb, server.zip_bomb = gzip_bomb(), zip_bomb()  # type: ignore[attr-defined] # made once
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.closing.set()  # type: ignore[attr-defined] # as above
        server.shutdown()
        server.server_close()
        thread.join()


def refused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
