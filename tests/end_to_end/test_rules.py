"""The conformance rules of the protocol (reference, section 13), held against our connectors as black boxes.

`@rules(…)` says which rules a test checks; the last test fails for a rule that no test has.
"""

from __future__ import annotations

import json
import random
import re
import signal
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
import pytest

from python.protocol import pointer
from python.protocol.patch import merge
from python.protocol.state_key import encode_state_key
from tests.conversing import ROOT, Ended, converse, ended, start, strictly

pytestmark = pytest.mark.slow

FULL = 4294967295
FAKED = {"acmeCo/products", "acmeCo/users", "acmeCo/purchases"}
CONFIGS: dict[str, dict[str, Any]] = {
    "source-bigdata": {"data_name": "rules", "region": "asia", "documents": 60, "page_size": 7},
    "source-faker": {"count": 20, "seed": 7, "parallelism": 1, "records_per_slice": 5, "always_updated": True},
}
ELSEWHERE = {
    25: ("tests/shim_airbyte_cdk/test_specification.py", "test_the_branch_that_oauth_fills_is_marked_and_required"),
    26: ("tests/shim_airbyte_cdk/test_oauth.py", "test_declarative_oauth_becomes_templates"),
    46: ("tests/runner/test_applying.py", "test_a_connector_that_returns_state_for_ever_does_not_converge"),
    52: ("tests/runner/test_collector.py", "test_meta_is_an_object_without_uuid"),
    62: ("tests/shell/test_serve.py", "test_acknowledging_more_than_is_pending_fails_the_session"),
    64: ("tests/runner/test_sourced.py", "test_an_open_object_is_told_with_its_place"),
    66: ("tests/protocol/test_capture_session.py", "test_only_the_first_shard_marks_backfills"),
    84: ("tests/shell/test_serve.py", "test_no_spelling_of_a_secret_reaches_the_logs"),
}
"""Rules which neither connector can show, or be seen to break: they have no secrets, OAuth, sourced schemas or
acknowledgements. Each with the file and the name of its test."""

OF_CAPTURES = {*range(1, 69), *range(80, 87), 90} - {22, 43, 44}
_tested: set[int] = set()
Test = TypeVar("Test", bound=Callable[..., None])


def rules(*numbers: int) -> Callable[[Test], Test]:
    _tested.update(numbers)
    return lambda test: test


class Connector:
    """One connector, and its conversations, each held once."""

    def __init__(self, name: str, **config: Any) -> None:
        self.name = name
        own = ROOT / name / ".venv" / "bin" / "python"
        self.command = [str(own if own.exists() else Path(sys.executable)), "-m", name]
        self.config = {**CONFIGS[name], **config}

    def ask(self, kind: str, **members: Any) -> Ended:
        return converse(self.command, {"spec": {"connectorType": "LOCAL", "config": {}}}, {kind: members})

    @cached_property
    def specs(self) -> Ended:
        with_more = {"connectorType": "LOCAL", "unheard": {"of": 1}}
        return converse(self.command, {"spec": {}}, {"spec": with_more, "$internal": "AAAA"})

    @cached_property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self.specs.responses[0]["spec"]
        return found

    @cached_property
    def discovered(self) -> list[dict[str, Any]]:
        end = self.ask("discover", connectorType="LOCAL", config=self.config, name="acmeCo/x")
        assert (end.status, end.kinds) == (0, ["spec", "discovered"])
        found: list[dict[str, Any]] = end.responses[1]["discovered"]["bindings"]
        return found

    @cached_property
    def bindings(self) -> list[dict[str, Any]]:
        return [
            {
                "resourceConfig": found["resourceConfig"],
                "resourcePath": self.path(found["resourceConfig"]),
                "collection": self.collection(found),
                "stateKey": encode_state_key(self.path(found["resourceConfig"]), 0),
            }
            for found in self.discovered
        ]

    def collection(self, found: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": f"acmeCo/{found['recommendedName']}",
            "writeSchema": found["documentSchema"],
            "key": found["key"],
            "uuidPtr": "/_meta/uuid",
        }

    def path(self, resource: dict[str, Any]) -> list[str]:
        parts = [pointer.resolve(resource, pointer.parse(at)) for at in self.spec["resourcePathPointers"]]
        return [str(part) for part in parts if part is not pointer.MISSING]

    def request(
        self, bindings: list[dict[str, Any]], state: Any = None, begin: int = 0, end: int = FULL
    ) -> dict[str, Any]:
        """An `open` with its zero values omitted, as on the wire."""
        spec = {"name": "acmeCo/x", "connectorType": "LOCAL", "config": self.config, "unheard": 1}
        owned = {"keyBegin": begin, "keyEnd": end, "rClockEnd": FULL}
        return {
            "open": {
                "capture": {**spec, **({"bindings": bindings} if bindings else {})},
                "version": "1",
                "range": {name: value for name, value in owned.items() if value},
                "state": {} if state is None else state,
            }
        }

    def open(self, *args: Any, **members: Any) -> Ended:
        return converse(self.command, {"spec": {}}, self.request(*args, **members))

    @cached_property
    def session(self) -> Ended:
        end = self.open(self.bindings)
        assert end.status == 0, end.stderr
        return end

    @cached_property
    def states(self) -> list[Any]:
        """The task's state after each checkpoint."""
        return folded(self.session)


