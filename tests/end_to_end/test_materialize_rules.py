"""The conformance rules of the protocol (reference, section 13), held against our SQL materializations as processes.

`@rules(…)` says which rules a test checks; the last test fails for a rule that no test has.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jsonschema
import msgspec
import pytest

from python.protocol import materialize as wire
from python.protocol.codec import MATERIALIZE_RESPONSES
from tests.conversing import ROOT, Ended, converse
from tests.end_to_end.materializations import Process, applied, as_request, command, things
from tests.materializing import HIGH, LOW
from tests.postgres import PASSWORD, postgres

pytestmark = pytest.mark.slow

WITH_OAUTH = [sys.executable, str(ROOT / "tests" / "connectors" / "oauth_shelf.py")]
"""Our own connectors have neither unions nor OAuth: this one of the tests has both."""

EVERYWHERE = {"client_id", "redirect_uri"}
VARIABLES = {
    "authUrlTemplate": {"state", "code_challenge", "code_challenge_method"},
    "accessTokenUrlTemplate": {"code", "client_secret", "code_verifier"},
    "accessTokenBody": {"code", "client_secret", "code_verifier"},
    "refreshTokenUrlTemplate": {"refresh_token", "client_secret"},
    "refreshTokenBody": {"refresh_token", "client_secret"},
}
"""What a template of OAuth may name besides (reference, section 14)."""
TAG = re.compile(r"\{{3}\s*([\w.]+)\s*\}{3}|\{\{([#/]\w+)\}\}|\{\{\s*([\w.]+)\s*\}\}")

OF_MATERIALIZATIONS = {*range(1, 31), *range(39, 44), *range(45, 49), *range(72, 87), 90} - {21}
_tested: set[int] = set()
Test = TypeVar("Test", bound=Callable[..., None])
CONSTRAINTS = {"FIELD_REQUIRED", "LOCATION_REQUIRED", "LOCATION_RECOMMENDED", "FIELD_OPTIONAL", "FIELD_FORBIDDEN"}


def rules(*numbers: int) -> Callable[[Test], Test]:
    _tested.update(numbers)
    return lambda test: test


class Connector(NamedTuple):
    name: str
    config: dict[str, Any]
    wrong: dict[str, Any]

    def ask(self, *requests: Any, **env: str) -> Ended:
        return converse(
            command(self.name), *(each if isinstance(each, dict) else as_request(each) for each in requests), **env
        )

    def prepared(self, **more: Any) -> Any:
        wanted = things(self.config, **more)
        applied(self.name, wanted)
        return wanted


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with postgres() as started:
        yield started.port


SQL = ["materialize-sqlite", "materialize-duckdb", "materialize-postgres"]


@pytest.fixture(params=[*SQL, "materialize-parquet"])
def connector(request: pytest.FixtureRequest, tmp_path: Path) -> Connector:
    return started(request, tmp_path)


@pytest.fixture(params=SQL)
def authority(request: pytest.FixtureRequest, tmp_path: Path) -> Connector:
    """A connector whose endpoint has the checkpoint."""
    return started(request, tmp_path)


def started(request: pytest.FixtureRequest, tmp_path: Path) -> Connector:
    if request.param == "materialize-parquet":
        return Connector(request.param, {"url": str(tmp_path / "tables")}, {"url": "nowhere://at/all"})
    if request.param != "materialize-postgres":
        return Connector(request.param, {"path": str(tmp_path / "file")}, {"path": "/nowhere/at/all"})
    config = {
        "address": f"127.0.0.1:{request.getfixturevalue('server')}",
        "password": PASSWORD,
        "schema": tmp_path.name,
    }
    return Connector(request.param, config, {**config, "user": "nobody"})


def strictly(end: Ended) -> list[Any]:
    """The responses, decoded as Flow's runtime does it: unknown members, nulls and double keys are refused."""
    return [MATERIALIZE_RESPONSES.decode(json.dumps(response).encode()) for response in end.responses]


