"""What only DuckDB needs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.materialize_sql import targets
from tests.materializing import Session, applied, binding, collection, place, spec

pytestmark = pytest.mark.slow

CACHED = "select sum(memory_usage_bytes) from duckdb_memory()"
LIMIT = "select current_setting('memory_limit')"


def test_what_was_stored_does_not_stay_in_memory(tmp_path: Path) -> None:
    from materialize_duckdb.endpoint import CACHE_MB

    target = targets.duckdb(tmp_path)
    wanted = spec(target.config, binding(collection(place("/id", "integer")), "things", delta=True))
    applied(target.make(), wanted)
    session = Session(target.make(), wanted)
    endpoint = session.connector._transactions._transactor._endpoint  # type: ignore[union-attr] # it is open
    limit, before = endpoint.execute(LIMIT), endpoint.execute(CACHED)[0][0]
    chance = random.Random(0)
    for first in range(0, 3000, 1000):
        texts = (chance.randbytes(10_000).hex().encode() for _ in range(1000))
        session.transaction(*(b'{"id":%d,"text":"%b"}' % (first + index, text) for index, text in enumerate(texts)))
        endpoint.execute("select count(distinct flow_document) from things")  # brings all of it into memory
    session.transaction()

    assert endpoint.execute(CACHED)[0][0] - before < CACHE_MB * 1e6
    assert endpoint.execute(LIMIT) == limit
    session.end()
