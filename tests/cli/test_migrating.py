"""`headwater migrate-test`: real connectors opened with the states of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from python.cli.migrate_test import migrate_test
from tests.singer import require_environment
from tests.singer_sources import rest_source

ROOT = Path(__file__).parent.parent.parent
CURSOR = {"updated_at": "2024-01-01T00:16:36Z"}  # of an order in the middle
MESSAGE = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "orders"}, "stream_state": CURSOR}}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(ROOT)

    def invoke(state: Any, to: str, *options: str) -> Result:
        path = tmp_path / "state.json"
        path.write_text(state if isinstance(state, str) else json.dumps(state))
        return CliRunner().invoke(migrate_test, ["--from", str(path), "--to", to, *options])

    return invoke


def outcomes(told: Result) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in json.loads(told.stdout)["bindings"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [
        {"bindingStateV1": {"orders": {"rowId": 500, "state": {**MESSAGE, "data": None, "global_": None}}}},
        {"bindingStateV1": {"orders.v3": {"rowId": 500, "state": MESSAGE}}},
    ],
    ids=["Estuary's shim", "backfilled"],
)
def test_orders_go_on_from_each_form_of_a_state(call: Any, state: Any) -> None:
    told = call(state, "source-bigdata", "--json")

    (orders,) = [each for each in json.loads(told.stdout)["bindings"] if each["name"] == "orders"]
    assert (orders["outcome"], orders["cursor"]) == ("resumes", json.dumps(CURSOR, separators=(",", ":")))
    came, of = orders["why"].split(" documents")[0].split(" of ")
    assert 0 < int(came) < int(of.replace(",", "")) == 1000
    assert outcomes(told) == {"events": "refreshes", "orders": "resumes", "line_items": "refreshes"}
    assert told.exit_code == 0


@pytest.mark.slow
def test_a_state_that_cannot_be_continued_is_refused_and_restarts_where_the_user_says_so(call: Any) -> None:
    refused = call({"bookmarks": {"orders": CURSOR}}, "source-bigdata")
    allowed = call({"bookmarks": {"orders": CURSOR}}, "source-bigdata", "--allow-restart", "acmeCo/orders")

    assert refused.exit_code == 1
    assert "! orders      refused" in refused.stdout
    assert "The connector says: " in refused.stdout
    assert "the stored state cannot be continued for orders: it is not of these streams" in refused.stdout
    assert (allowed.exit_code, allowed.stdout.count("restarts (allowed)")) == (0, 1)


@pytest.mark.slow
def test_airbyte_to_flow_s_state_goes_on_and_what_no_binding_captures_is_lost_unless_the_user_says_so(
    call: Any,
) -> None:
    state = {"orders": CURSOR, "gone": CURSOR, "too": CURSOR, "estuary.dev/merge": True}
    told = call(state, "source-bigdata", "--allow-restart", "gone", "--json")

    assert outcomes(told)["orders"] == "resumes"
    assert {each["name"]: each["fine"] for each in json.loads(told.stdout)["bindings"]} == {
        **dict.fromkeys(("events", "orders", "line_items", "gone"), True),
        "too": False,
    }
    assert told.exit_code == 1


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("state", [{"users": {"seed": 42, "updated_at": "2024-01-01T00:00:00+00:00"}}])
def test_source_faker_goes_on(call: Any, state: Any) -> None:
    require_environment("source-faker")
    told = call(state, "source-faker", "--json")

    assert outcomes(told) == {"products": "begins", "users": "resumes", "purchases": "begins"}
    assert told.exit_code == 0


@pytest.mark.slow
@pytest.mark.long
def test_source_hardcoded_records_has_nothing_to_go_on_from(call: Any) -> None:
    require_environment("source-hardcoded-records")
    told = call({"products": {"page": 3}}, "source-hardcoded-records", "--json")

    assert {*outcomes(told).values()} == {"refreshes"}
    assert told.exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [
        pytest.param(
            {
                "bookmarks": {
                    "events": {"replication_key": "updated_at", "replication_key_value": "2024-01-10T00:00:00Z"}
                }
            },
            marks=pytest.mark.long,
        ),
        {
            "bindingStateV1": {
                "events": {
                    "replication_key": "updated_at",
                    "replication_key_value": "2024-01-10T00:00:00Z",
                    "estuary.dev/rowCounter": 9,
                }
            }
        },
    ],
    ids=["a tap's own", "Estuary's shim"],
)
def test_events_of_a_tap_go_on_from_each_form_of_a_state(call: Any, tmp_path: Path, state: Any) -> None:
    require_environment("source-rest-api")
    with rest_source() as connector:
        text = (ROOT / "source-rest-api" / "test.flow.yaml").read_text()
        spec = tmp_path / "test.flow.yaml"
        spec.write_text(text.replace("http://127.0.0.1:8000", connector.config["api_url"]))
        told = call(state, str(spec), "--json")

    assert outcomes(told) == {"events": "resumes", "lines": "refreshes", "users": "refreshes"}
    assert told.exit_code == 0


@pytest.mark.parametrize(
    ("state", "to", "sentence"),
    [
        ("{", "source-bigdata", "state.json is no JSON"),
        ("3", "source-bigdata", "is '3': want a task's state, an object or a list of messages"),
        ("{}", "source-nowhere", "--to source-nowhere: source-nowhere is no file; name a connector's folder"),
        ("{}", "tests", "--to tests: tests/test.flow.yaml is no file"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(call: Any, state: str, to: str, sentence: str) -> None:
    told = call(state, to)

    assert (told.exit_code, told.stdout) == (2, "")
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--allow-restart", "nope"], "--allow-restart nope: no binding of acmeCo/source-bigdata is called so"),
        (["--timeout", "soon"], "--timeout: 'soon' is no duration"),
    ],
)
def test_an_option_that_fits_nothing_is_told_before_anything_is_captured(
    call: Any, options: Any, sentence: str
) -> None:
    told = call({}, "source-bigdata", *options)

    assert (told.exit_code, told.stdout) == (2, "")
    assert sentence in told.stderr