@rules(*range(1, 11), 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 27, 28, 29)
def test_specs_are_answered_in_order_without_a_config(connector: Connector) -> None:
    end = connector.ask(
        {"spec": {}}, {"spec": {"connectorType": "LOCAL", "config": {}, "unheard": 1}, "$internal": "AA"}
    )

    assert (end.status, end.kinds, end.logs) == (0, ["spec", "spec"], [])
    strictly(end)
    first, second = (response["spec"] for response in end.responses)
    assert first == second
    assert first["protocol"] == 3032023
    assert isinstance(first.get("documentationUrl", ""), str)
    for name in ("configSchema", "resourceConfigSchema"):
        jsonschema.Draft202012Validator.check_schema(first[name])
        assert first[name]["type"] == "object"
        assert first[name].get("additionalProperties") is not False
        for title, member in first[name]["properties"].items():
            assert member.get("title"), title
            assert "default" in member or member.get("type") != "boolean"
            assert (title == "password") == (member.get("secret") is True)
    resource = first["resourceConfigSchema"]["properties"]
    assert [name for name, member in resource.items() if member.get("x-collection-name")] == ["table"]
    assert "table" in first["resourceConfigSchema"]["required"]
    assert resource["delta_updates"]["x-delta-updates"] is True
    assert "resourcePathPointers" not in first


@rules(24, 25)
def test_a_form_has_a_choice_of_credentials_of_which_one_is_filled_by_oauth() -> None:
    end = converse(WITH_OAUTH, {"spec": {}})
    config, provider = end.responses[0]["spec"]["configSchema"], end.responses[0]["spec"]["oauth2"]["provider"]
    branches = [config["$defs"][each["$ref"].rpartition("/")[2]] for each in _credentials(config)["oneOf"]]

    strictly(end)
    assert "credentials" in config["required"]
    assert [branch.get("x-oauth2-provider") for branch in branches] == [provider, None]
    name = _credentials(config)["discriminator"]["propertyName"]
    assert [branch["properties"][name]["const"] for branch in branches] == ["oauth2", "token"]
    assert all(branch["properties"][name]["default"] == branch["properties"][name]["const"] for branch in branches)


@rules(25)
def test_a_form_without_oauth_asks_for_none(connector: Connector) -> None:
    found = connector.ask({"spec": {}}).responses[0]["spec"]

    assert "oauth2" not in found
    assert "x-oauth2-provider" not in json.dumps(found["configSchema"])


@rules(26)
def test_templates_of_oauth_are_complete_and_name_what_there_is() -> None:
    oauth2 = converse(WITH_OAUTH, {"spec": {}}).responses[0]["spec"]["oauth2"]
    used = {name: _named(oauth2[name]) for name in VARIABLES}
    strange = {name: found - EVERYWHERE - VARIABLES[name] for name, found in used.items()}

    assert set().union(*strange.values()) == {"config.account"}
    assert "state" in used["authUrlTemplate"]
    assert {"code", "client_secret"} <= used["accessTokenBody"]
    assert {"refresh_token", "client_secret"} <= used["refreshTokenBody"]
    mapped = oauth2["accessTokenResponseMap"]
    assert {"refresh_token", "expires_in"} <= set(mapped)
    assert all(text.startswith("/") or _named(text) for text in mapped.values())


