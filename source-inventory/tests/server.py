"""The inventory that source-inventory reads, on loopback:   python -m source-inventory.tests.server 8765"""

from __future__ import annotations

from typing import Any

from tests.serving import JsonApi, serve_for_ever

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


def rows_at(path: list[str], query: dict[str, str]) -> list[dict[str, Any]] | None:
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


class Api(JsonApi):
    """Answers those who have the key."""

    def answer(self, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        """Answer with a page of data, 401 or 404."""
        if self.headers.get("X-Api-Key") != KEY:
            return 401, {"error": 401}
        found = rows_at(path[1:] or [""], query)
        return (404, {"error": 404}) if found is None else (200, {"data": found})


if __name__ == "__main__":
    serve_for_ever(Api)
