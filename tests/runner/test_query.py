import builtins
import io
import json
import pathlib
import subprocess
import sys
from typing import Any

import duckdb
import pytest

from python.protocol.errors import HeadwaterError
from python.runner import query as query_module
from python.runner.query import query


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    made = str(tmp_path / "store.duckdb")
    with duckdb.connect(made) as db:
        db.execute("create table t (n bigint, s varchar)")
        db.execute("insert into t values (1, 'a'), (2, null)")
    return made


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(path: str, text: str, *, as_json: bool = False, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    query(path, text, as_json=as_json, out=out)
    return out.getvalue()


def test_without_a_terminal_rows_are_tab_separated(path: str) -> None:
    assert printed(path, "select n, s from t order by n") == "n\ts\n1\ta\n2\t\n"


def test_tabs_newlines_and_backslashes_are_escaped(path: str) -> None:
    assert printed(path, r"select e'a\tb\nc\\d' as x") == "x\na\\tb\\nc\\\\d\n"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("18446744073709551617::hugeint", 2**64 + 1),
        ("1.10::decimal(5, 2)", 1.10),
        ("0.1::double", 0.1),
        ("true", True),
        ("null", None),
        ("""'{"a":[1,null]}'::json""", {"a": [1, None]}),
        ("[1, 2]", [1, 2]),
        ("{'k': 'v'}", {"k": "v"}),
        ("'x\"y'", 'x"y'),
        ("date '2020-01-02'", "2020-01-02"),
    ],
)
def test_json_lines_have_json_values(path: str, value: str, result: Any) -> None:
    assert json.loads(printed(path, f"select {value} as v", as_json=True)) == {"v": result}


def test_times_need_no_time_zone_package_and_are_in_utc(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_pytz(name: str, *args: Any) -> Any:
        if name == "pytz":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_pytz)
    text = "select timestamptz '2020-01-01 01:00:00+01' as t"
    assert printed(path, text) == "t\n2020-01-01 00:00:00+00\n"
    assert json.loads(printed(path, text, as_json=True)) == {"t": "2020-01-01 00:00:00+00"}


def test_a_terminal_gets_a_table(path: str) -> None:
    table = printed(path, "select n, '[bold]' as s from t", out=Terminal())
    assert "[bold]" in table
    assert "│" in table


def test_a_table_ends_after_its_largest_number_of_rows(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_module, "TABLE_ROWS_MAX", 2)
    table = printed(path, "select * from range(5) r(x)", out=Terminal())
    assert "the first 2 rows" in table
    assert " 2 " not in table.replace("first 2 rows", "")


def test_many_rows_all_arrive(path: str) -> None:
    assert len(printed(path, "select * from range(3500)").splitlines()) == 3501


@pytest.mark.parametrize(
    "text", ["show tables", "describe t", "summarize t", "from t -- all", "with x as (from t) from x;"]
)
def test_whatever_returns_rows_is_printed(path: str, text: str) -> None:
    assert len(printed(path, text).splitlines()) > 1


def test_a_statement_without_rows_prints_nothing(path: str) -> None:
    assert printed(path, "set threads = 1") == ""


def test_columns_of_one_name_are_all_there(path: str) -> None:
    assert printed(path, "select 1 as a, 2 as a").splitlines()[1] == "1\t2"


def test_a_query_that_fails_is_a_sentence(path: str) -> None:
    with pytest.raises(HeadwaterError, match="the query failed: Catalog Error: Table with name none"):
        printed(path, "select * from none")
    with pytest.raises(HeadwaterError, match=r"the query failed: .*read-only"):
        printed(path, "insert into t values (3, 'c')")


def test_a_store_that_is_not_there_is_a_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HeadwaterError, match=r"there is no store .*: `headwater run` makes it"):
        printed(str(tmp_path / "none.duckdb"), "select 1")


def test_a_store_in_use_is_a_sentence(path: str) -> None:
    script = "import sys\nfrom python.runner.query import query\ntry: query(sys.argv[1], 'select 1', as_json=False)\n"
    script += "except Exception as error: print(error)"
    with duckdb.connect(path):
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert "is in use by another process" in done.stdout


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("explain select n from t", "explain_key\texplain_value\nphysical_plan\t"),
        ("pragma table_info('t')", "cid\tname\ttype\tnotnull\tdflt_value\tpk\n0\tn\tBIGINT\tFalse\t\tFalse\n1\ts\t"),
        ("call pragma_database_size()", "database_name\tdatabase_size\t"),
    ],
)
def test_what_explain_pragma_and_call_return_is_printed(path: str, text: str, shown: str) -> None:
    assert printed(path, text).startswith(shown)


def test_what_explain_and_pragma_return_is_json_where_asked_for(path: str) -> None:
    lines = [json.loads(line) for line in printed(path, "pragma table_info('t')", as_json=True).splitlines()]

    assert [(line["cid"], line["name"], line["pk"]) for line in lines] == [(0, "n", False), (1, "s", False)]
    assert json.loads(printed(path, "explain select 1", as_json=True))["explain_key"] == "physical_plan"
