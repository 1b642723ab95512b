from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from materialize_sqlite.dialect import SqliteDialect

from python.materialize_sql.dialect import CHECKPOINTS
from python.materialize_sql.planner import Found, plan
from python.materialize_sql.tables import Column, ExistingColumn, ExistingTable, Table
from python.protocol.errors import ConnectorError

DIALECT = SqliteDialect()
HOME = ("main", CHECKPOINTS)


def column(name: str, kind: str = "string", *, nullable: bool = True, is_key: bool = False) -> Column:
    return Column(field=name, types=DIALECT.types[kind], nullable=nullable, is_key=is_key)


TABLE = Table(
    binding=0,
    place=("main", "t"),
    collection="acmeCo/t",
    keys=(column("id", nullable=False, is_key=True),),
    values=(column("name"),),
    document=column("doc", "document", nullable=False),
    delta=False,
    backfill=0,
)
KEY = {"key": ("id",)}
EXISTING = ExistingTable(
    columns=(ExistingColumn("id", "TEXT"), ExistingColumn("name", "TEXT"), ExistingColumn("doc", "TEXT")), unique=KEY
)


def planned(table: Table, existing: ExistingTable | None, before: Table | None = None) -> list[str]:
    tables = {HOME: EXISTING, **({table.place: existing} if existing else {})}
    found = Found(schemas=frozenset({"main"}), tables=tables)
    last = {0: before} if before else {}
    return [action.description for action in plan(DIALECT, found, [table], last, "main")]


def with_columns(*columns: ExistingColumn, unique: Mapping[str, tuple[str, ...]] = KEY) -> ExistingTable:
    return ExistingTable(columns=columns, unique=unique)


def test_what_is_there_needs_nothing() -> None:
    assert planned(TABLE, EXISTING, TABLE) == []


def test_what_is_missing_is_made_in_order() -> None:
    nothing = Found(schemas=frozenset(), tables={})

    assert [action.description for action in plan(DIALECT, nothing, [TABLE], {}, "home")] == [
        "create schema home",
        "create schema main",
        f"create table home.{CHECKPOINTS} for checkpoints",
        "create table main.t for acmeCo/t",
    ]


def test_a_table_that_is_gone_is_only_made_for_a_backfill() -> None:
    with pytest.raises(ConnectorError, match=r"table main\.t is gone, .* raise the backfill counter of its binding"):
        planned(TABLE, None, TABLE)

    assert planned(msgspec.structs.replace(TABLE, backfill=1), None, TABLE) == ["create table main.t for acmeCo/t"]


def test_the_table_of_checkpoints_is_only_made_where_nothing_depends_on_what_it_held() -> None:
    found = Found(schemas=frozenset({"main"}), tables={TABLE.place: EXISTING})
    made = f"create table main.{CHECKPOINTS} for checkpoints"
    raised = msgspec.structs.replace(TABLE, backfill=1)

    with pytest.raises(ConnectorError, match=rf"table main\.{CHECKPOINTS}, which says how far documents were stored"):
        list(plan(DIALECT, found, [TABLE], {0: TABLE}, "main"))
    for last in ({}, {0: raised}):
        assert next(iter(plan(DIALECT, found, [TABLE], last, "main"))).description == made


def test_names_of_columns_are_compared_as_the_database_does() -> None:
    shouted = with_columns(*(ExistingColumn(each.name.upper(), each.type) for each in EXISTING.columns))

    assert planned(TABLE, shouted) == []


def test_a_table_is_changed_column_by_column() -> None:
    changed = with_columns(
        ExistingColumn("id", "TEXT"), ExistingColumn("name", "INTEGER"), unique={"a": ("id", "name")}
    )

    assert planned(TABLE, changed) == [
        "table main.t: change column name from INTEGER to TEXT",
        "table main.t: add column doc of type TEXT",
        "table main.t: keep keys unique",
    ]


def test_columns_that_documents_no_longer_fill_may_be_null() -> None:
    strict = with_columns(
        ExistingColumn("id", "TEXT", nullable=False),
        ExistingColumn("name", "TEXT", nullable=False),
        ExistingColumn("doc", "TEXT", nullable=False),
        ExistingColumn("old", "TEXT", nullable=False),
    )

    assert planned(TABLE, strict) == ["table main.t: let column name be null", "table main.t: let column old be null"]


def test_delta_updates_take_the_key_away() -> None:
    delta = msgspec.structs.replace(TABLE, delta=True)

    assert planned(delta, EXISTING, TABLE) == ["table main.t: stop keeping keys unique, for delta updates"]


@pytest.mark.parametrize(
    ("existing", "keys", "expected"),
    [
        (EXISTING, TABLE.keys, ["empty table main.t for a backfill"]),
        (EXISTING, (column("name", is_key=True),), ["create table main.t anew for a backfill, with other columns"]),
        (
            with_columns(ExistingColumn("id", "BLOB")),
            TABLE.keys,
            ["create table main.t anew for a backfill, with other columns"],
        ),
    ],
)
def test_a_backfill_keeps_a_table_whose_columns_and_key_can_stay(
    existing: ExistingTable, keys: Sequence[Column], expected: list[str]
) -> None:
    before = msgspec.structs.replace(TABLE, keys=tuple(keys))

    assert planned(msgspec.structs.replace(TABLE, backfill=1), existing, before) == expected


def test_a_key_never_changes_its_type() -> None:
    with pytest.raises(ConnectorError, match=r"column 'id' is of type INTEGER, which cannot become TEXT"):
        planned(TABLE, with_columns(ExistingColumn("id", "INTEGER"), *EXISTING.columns[1:]))
