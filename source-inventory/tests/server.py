"""The inventory that source-inventory reads, on loopback:   python source-inventory/tests/server.py 8765"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "inventory-key-0123456789"

WAREHOUSES = [
    {"code": "nord", "name": "Nörd", "location": {"lat": 54.25, "lon": 10.1}},
    {"code": "sued", "name": "Süd", "location": {"lat": 47.999999999999, "lon": -0.5}},
]
PRODUCTS = [
    {
        "id": number,
        "name": f"Product {number}",
        "price": f"EUR {number}.{number % 4 * 25:02}",
        "tags": [f"tag {number % 3}"] * (number % 3),
        "ended": "2024-02-01" if number % 7 == 0 else None,
    }
    for number in range(1, 24)
]
MOVEMENTS = [
    {
        "id": number,
        "product": number % 23 + 1,
        "quantity": (-1) ** number * number,
        "moved_at": f"2024-{number // 28 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:30:00Z",
    }
    for number in range(60)
]


def answer(path: list[str], query: dict[str, str]) -> list[dict[str, Any]] | None:
    """What the inventory has at a path, or None where it has nothing."""
    if path == ["warehouses"]:
        return WAREHOUSES
    if path == ["products"]:
        size = int(query["per_page"])
        first = (int(query["page"]) - 1) * size
        return PRODUCTS[first : first + size]
    if path[0] == "warehouses" and path[2:] == ["stock"]:
        count = 3 if path[1] == "nord" else 4
        return [{"product": n, "quantity": n * 10, "weight": n / 8} for n in range(1, count + 1)]
    if path == ["movements"]:
        return [each for each in MOVEMENTS if query["from"] <= str(each["moved_at"]) <= query["to"]]
    return None


class Handler(BaseHTTPRequestHandler):
    """Answers those who have the key."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a page of data, 401 or 404."""
        target = urlsplit(self.path)
        found = answer(target.path.strip("/").split("/")[1:] or [""], dict(parse_qsl(target.query)))
        status = 401 if self.headers.get("X-Api-Key") != KEY else 404 if found is None else 200
        body = json.dumps({"data": found or []} if status == 200 else {"error": status}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


def serving(port: int = 0) -> Iterator[str]:
    """Yield the address of an inventory on loopback, and stop it in the end; port 0 takes any that is free."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