def folded(end: Ended, state: Any = None) -> list[Any]:
    states, current = [], {} if state is None else state
    for response in end.responses:
        if "checkpoint" in response:
            update = response["checkpoint"].get("state")
            if update:
                current = merge(current if update.get("mergePatch") else {}, update["updated"])
            states.append(current)
    return states


def documents(end: Ended, names: list[str]) -> dict[str, dict[str, Any]]:
    """What a collection holds after a session: the last document of each key, by the collection's name.

    The values that source-faker makes depend on its worker processes, and these on where it resumes: its keys count.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for response in end.responses:
        if "captured" in response:
            name = names[response["captured"].get("binding", 0)]
            doc = dict(response["captured"]["doc"])
            keys = [doc[name] for name in ("id", "order_id", "line") if name in doc] or [doc["_meta"]["row_id"]]
            key = json.dumps(keys)
            doc.pop("_meta")
            found[name][key] = None if name in FAKED else doc
    return found


def names_of(bindings: list[dict[str, Any]]) -> list[str]:
    return [binding["collection"]["name"] for binding in bindings]


@pytest.fixture(scope="module", params=CONFIGS)
def connector(request: pytest.FixtureRequest) -> Connector:
    return Connector(request.param)


@rules(1, 2, 3, 4, 13, 15, 16, 27, 28, 29)
def test_spec_is_answered_twice_alike_and_nothing_else_is_said(connector: Connector) -> None:
    process = start(connector.command)
    stdout, _ = process.communicate('{"spec":{}}\n')

    assert (connector.specs.status, connector.specs.kinds) == (0, ["spec", "spec"])
    assert connector.specs.responses[0] == connector.specs.responses[1] == json.loads(stdout)
    assert stdout.endswith("\n")
    assert stdout.count("\n") == 1


class Raw:
    """A raw-JSON member: any object (rule 8), whose own members are the connector's business."""


STATE = {"updated": Raw, "mergePatch": bool}
BINDING = {"recommendedName": str, "resourceConfig": Raw, "documentSchema": Raw, "key": [str], "disable": bool}
SPEC = {"protocol": int, "configSchema": Raw, "resourceConfigSchema": Raw, "documentationUrl": str}
RESPONSES: dict[str, Any] = {
    "spec": {**SPEC, "oauth2": Raw, "resourcePathPointers": [str]},
    "discovered": {"bindings": [{**BINDING, "resourcePath": [str], "isFallbackKey": bool}]},
    "validated": {"bindings": [{"resourcePath": [str]}]},
    "applied": {"actionDescription": str, "state": STATE},
    "opened": {"explicitAcknowledgements": bool},
    "captured": {"binding": int, "doc": Raw},
    "sourcedSchema": {"binding": int, "documentSchema": Raw},
    "checkpoint": {"state": STATE},
}
"""The members of each response and their types (reference, section 3.2)."""


def assert_typed(value: Any, form: Any, at: str) -> None:
    """`value` has members of `form` alone, of their types: so no null, no other spelling, no `$internal`."""
    if isinstance(form, dict):
        assert isinstance(value, dict), at
        assert set(value) <= set(form), f"{at}: {set(value) - set(form)}"
        for name, member in value.items():
            assert_typed(member, form[name], f"{at}/{name}")
    elif isinstance(form, list):
        assert isinstance(value, list), at
        for index, item in enumerate(value):
            assert_typed(item, form[0], f"{at}/{index}")
    else:
        assert type(value) is (dict if form is Raw else form), f"{at}: {value!r}"


