from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.acceptance.target_suite import Table, Target
from python.acceptance.target_task import Task
from python.protocol.errors import ConnectorError
from tests.materializing import Session, applied, binding, collection, place, spec, validated

THINGS = collection(place("/id", "integer"), place("/name", "string"))


def connector() -> Any:
    from materialize_parquet import MaterializeParquet

    return MaterializeParquet()


@pytest.mark.parametrize("delta", [False, True])
def test_a_table_that_is_gone_is_stored_again_by_a_backfill_and_never_left_empty(tmp_path: Path, delta: bool) -> None:
    old = spec({"url": str(tmp_path)}, binding(THINGS, "things", delta=delta))
    applied(connector(), old)
    shutil.rmtree(tmp_path / "things")

    for last in (old, spec({"url": str(tmp_path)}, inactive=old.bindings)):
        constraints = validated(connector(), old, last)[0].constraints
        assert (constraints["id"].type, constraints["name"].type) == ("INCOMPATIBLE", "LOCATION_RECOMMENDED")
        with pytest.raises(ConnectorError, match=r"things is gone, .*; raise the backfill counter of its binding"):
            applied(connector(), old, last)
        assert list(tmp_path.iterdir()) == []
    again = spec({"url": str(tmp_path)}, binding(THINGS, "things", delta=delta, backfill=1))
    assert applied(connector(), again, old) == ["create table things for acmeCo/things"]
    applied(connector(), again, old)  # killed before the runtime heard of the first one


def test_what_a_table_held_before_is_asked_for_and_not_written_over(tmp_path: Path) -> None:
    """Its keys are new to the runtime, which would ask for none of them."""
    config = {"url": str(tmp_path)}
    target = Target(command=(), make=connector, config=config, rows=lambda _table: [])
    things = Table(name="things", properties={"id": {"type": "integer"}})
    _, session = Task.opened(target, things)
    session.transaction({"id": 1})
    session.end()

    flags: Any = {"advanced": {"feature_flags": "allow_existing_tables_for_new_bindings"}}
    mine = Task(target, **flags)
    mine.publish(things)
    with mine.open() as session:
        assert session.load([1], [2]) == [b'{"id":1}']
        session.commit(1)
    assert mine.spec is not None
    assert Session(connector(), mine.spec).wants_all_loads
    unflagged = msgspec.structs.replace(mine.spec, config=msgspec.Raw(msgspec.json.encode(config)))
    assert not Session(connector(), unflagged).wants_all_loads


def test_another_url_is_no_reason_to_leave_a_table_empty(tmp_path: Path) -> None:
    old = spec({"url": str(tmp_path / "a")}, binding(THINGS, "things"))
    applied(connector(), old)
    moved = spec({"url": str(tmp_path / "b")}, binding(THINGS, "things"))

    with pytest.raises(ConnectorError, match=r"things is gone, or not where the config says now"):
        applied(connector(), moved, old)
    assert applied(connector(), moved) == ["create table things for acmeCo/things"]