def _credentials(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["properties"]["credentials"]
    return found


def _named(template: str) -> set[str]:
    """The variables of a mustache template, all of whose tags and sections are closed."""
    names, sections = set(), list[str]()
    for unescaped, section, escaped in TAG.findall(template):
        if section.startswith("#"):
            sections.append(section[1:])
        elif section:
            assert sections.pop() == section[1:]
        else:
            names.add(unescaped or escaped)
    rest = TAG.sub("", template)
    assert ("{{" in rest, "}}" in rest, sections) == (False, False, [])
    return names


@rules(28, 39, 40, 42, 43)
def test_validate_answers_each_binding_with_constraints_and_changes_nothing(connector: Connector) -> None:
    wanted = things(connector.config)
    asked = [
        wire.ValidateBinding(
            resource_config=msgspec.Raw(b'{"table":"%b"}' % name), collection=wanted.bindings[0].collection
        )
        for name in (b"b", b"a")
    ]
    last = msgspec.structs.replace(wanted, config=msgspec.Raw(b'{"sops":{"sealed":true}}'), bindings=())
    request = wire.Validate(name="x", config=wanted.config, bindings=tuple(asked), last_materialization=last)
    end = connector.ask(request, request, wire.Validate(name="x", config=wanted.config))

    assert (end.status, end.kinds) == (0, ["validated"] * 3), end.stderr
    first, second, empty = strictly(end)
    assert (first, empty.bindings) == (second, ())
    assert [each.resource_path for each in first.bindings] == [("b",), ("a",)]
    for each in first.bindings:
        assert set(each.constraints) == {"id", "name", "flow_document"}
        assert {found.type for found in each.constraints.values()} <= CONSTRAINTS
        assert all(found.reason for found in each.constraints.values())


@rules(30, 41, 84, 90)
def test_a_config_that_does_not_work_is_told_in_one_log_without_its_secrets(connector: Connector) -> None:
    end = connector.ask(wire.Validate(name="x", config=things(connector.wrong).config))

    assert (end.status != 0, end.kinds) == (True, [])
    assert end.logs[-1]["level"] == "error"
    assert "want" in end.reason
    assert "Traceback" not in end.stderr
    assert PASSWORD not in end.stderr


@rules(45, 46, 47)
def test_apply_can_be_repeated_and_needs_one_round(connector: Connector) -> None:
    request = wire.Apply(materialization=things(connector.config), version="1")
    end = connector.ask(request, request)

    assert (end.status, end.kinds) == (0, ["applied", "applied"]), end.stderr
    first, second = (response["applied"] for response in end.responses)
    assert "state" not in first
    assert "create table" in first["actionDescription"]
    assert second == {}


@rules(11, 48, 72, 73, 74, 77, 79)
def test_a_session_loads_stores_and_ends_at_a_boundary(connector: Connector) -> None:
    process = Process(connector.name, connector.prepared())
    process.transaction({"id": 1, "name": "a"}, {"id": 2})
    assert process.load([1], [2], [3]) == [{"id": 1, "name": "a"}, {"id": 2}]
    process.store({"id": 1, "name": "b"})
    process.store({"id": 2, "name": "gone"}, delete=True)
    assert isinstance(process.commit("{}"), wire.StartedCommit)
    assert process.load([1], [2]) == [{"id": 1, "name": "b"}, {"id": 2, "name": "gone"}]
    assert isinstance(process.commit("{}"), wire.StartedCommit)

    status, logs = process.end()
    assert (status, [log for log in logs if log["level"] == "error"]) == (0, [])


@rules(77)
def test_hard_deletes_delete_and_delta_updates_load_nothing(connector: Connector) -> None:
    hard = connector._replace(config={**connector.config, "hard_delete": True})
    process = Process(connector.name, hard.prepared())
    process.transaction({"id": 1}, {"id": 2})
    process.transaction({"id": 1}, delete=True)
    assert process.load([1], [2]) == [{"id": 2}]
    process.kill()
    deltas = things(connector.config, delta=True)
    applied(connector.name, deltas)
    process = Process(connector.name, deltas)
    process.transaction({"id": 5}, {"id": 6})
    process.transaction({"id": 5})
    assert process.end()[0] == 0


@rules(76)
@pytest.mark.parametrize("as_tuples", [False, True])
def test_both_encodings_of_keys_are_understood(connector: Connector, as_tuples: bool) -> None:
    process = Process(connector.name, connector.prepared())
    documents: list[dict[str, Any]] = [{"id": 2**70, "name": "ü\0"}, {"id": -3, "name": None}]
    process.load()
    process.store(*documents, as_tuples=as_tuples)
    process.commit("{}")

    assert sorted(process.load([2**70], [-3], [7], as_tuples=not as_tuples), key=str) == sorted(documents, key=str)
    process.kill()


@rules(75, 78)
def test_what_was_committed_is_resumed_and_what_was_not_is_as_if_never_begun(authority: Connector) -> None:
    wanted = authority.prepared()
    checkpoint = '{ "sources": {"a/pivot=00;x":{"readThrough":"123"}}, "n":1.10}'
    process = Process(authority.name, wanted)
    process.transaction({"id": 1, "name": "a"}, checkpoint=checkpoint)
    assert process.load([1]) == [{"id": 1, "name": "a"}]
    process.store({"id": 1, "name": "half"}, {"id": 2})
    process.kill()

    for _ in range(2):
        again = Process(authority.name, wanted)
        assert again.checkpoint == checkpoint
        assert again.load([1], [2]) == [{"id": 1, "name": "a"}]
        again.kill()


@rules(78)
def test_an_older_session_of_an_overlapping_range_is_fenced(authority: Connector) -> None:
    wanted = authority.prepared()
    if authority.name == "materialize-duckdb":
        first = Process(authority.name, wanted)
        second = authority.ask(wire.Open(materialization=wanted, version="1"))
        assert (second.status != 0, "no other process has open" in second.reason) == (True, True)
        assert first.end()[0] == 0
        return
    zombie, other = Process(authority.name, wanted, LOW), Process(authority.name, wanted, HIGH)
    zombie.transaction({"id": 1, "name": "old"}, checkpoint="1")
    zombie.load([1])
    zombie.store({"id": 1, "name": "zombie"})
    session = Process(authority.name, wanted, LOW)
    assert session.checkpoint == "1"
    session.transaction({"id": 1, "name": "new"}, checkpoint="2")

    assert isinstance(zombie.commit("3"), wire.StartedCommit)
    status, logs = zombie.end()
    assert (status != 0, "has taken over the key range 00000000-7fffffff" in logs[-1]["message"]) == (True, True)
    other.transaction({"id": 2}, checkpoint="4")
    assert session.load([1]) == [{"id": 1, "name": "new"}]
    for process in (session, other):
        process.kill()


@rules(75)
def test_what_was_staged_is_finished_once_however_often_the_first_acknowledgement_comes(tmp_path: Path) -> None:
    connector = Connector("materialize-parquet", {"url": str(tmp_path / "tables")}, {})
    wanted = connector.prepared(delta=True)
    process = Process(connector.name, wanted)
    assert process.checkpoint == ""
    process.load()
    process.store({"id": 1, "name": "a"})
    state = process.commit("{}").state.updated
    process.kill()
    assert list((tmp_path / "tables" / "things").glob("part-*")) == []

    for _ in range(2):  # the state of the first acknowledged is lost
        again = Process(connector.name, wanted, state=state)
        answer = again.ask(wire.Acknowledge())
        assert (bytes(answer.state.updated), answer.state.merge_patch) == (
            b'{"staged":{"00000000-ffffffff":null}}',
            True,
        )
        assert len(list((tmp_path / "tables" / "things").glob("part-*"))) == 1
        assert again.end()[0] == 0


@rules(79)
def test_an_end_in_the_middle_of_a_transaction_is_an_error(connector: Connector) -> None:
    process = Process(connector.name, connector.prepared())
    process.load()
    process.store({"id": 1})

    status, logs = process.end()
    assert (status != 0, logs[-1]["level"]) == (True, "error")


@rules(80, 81, 82, 83, 86)
def test_logs_are_flows(connector: Connector) -> None:
    end = connector.ask(wire.Apply(materialization=things(connector.wrong), version="1"))

    assert end.logs
    for log in end.logs:
        assert set(log) <= {"level", "message", "fields", "ts"}
        assert log["level"] in ("trace", "debug", "info", "warn", "error")
        assert isinstance(log["message"], str)
        assert log.get("fields", {}).get("eventType", "connectorStatus") == "connectorStatus"


@rules(85)
@pytest.mark.parametrize("level", ["error", "trace"])
def test_every_log_level_is_accepted(connector: Connector, level: str) -> None:
    assert connector.ask({"spec": {}}, LOG_LEVEL=level).kinds == ["spec"]


def test_every_rule_of_materializations_has_a_test() -> None:
    assert OF_MATERIALIZATIONS - _tested == set()
