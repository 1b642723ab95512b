"""The rows of each stream: pure functions of the config and a row's number, so any part can be made again exactly."""

from __future__ import annotations

import datetime as dt
import functools
import zlib
from collections.abc import Iterator

__all__ = ["events", "line_items", "order_number", "orders", "seed_of"]

_EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
_KINDS = ("click", "view", "purchase", "refund", "login", "logout", "search", "share")
_STATUSES = ("new", "paid", "packed", "shipped", "delivered", "returned")
_LINES_PER_ORDER = 4
_DAY_SECONDS = 86_400
_MASK = 0xFFFF_FFFF
_SIXTY = tuple(f"{number:02d}" for number in range(60))


def seed_of(data_name: str, region: str, stream: str) -> int:
    """Return the 32-bit seed of a stream's data."""
    return zlib.crc32(f"{data_name}/{region}/{stream}".encode())


def events(seed: int, region: str, numbers: range) -> Iterator[dict[str, object]]:
    """Yield events without any key, in order."""
    for number in numbers:
        mixed = _mix(seed + number)
        yield {
            "kind": _KINDS[mixed & 7],
            "region": region,
            "user": f"user-{mixed >> 12}",
            "weight": (mixed & 0xFFFF) / 64,
            "mobile": mixed & 0x100 != 0,
        }


def orders(seed: int, region: str, numbers: range) -> Iterator[dict[str, object]]:
    """Yield orders: `id` is the key, `updated_at` rises by one second with each, so it tells where to resume."""
    for number in numbers:
        mixed = _mix(seed + number)
        yield {
            "id": number,
            "updated_at": _time_of(number),
            "status": _STATUSES[mixed % 6],
            "region": region,
            "customer": f"customer-{mixed >> 16}",
            "cents": mixed & 0xF_FFFF,
        }


def line_items(seed: int, region: str, numbers: range) -> Iterator[dict[str, object]]:
    """Yield the lines of orders; `order_id` and `line` together are the key."""
    for number in numbers:
        mixed = _mix(seed + number)
        yield {
            "order_id": number // _LINES_PER_ORDER,
            "line": number % _LINES_PER_ORDER,
            "sku": f"{region}-{mixed >> 20}",
            "quantity": 1 + (mixed & 15),
            "gift": {"wrapped": mixed & 16 != 0, "note": None},
        }


def order_number(updated_at: str) -> int:
    """Return the number of the order that was updated at `updated_at`: the inverse of `orders`.

    Raises ValueError where the text is not a time that `orders` makes.
    """
    time = dt.datetime.strptime(updated_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)
    return int((time - _EPOCH).total_seconds())


def _time_of(number: int) -> str:
    days, seconds = divmod(number, _DAY_SECONDS)
    minutes, second = divmod(seconds, 60)
    return f"{_date(days)}T{_SIXTY[minutes // 60]}:{_SIXTY[minutes % 60]}:{_SIXTY[second]}Z"


@functools.lru_cache(maxsize=16)
def _date(days: int) -> str:
    return str(_EPOCH.date() + dt.timedelta(days))


def _mix(number: int) -> int:
    mixed = (number * 0x9E37_79B1) & _MASK
    mixed = ((mixed ^ (mixed >> 15)) * 0x85EB_CA77) & _MASK
    return mixed ^ (mixed >> 13)
