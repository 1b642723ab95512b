"""What our Singer connectors read in tests: a database, an API and files, each with awkward values."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from tests.dbf import Field, write_dbf
from tests.postgres import PASSWORD, postgres
from tests.rest import rest_api
from tests.singer import Connector, Json

# Times come twice, so that a bookmark may stand in the middle of a pair.
TABLES = r"""
create table orders (
    id integer, line integer, updated_at timestamptz not null, price numeric(30, 10), weight numeric, doc jsonb,
    tags text[], content bytea, reference uuid, ratio double precision, done boolean, sold date,
    primary key (id, line)
);
insert into orders values
    (1, 1, '2024-01-01T00:00:00Z', 1.10, 12345678901234567890.123456789, '{"a": 1.10, "b": [1, null], "c": {"d": "é"}}',
     '{x,y}', '\xdeadbeef', '00000000-0000-0000-0000-000000000001', 0.1, true, '2024-01-01'),
    (1, 2, '2024-01-02T00:00:00.123456Z', null, 1e-20, 'null', null, null, null, 'NaN', null, null),
    (2, 1, '2024-01-03T02:00:00+02:00', -0.01, 0, '[1e2, "text"]', '{}', '\x', null, 1e300, false, '1999-12-31');
insert into orders (id, line, updated_at)
    select n / 3 + 10, n % 3, '2024-02-01T00:00:00Z'::timestamptz + n / 2 * interval '1 minute'
    from generate_series(0, 799) n;
create table notes (text text, written date);
insert into notes values ('first', '2024-01-01'), ('second', null), ('second', null);
"""


@contextlib.contextmanager
def postgres_source() -> Iterator[Connector]:
    with postgres() as server:
        server.execute(TABLES)
        config: Json = {"host": "127.0.0.1", "port": server.port, "user": "postgres", "password": PASSWORD}
        yield Connector(
            "source-postgres", "tap-postgres", {**config, "database": "postgres", "filter_schemas": ["public"]}
        )


def orders_by_time(entry: Json) -> Json:
    """A catalog entry or resource config, with `orders` read incrementally; the tap itself suggests no method."""
    if entry["stream"] != "public-orders":
        return {**entry, "replication_method": "FULL_TABLE"}
    return {**entry, "replication_method": "INCREMENTAL", "replication_key": "updated_at"}


@contextlib.contextmanager
def rest_source() -> Iterator[Connector]:
    users = [{"id": n, "name": f"user {n}", "address": {"city": "x", "zip": n}, "score": n / 10} for n in range(23)]
    events = [{"id": n, "updated_at": f"2024-01-{n + 1:02d}T00:00:00Z", "note": None} for n in range(15)]
    lines = [{"text": "a"}, {"text": "b"}, {"text": "b"}]
    found = {"records_path": "$.data[*]"}
    streams: list[Json] = [
        {"name": "users", "path": "/users", "primary_keys": ["id"], **found},
        {
            "name": "events",
            "path": "/events",
            "primary_keys": ["id"],
            "replication_key": "updated_at",
            "start_date": "2024-01-03T00:00:00Z",
            "source_search_field": "since",
            "source_search_query": "$last_run_date",
            **found,
        },
        {"name": "lines", "path": "/lines", **found},
    ]
    with rest_api({"users": users, "events": events, "lines": lines}) as api:
        yield Connector("source-rest-api", "tap-rest-api-msdk", {"api_url": api.url, "streams": streams})


@contextlib.contextmanager
def dbf_source(folder: Path) -> Iterator[Connector]:
    items = [("1", "bolt", "1.10", "20240102", "T"), ("2", "nut", "", "", "?"), ("3", "", "-0.05", "19991231", "F")]
    fields = [Field("ID", "N", 6), Field("NAME", "C", 10), Field("PRICE", "N", 10, 2), Field("SOLD", "D", 8)]
    write_dbf(folder / "items.dbf", [*fields, Field("OK", "L", 1)], items)
    write_dbf(folder / "places.dbf", [Field("CITY", "C", 20)], [("Bern",), ("Oslo",)])
    yield Connector("source-dbf", "tap-dbf", {"path": f"{folder}/*.dbf"})


@contextlib.contextmanager
def classic_source(folder: Path) -> Iterator[Connector]:
    table(
        folder / "orders",
        {
            "key_properties": ["id", "line/no"],
            "replication_key": "updated_at",
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": ["null", "integer"]},
                    "line/no": {"type": "integer"},
                    "updated_at": {"type": "string", "format": "date-time"},
                    "price": {"type": ["null", "number"], "multipleOf": 1e-06, "minimum": 0, "exclusiveMinimum": True},
                },
            },
        },
        ['{"id": 1, "line/no": 1, "updated_at": "2024-01-01T00:00:00Z", "price": 1.10}']
        + ['{"id": 18446744073709551617, "line/no": 1, "updated_at": "2024-01-02T00:00:00Z", "price": 0.000000100}']
        + [
            f'{{"id": {n}, "line/no": 2, "updated_at": "2024-02-{n:02d}T00:00:00Z", "price": null}}'
            for n in range(1, 9)
        ],
    )
    table(
        folder / "trees",
        {
            "schema": {
                "type": "object",
                "properties": {"name": {"type": ["null", "string"]}, "branches": {"$ref": "#/definitions/branches"}},
                "definitions": {"branches": {"type": ["null", "array"], "items": {"$ref": "#/definitions/branches"}}},
            }
        },
        [
            '{"name": "oak", "branches": [[], [[]]]}',
            '{"name": null, "branches": null}',
            '{"name": "oak", "branches": []}',
        ],
    )
    yield Connector("source-classic", "tap-classic", {"path": str(folder), "state_every": 3})


def table(path: Path, described: Json, rows: list[str]) -> None:
    path.with_suffix(".json").write_text(json.dumps(described), encoding="utf-8")
    path.with_suffix(".jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
