"""What only PostgreSQL needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from python.protocol.errors import ConfigError
from tests.materialize_sql import targets
from tests.materializing import spec, validated
from tests.postgres import Postgres

pytestmark = pytest.mark.slow

LIMIT = "show idle_in_transaction_session_timeout"


def test_only_a_commit_that_stands_still_is_ended_by_the_server(server: Callable[[], Postgres], tmp_path: Path) -> None:
    """Loads may stand still for as long as the runtime takes to read them."""
    target = targets.postgres(server(), tmp_path.name)
    endpoint = target.make().connect(targets._config(target))

    with endpoint.transaction():
        assert endpoint.execute(LIMIT) == [("1min",)]
    assert endpoint.execute(LIMIT) == [("0",)]
    endpoint.close()


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        (":5432", "config /address: got ':5432', want host:port"),
        ("db.example.com:", "want host:port"),
        ("db.example.com:port", "want host:port"),
    ],
)
def test_an_address_that_is_none_is_told_at_once(address: str, wrong: str) -> None:
    connector = pytest.importorskip("materialize_postgres").MaterializePostgres()

    with pytest.raises(ConfigError, match=wrong):
        validated(connector, spec({"address": address}))


def test_addresses_may_leave_out_the_port_and_be_of_ipv6() -> None:
    address = pytest.importorskip("materialize_postgres.connector")._address

    assert [address(text) for text in ("db", "db:1", "[::1]:2", "[::1]")] == [
        ("db", 5432),
        ("db", 1),
        ("::1", 2),
        ("::1", 5432),
    ]