@rules(4, 5, 7, 8, 9, 10)
def test_every_response_has_members_of_the_protocol_alone_and_no_nulls(connector: Connector) -> None:
    asked = [{"resourceConfig": b["resourceConfig"], "collection": b["collection"]} for b in connector.bindings]
    spec = connector.request(connector.bindings)["open"]["capture"]
    ends = [
        connector.specs,
        connector.ask("discover", config=connector.config),
        connector.ask("validate", config=connector.config, bindings=asked),
        connector.ask("apply", capture=spec, version="1", state={}),
        connector.session,
    ]
    for response in [response for end in ends for response in end.responses]:
        assert len(response) == 1
        assert_typed(response, RESPONSES, "")
    kinds = {kind for end in ends for kind in end.kinds}
    assert kinds == set(RESPONSES) - {"sourcedSchema"}


@pytest.mark.parametrize(
    "line",
    [
        {"opened": {"explicitAcknowledgements": None}},
        {"opened": {}, "$internal": "AAAA"},
        {"captured": {"binding": "1", "doc": {}}},
        {"captured": {"doc": "{}"}},
        {"checkpoint": {"state": {"updated": {}, "merge_patch": True}}},
        {"discovered": {"bindings": [{"recommendedName": None}]}},
        {"validated": {"bindings": None}},
    ],
)
def test_a_response_that_breaks_these_rules_is_seen(line: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        assert_typed(line, RESPONSES, "")


@rules(6, 12)
def test_every_line_is_strict_json(connector: Connector) -> None:
    process = start(connector.command)
    stdout, _ = process.communicate(json.dumps(connector.request(connector.bindings)) + "\n")

    assert len([strictly(line) for line in stdout.splitlines()]) == len(connector.session.responses) - 1


@pytest.mark.parametrize("line", ['{"a":NaN}', '{"a":[-Infinity]}', '{"a":{"b":1,"b":1}}', '{"a":1}x'])
def test_a_line_that_is_no_strict_json_is_seen(line: str) -> None:
    with pytest.raises((AssertionError, json.JSONDecodeError)):
        strictly(line)


@rules(17, 18, 19, 20, 21, 23)
def test_spec_says_what_flow_needs(connector: Connector) -> None:
    spec = connector.spec

    assert spec["protocol"] == 3032023
    for name in ("configSchema", "resourceConfigSchema"):
        jsonschema.Draft202012Validator.check_schema(spec[name])
        assert spec[name]["type"] == "object"
    assert spec["configSchema"].get("additionalProperties") is not False
    assert spec["documentationUrl"].startswith("http")
    assert spec["resourcePathPointers"]
    assert all(
        pointer.parse(at)[0] in spec["resourceConfigSchema"]["properties"] for at in spec["resourcePathPointers"]
    )
    sensitive = [name for name in spec["configSchema"]["properties"] if re.search("token|secret|password", name)]
    assert all(spec["configSchema"]["properties"][name].get("secret") for name in sensitive)


@rules(24)
def test_forms_have_titles_descriptions_and_what_their_kind_needs(connector: Connector) -> None:
    seen: list[str] = []
    for name in ("configSchema", "resourceConfigSchema"):
        for field, schema in connector.spec[name]["properties"].items():
            assert schema["title"], field
            assert schema["description"], field
            assert schema.get("type") != "boolean" or isinstance(schema["default"], bool), field
            assert "enum" not in schema or "type" in schema, field
            assert_discriminated(schema, field)
            seen.append(field)

    assert {*connector.config, "stream", "syncMode"} <= set(seen)


def assert_discriminated(schema: dict[str, Any], field: str) -> None:
    if "oneOf" in schema:
        name = schema["discriminator"]["propertyName"]
        constants = [branch["properties"][name] for branch in schema["oneOf"]]
        assert all(constant["const"] == constant["default"] for constant in constants), field
        assert len({constant["const"] for constant in constants}) == len(constants), field


@rules(31, 32, 33, 34, 35, 36, 38)
def test_discovered_bindings_can_be_captured(connector: Connector) -> None:
    found = connector.discovered
    paths = [tuple(connector.path(binding["resourceConfig"])) for binding in found]
    names = [binding["recommendedName"] for binding in found]

    assert all(paths)
    assert len(set(paths)) == len(set(names)) == len(found) == 3
    assert all(re.fullmatch(r"[\w.\-/]+", name) for name in names)
    for binding in found:
        jsonschema.validate(binding["resourceConfig"], connector.spec["resourceConfigSchema"])
        jsonschema.Draft202012Validator.check_schema(binding["documentSchema"])
        assert binding["documentSchema"]["type"] == "object"
        assert binding["key"]
        assert binding.get("isFallbackKey", False) == (binding["key"] == ["/_meta/row_id"])
        for key in binding["key"]:
            schema = binding["documentSchema"]
            for token in pointer.parse(key):
                assert token in schema["required"]
                schema = schema["properties"][token]
            assert schema["type"] in ("integer", "string", "boolean")
            assert "reduce" not in schema


@rules(37)
def test_discovery_is_stable(connector: Connector) -> None:
    again = connector.ask("discover", config=connector.config)

    assert again.responses[1]["discovered"]["bindings"] == connector.discovered


@rules(14, 39, 40, 42)
def test_validate_answers_each_binding_in_order(connector: Connector) -> None:
    last = {
        "name": "acmeCo/x",
        "config": {"image": "x", "config": {"sops": {}}},
        "bindings": [{"resourcePath": ["gone"]}],
    }
    asked = [
        {"resourceConfig": b["resourceConfig"], "collection": b["collection"]} for b in reversed(connector.bindings)
    ]
    end = connector.ask("validate", name="acmeCo/x", config=connector.config, bindings=asked, lastCapture=last)
    empty = connector.ask("validate", config=connector.config)

    assert end.responses[1] == {
        "validated": {"bindings": [{"resourcePath": b["resourcePath"]} for b in reversed(connector.bindings)]}
    }
    assert empty.responses[1] == {"validated": {}}


@rules(30, 41, 90)
def test_a_bad_config_fails_with_a_sentence_and_no_answer(connector: Connector) -> None:
    field = next(iter(connector.config))
    end = connector.ask("validate", config={**connector.config, field: {"no": "way"}})

    assert (end.status, end.kinds) == (1, ["spec"])
    assert end.reason.startswith(f"config /{field}: got ")
    assert "traceback" not in end.stderr.lower()


@rules(45, 47)
def test_apply_may_come_again(connector: Connector) -> None:
    spec = connector.request(connector.bindings)["open"]["capture"]
    first, second = (connector.ask("apply", capture=spec, version="1", state={}) for _ in range(2))

    assert first.responses[1] == second.responses[1] == {"applied": {}}


@rules(11, 48, 49, 53, 54, 55, 56, 63, 68)
def test_a_session_is_opened_then_sequences_that_end_in_checkpoints(connector: Connector) -> None:
    kinds = connector.session.kinds[1:]
    updates = [r["checkpoint"]["state"] for r in connector.session.responses if "state" in r.get("checkpoint", {})]

    assert kinds[0] == "opened"
    assert set(kinds[1:]) == {"captured", "checkpoint"}
    assert kinds[-1] == "checkpoint"
    assert len(updates) >= 3
    assert all(isinstance(update["updated"], dict) and update["mergePatch"] is True for update in updates)
    indexes = [r["captured"].get("binding", 0) for r in connector.session.responses if "captured" in r]
    assert set(indexes) == {0, 1, 2}


@rules(50, 51)
def test_documents_are_valid_and_keyed(connector: Connector) -> None:
    validators = [jsonschema.Draft202012Validator(b["collection"]["writeSchema"]) for b in connector.bindings]
    for response in connector.session.responses:
        if "captured" in response:
            index, doc = response["captured"].get("binding", 0), response["captured"]["doc"]
            validators[index].validate(doc)
            keys = [pointer.resolve(doc, pointer.parse(at)) for at in connector.bindings[index]["collection"]["key"]]
            assert all(isinstance(part, (int, str)) for part in keys)
            assert "uuid" not in doc["_meta"]


@rules(57, 67)
def test_every_emitted_state_resumes_to_the_same_collection(connector: Connector) -> None:
    names = names_of(connector.bindings)
    whole = documents(connector.session, names)
    cut = [at for at, response in enumerate(connector.session.responses) if "checkpoint" in response]
    chosen = sorted(random.Random(0).sample(range(len(cut)), min(3, len(cut))))
    for number in chosen:
        end = connector.open(connector.bindings, connector.states[number])
        before = connector.session._replace(responses=connector.session.responses[: cut[number] + 1])
        both = before._replace(responses=before.responses + end.responses)

        assert end.status == 0, end.stderr
        assert documents(both, names) == whole


@rules(58)
def test_a_changed_state_key_starts_that_binding_over_alone(connector: Connector) -> None:
    last = {**connector.states[-1], "unheard": {"of": 1}}
    last["bindingStateV1"] = {**last["bindingStateV1"], "gone": {"rowId": 9}}
    incremental = next(i for i, b in enumerate(connector.bindings) if b["resourceConfig"]["syncMode"] == "incremental")
    changed = [dict(binding) for binding in connector.bindings]
    changed[incremental]["stateKey"] += ".v2"
    names = names_of(connector.bindings)
    end = Connector(connector.name, always_updated=False).open(changed, last)  # source-faker then heeds its states

    assert end.status == 0, end.stderr
    again = documents(end, names)
    assert again[names[incremental]] == documents(connector.session, names)[names[incremental]]
    others = [i for i, b in enumerate(connector.bindings) if b["resourceConfig"]["syncMode"] == "incremental"]
    assert all(not again[names[i]] for i in others if i != incremental)


@rules(59)
def test_no_bindings_are_captured_in_peace(connector: Connector) -> None:
    end = connector.open([])

    assert (end.status, "captured" in end.kinds) == (0, False)


@rules(60)
def test_the_order_of_bindings_does_not_matter(connector: Connector) -> None:
    turned = list(reversed(connector.bindings))
    end = connector.open(turned, connector.states[len(connector.states) // 2])

    assert end.status == 0, end.stderr
    whole = documents(connector.session, names_of(connector.bindings))
    for name, found in documents(end, names_of(turned)).items():
        assert found.items() <= whole[name].items()


@rules(61)
def test_a_silent_stdin_that_stays_open_is_fine(connector: Connector) -> None:
    process = start(connector.command)
    assert process.stdin
    process.stdin.write(json.dumps(connector.request(connector.bindings)) + "\n")
    process.stdin.flush()
    assert process.stdout
    lines = list(process.stdout)

    assert process.wait(60) == 0
    assert "checkpoint" in lines[-1]
    ended(process)


@rules(65)
def test_key_ranges_share_the_work_without_overlap(connector: Connector) -> None:
    names = names_of(connector.bindings)
    halves = [
        connector.open(connector.bindings, None, begin, end) for begin, end in ((0, FULL // 2), (FULL // 2 + 1, FULL))
    ]
    low, high = (documents(half, names) for half in halves)

    assert all(not (low[name] and high[name]) for name in names)
    assert {name: low[name] or high[name] for name in names} == documents(connector.session, names)


@rules(67)
def test_a_killed_session_leaves_nothing_to_clean_up(connector: Connector) -> None:
    process = start(connector.command)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(connector.request(connector.bindings)) + "\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert documents(connector.open(connector.bindings), names_of(connector.bindings)) == documents(
        connector.session, names_of(connector.bindings)
    )


@rules(80, 81, 82, 83, 86)
def test_logs_are_flows(connector: Connector) -> None:
    for log in connector.session.logs:
        assert set(log) <= {"level", "message", "fields", "ts"}
        assert log["level"] in ("trace", "debug", "info", "warn", "error")
        assert isinstance(log["message"], str)
        assert log["fields"].get("eventType", "connectorStatus") == "connectorStatus"
    assert any(log["fields"].get("eventType") for log in connector.session.logs)


@rules(85)
@pytest.mark.parametrize("level", ["error", "warn", "info", "debug", "trace"])
def test_every_log_level_is_accepted(connector: Connector, level: str) -> None:
    end = converse(connector.command, {"spec": {}}, LOG_LEVEL=level)

    assert (end.status, end.kinds) == (0, ["spec"])


def test_every_rule_of_captures_has_a_test() -> None:
    for file, name in ELSEWHERE.values():
        assert f"\ndef {name}(" in (ROOT / file).read_text(), f"{file} has no {name}"

    assert OF_CAPTURES - _tested - set(ELSEWHERE) == set()
    assert not _tested & set(ELSEWHERE)
