"""The contract of a builder's server, as a table: what it answers, warm and plain alike, on each generation of the CDK.

The table covers the ground of the CDK's own tests of its `connector_builder`, over HTTP, and what we add to it.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from python.builder.server.settings import Settings
from python.builder.server.starting import engines
from tests.builder.contract.api import Api, api
from tests.builder.server.served import Answer, Client, serving
from tests.shim_airbyte_cdk.versions.environments import python_of

Json = Any
CASES: list[dict[str, Json]] = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))
PLATFORM = {
    "read": "/v1/stream/read",
    "resolve": "/v1/manifest/resolve",
    "full_resolve": "/api/v1/connector_builder/manifest/full_resolve",
    "list": "/v1/streams/list",
    "check": "/v1/manifest/check",
    "discover": "/v1/manifest/discover",
}
OTHER = {
    "read": "/v1/manifest/test_read",
    "resolve": "/api/v1/connector_builder/manifest/resolve",
    "full_resolve": "/v1/manifest/full_resolve",
    "list": "/api/v1/connector_builder/streams/list",
}
VERSIONS = (None, "6.61.6", "4.6.2")
CONFIG = {"api_key": "canary-of-the-key", "plain": "shown", "other_secret": "x"}
VARYING = ("stacktrace", "exceptionStack")  # where a process is in its own code


class Sides(NamedTuple):
    """Two servers on one CDK, and the API that their manifests read."""

    warm: Client
    plain: Client
    api: Api
    major: int


@contextlib.contextmanager
def sides_of(version: str | None) -> Iterator[Sides]:
    python = None if version is None else str(python_of(version))
    with contextlib.ExitStack() as stack:
        made = [Settings(cdk_python=python, plain=plain) for plain in (False, True)]
        warm, plain = (stack.enter_context(serving(engines(each), each)) for each in made)
        assert [side.get("/v1/health").body["warm"] for side in (warm, plain)] == [True, False]
        yield Sides(warm, plain, stack.enter_context(api()), 7 if version is None else int(version.partition(".")[0]))


def base(stream: dict[str, Json], address: str) -> dict[str, Json]:
    """A manifest with one stream, `items`, in a form that every CDK knows; members of `stream` go where they belong."""
    told = copy.deepcopy(stream)
    requester = {
        "type": "HttpRequester",
        "url_base": told.pop("base", address),
        "path": told.pop("path", "items"),
        "http_method": told.pop("http_method", "GET"),
    }
    if "requester_type" in told:
        del told["requester_type"], requester["type"]
    for name in ("authenticator", "error_handler", *(f"request_{each}" for each in REQUEST)):
        if name in told:
            requester[name] = told.pop(name)
    extractor = told.pop("extractor", {"type": "DpathExtractor", "field_path": told.pop("field_path", ["data"])})
    selector = {"type": "RecordSelector", "extractor": extractor}
    retriever = {"type": told.pop("retriever_type", "SimpleRetriever"), "requester": requester}
    retriever["record_selector"] = selector
    for name, holder in (("record_filter", selector), ("paginator", retriever), ("partition_router", retriever)):
        if name in told:
            holder[name] = told.pop(name)
    if "decoder" in told:
        retriever["decoder"] = told.pop("decoder")
    parameters = {"$parameters": told.pop("parameters")} if "parameters" in told else {}
    schema = told.pop("schema", {"type": "object", "properties": {}})
    return {
        "version": "0.52.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": "items",
                "primary_key": told.pop("primary_key", []),
                "retriever": retriever,
                "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
                **parameters,
                **told,
            }
        ],
        "spec": {"type": "Spec", "connection_specification": SPEC},
    }


REQUEST = ("parameters", "headers", "body_json", "body_data")
SPEC = {
    "type": "object",
    "required": ["api_key"],
    "properties": {
        "api_key": {"type": "string", "airbyte_secret": True},
        "refresh_token": {"type": "string", "airbyte_secret": True},
        "other_secret": {"type": "string", "airbyte_secret": True},
        "plain": {"type": "string"},
    },
}


def asked(case: dict[str, Json], address: str) -> Json:
    """The body of a case, for the routes of all families."""
    manifest = base(case.get("stream", {}), address) | case.get("manifest", {})
    body = {"manifest": present(manifest), "config": CONFIG, "stream": "items", **case.get("body", {})}
    body["stream_name"] = body["stream"]
    return json.loads(json.dumps(present(body)).replace("{API}", address))


def present(members: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in members.items() if value is not None}


def steady(value: Json, address: str) -> Json:
    """An answer without what differs between two reads, or two runs of the API."""
    if isinstance(value, dict):
        return {name: steady(item, address) for name, item in value.items() if name not in VARYING}
    if isinstance(value, list):
        return [steady(item, address) for item in value]
    return value.replace(address, "{API}") if isinstance(value, str) else value


def ids(answer: Json) -> list[list[list[Json]]]:
    return [[[record["id"] for record in page["records"]] for page in part["pages"]] for part in answer["slices"]]


def held(want: Json, got: Json, at: str = "") -> list[str]:
    """Where `got` is not what is wanted: members of objects may be more, lists are as long."""
    if isinstance(want, dict) and isinstance(got, dict):
        return [each for name in want for each in held(want[name], got.get(name, "missing"), f"{at}/{name}")]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [each for index, item in enumerate(want) for each in held(item, got[index], f"{at}/{index}")]
    return [] if want == got and type(want) is type(got) else [f"{at}: want {want!r}, got {got!r}"]


def unlike(plain: Json, warm: Json, major: int) -> list[str]:
    """Where two answers differ, but for what a CDK itself does not tell the same twice."""
    found = dict.fromkeys([*held(plain, warm), *held(warm, plain)])
    return [each for each in found if major != 6 or "/slice_descriptor" not in each]


def wanted(case: dict[str, Json], major: int) -> dict[str, Json]:
    """What a CDK is to answer: as the newest does, but for what its own generation does otherwise."""
    return {**case["want"], **case.get(f"on_{major}", {})}


def wrong(want: dict[str, Json], answer: Answer, address: str) -> list[str]:
    """What an answer has that it should not, or has not."""
    if answer.status != want.get("status", 200):
        return [f"status {answer.status}: {answer.raw[:2000].decode()}"]
    body = steady(answer.body, address)
    found = held(want.get("result", {}), body)
    if "ids" in want and ids(body) != want["ids"]:
        found.append(f"ids {ids(body)}; logs {[each['message'] for each in body['logs']]}")
    if "count" in want and sum(len(page) for part in ids(body) for page in part) != want["count"]:
        found.append(f"ids {ids(body)}; logs {[each['message'] for each in body['logs']]}")
    told = [f"{each['message']} {each.get('internal_message')}" for each in body.get("logs", ())]
    found.extend(
        f"no log has {each!r}: {told}" for each in want.get("logs", ()) if not any(re.search(each, one) for one in told)
    )
    sentence = str(body.get("message", body.get("detail")))
    if not re.search(want.get("error", ""), sentence):
        found.append(f"the sentence is {sentence}")
    return found + [f"{each} is in it" for each in want.get("absent", ()) if each in answer.raw.decode()]


OF_VERSIONS = [
    pytest.param(each, marks=pytest.mark.versions if each else pytest.mark.slow, id=each or "this one")
    for each in VERSIONS
]


@pytest.fixture(scope="module", params=OF_VERSIONS)
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    with sides_of(request.param) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_answer_is_as_the_table_says(sides: Sides, case: dict[str, Json]) -> None:
    if sides.major < case.get("since", 0):
        pytest.skip(f"airbyte-cdk has this since {case['since']}")
    body, route, want = asked(case, sides.api.url), case["ask"], wanted(case, sides.major)
    before = len(sides.api.asked)
    warm = sides.warm.post(PLATFORM[route], body)
    times = len(sides.api.asked) - before

    assert wrong(want, warm, sides.api.url) == []
    assert times == want.get("times", times)


ALIKE = [case for case in CASES if case.get("alike", True)]
EACH = [pytest.param(case, marks=[] if index % 8 == 0 else pytest.mark.long) for index, case in enumerate(ALIKE)]
"""A plain process takes seconds for each."""


@pytest.mark.parametrize("case", EACH, ids=lambda case: case["name"])
def test_a_plain_process_answers_as_a_warm_one(sides: Sides, case: dict[str, Json]) -> None:
    if sides.major < case.get("since", 0):
        pytest.skip(f"airbyte-cdk has this since {case['since']}")
    body, path = asked(case, sides.api.url), PLATFORM[case["ask"]]
    warm, plain = (side.post(path, body) for side in (sides.warm, sides.plain))

    assert plain.status == warm.status
    assert unlike(steady(plain.body, sides.api.url), steady(warm.body, sides.api.url), sides.major) == []


@pytest.mark.parametrize("case", [case for case in CASES if case["ask"] in OTHER], ids=lambda case: case["name"])
def test_the_other_family_answers_the_same_in_its_own_shape(sides: Sides, case: dict[str, Json]) -> None:
    if sides.major < case.get("since", 0):
        pytest.skip(f"airbyte-cdk has this since {case['since']}")
    body, path = asked(case, sides.api.url), OTHER[case["ask"]]
    answer = sides.warm.post(path, body)

    assert wrong(wanted(case, sides.major), answer, sides.api.url) == []
    if answer.status != 200:
        assert ("detail" in answer.body, "message" in answer.body) == (path in DETAILED, path not in DETAILED)


DETAILED = ("/v1/manifest/test_read", "/v1/manifest/full_resolve")
