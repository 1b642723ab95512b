"""Each route answers with the members, and refuses with the status and body, that its family's table says."""

from __future__ import annotations

from typing import Any

import pytest

from python.builder.jobs import Failure, Kind, Outcome
from tests.builder.server.served import READ, Client, Memory

NEWER = "/api/v1/connector_builder"
PLATFORM = [f"{NEWER}/stream/read", f"{NEWER}/manifest/resolve", f"{NEWER}/manifest/full_resolve"]
BOTH = ["/v1/stream/read", "/v1/streams/list", "/v1/manifest/resolve"]
MANIFEST_SERVER = [f"/v1/manifest/{name}" for name in ("test_read", "check", "discover", "full_resolve")]
STREAM_READ = {
    "logs",
    "slices",
    "test_read_limit_reached",
    "auxiliary_requests",
    "inferred_schema",
    "inferred_datetime_formats",
    "latest_config_update",
}


def asked(manifest: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A body that every route takes."""
    return {"manifest": manifest, "config": {}, "stream": "items", "stream_name": "items", **members}


def test_a_read_leaves_out_what_there_is_not(client: Client, manifest: dict[str, Any]) -> None:
    for path in ("/v1/stream/read", f"{NEWER}/stream/read"):
        answer = client.post(path, asked(manifest))

        assert answer.status == 200
        assert answer.body == {**READ, "limits_reached": []}


def test_manifest_server_leaves_out_nothing(client: Client, manifest: dict[str, Any]) -> None:
    answer = client.post("/v1/manifest/test_read", asked(manifest))

    assert set(answer.body) == STREAM_READ | {"limits_reached"}
    assert answer.body["inferred_schema"] is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/manifest/check", {"success": True, "message": None}),
        ("/v1/manifest/discover", {"catalog": {"streams": [{"name": "items"}]}}),
        (
            "/v1/streams/list",
            {
                "streams": [
                    {"name": "items", "url": "https://api.example.com/items"},
                    {"name": "others", "url": "https://api.example.com/others"},
                ]
            },
        ),
    ],
)
def test_other_answers_have_their_own_members(
    client: Client, manifest: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    answer = client.post(path, asked(manifest))

    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("path", [path for path in (*PLATFORM, *BOTH, *MANIFEST_SERVER) if "resolve" in path])
def test_a_resolved_manifest_comes_alone(client: Client, manifest: dict[str, Any], path: str) -> None:
    answer = client.post(path, asked(manifest))

    assert (answer.status, answer.body) == (200, {"manifest": manifest})


@pytest.mark.parametrize("path", PLATFORM)
def test_the_platform_tells_known_exceptions(client: Client, path: str) -> None:
    answer = client.post(path, asked({}))

    assert answer.status == 400
    assert set(answer.body) == {"message", "exceptionClassName", "exceptionStack", "details"}
    assert isinstance(answer.body["exceptionStack"], list)


@pytest.mark.parametrize("path", MANIFEST_SERVER)
def test_manifest_server_tells_details(client: Client, path: str) -> None:
    answer = client.post(path, asked({}))

    assert answer.status == 400
    assert answer.body["detail"].startswith("Invalid manifest: ")
    assert set(answer.body) == {"detail", "details"}


@pytest.mark.parametrize("path", BOTH)
def test_shared_paths_tell_both(client: Client, path: str) -> None:
    answer = client.post(path, asked({}))

    assert answer.status == 400
    assert {"message", "exceptionStack", "detail", "details"} <= set(answer.body)


@pytest.mark.parametrize("path", [*PLATFORM, *BOTH, *MANIFEST_SERVER])
@pytest.mark.parametrize("body", [b"{}", b"[]", b"", b"{", b"null", b'{"manifest": 1}', b"\xff", b"[" * 100_000])
def test_a_wrong_shape_is_told_in_the_familys_words(client: Client, path: str, body: bytes) -> None:
    answer = client.post(path, body)

    assert answer.status in (400, 422)
    if path not in MANIFEST_SERVER:
        assert isinstance(answer.body["message"], str)
    if path not in PLATFORM:
        assert answer.body["detail"]
    if path in PLATFORM and answer.status == 422:
        assert {"propertyPath", "invalidValue", "message"} == set(answer.body["validationErrors"][0])
    if path in MANIFEST_SERVER and answer.status == 422:
        assert {"loc", "msg", "type"} == set(answer.body["detail"][0])


@pytest.mark.parametrize("path", [*PLATFORM, *BOTH, *MANIFEST_SERVER])
def test_a_value_of_a_wrong_type_is_not_repeated(client: Client, path: str) -> None:
    answer = client.post(path, {"manifest": ["canary-value"], "config": "canary-value", "state": "canary-value"})

    assert answer.status == 422
    assert "canary" not in answer.raw.decode()


@pytest.mark.parametrize(
    ("path", "limit", "sentence"),
    [
        ("/v1/stream/read", {"record_limit": 5001}, "Requested record limit of 5001 exceeds maximum of 5000."),
        ("/v1/stream/read", {"page_limit": 21}, "Requested page limit of 21 exceeds maximum of 20."),
        (f"{NEWER}/stream/read", {"slice_limit": 21}, "Requested slice limit of 21 exceeds maximum of 20."),
        (
            f"{NEWER}/manifest/full_resolve",
            {"stream_limit": 101},
            "Requested stream limit of 101 exceeds maximum of 100.",
        ),
        ("/v1/stream/read", {"deadline": 601}, "Requested deadline of 601 seconds exceeds maximum of 600."),
        ("/v1/stream/read", {"stream": None}, "`stream` is missing: name the stream to read"),
    ],
)
def test_the_platform_refuses_more_than_its_limits_with_400(
    client: Client, manifest: dict[str, Any], path: str, limit: dict[str, Any], sentence: str
) -> None:
    answer = client.post(path, asked(manifest, **limit))

    assert (answer.status, answer.body["message"]) == (400, sentence)


@pytest.mark.parametrize(
    "limit", [{"record_limit": 5001}, {"page_limit": 21}, {"slice_limit": 0}, {"record_limit": "many"}]
)
def test_manifest_server_refuses_more_than_its_limits_with_422(
    client: Client, manifest: dict[str, Any], limit: dict[str, Any]
) -> None:
    answer = client.post("/v1/manifest/test_read", asked(manifest, **limit))

    assert answer.status == 422
    assert answer.body["detail"][0]["loc"] == ["body", *limit]


def test_the_platform_says_which_number_was_wrong(client: Client, manifest: dict[str, Any]) -> None:
    answer = client.post(f"{NEWER}/stream/read", asked(manifest, record_limit=0))

    assert answer.status == 422
    assert answer.body["validationErrors"][0]["propertyPath"] == "record_limit"
    assert answer.body["validationErrors"][0]["invalidValue"] == 0


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.MANIFEST, 400),
        (Kind.SOURCE, 400),
        (Kind.STREAM, 404),
        (Kind.CUSTOM_CODE, 400),
        (Kind.MEMORY, 400),
        (Kind.CPU, 400),
        (Kind.SIZE, 400),
        (Kind.WORKER, 500),
    ],
)
def test_a_failure_has_the_status_of_its_kind(
    client: Client, engine: Memory, manifest: dict[str, Any], kind: Kind, status: int
) -> None:
    engine.outcome = Outcome(failure=Failure(kind=kind, message="no", exception="ValueError", stack="a\nb"))

    for path in ("/v1/stream/read", "/v1/manifest/test_read", "/v1/manifest/resolve"):
        answer = client.post(path, asked(manifest))

        assert answer.status == status
        assert answer.body["detail"].endswith(": no")
        assert answer.body["details"]["kind"] == kind.value
    known = client.post("/v1/stream/read", asked(manifest)).body
    assert (known["message"], known["exceptionClassName"], known["exceptionStack"]) == ("no", "ValueError", ["a", "b"])


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("test_read", "Error reading stream: "),
        ("check", "Error checking connection: "),
        ("discover", "Error discovering streams: "),
        ("full_resolve", "Error full resolving manifest: "),
    ],
)
def test_a_detail_says_what_failed(
    client: Client, engine: Memory, manifest: dict[str, Any], path: str, prefix: str
) -> None:
    engine.outcome = Outcome(failure=Failure(kind=Kind.SOURCE, message="no"))

    assert client.post(f"/v1/manifest/{path}", asked(manifest)).body["detail"] == f"{prefix}no"


def test_a_catalog_that_there_is_not_is_422(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    engine.outcome = Outcome(result={})

    assert client.post("/v1/manifest/discover", asked(manifest)).status == 422


@pytest.mark.parametrize("prefix", ["/v1", NEWER])
@pytest.mark.parametrize("path", ["contribute/check", "contribute/read", "contribute/generate", "assist/process"])
def test_what_is_not_part_of_this_server_says_so(client: Client, prefix: str, path: str) -> None:
    answer = client.post(f"{prefix}/{path}", {"any": "thing"})

    assert answer.status == 501
    assert "not part of this server" in answer.body["message"]


@pytest.mark.parametrize("path", ["/nothing", "/v1/manifest/nothing", "/api/nothing", "/v1/nothing"])
def test_an_unknown_path_is_told_in_the_familys_words(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status == 404
    assert "/openapi.json" in answer.body.get("message", answer.body.get("detail"))


def test_an_unknown_method_is_told(client: Client) -> None:
    answer = client.get("/v1/stream/read")

    assert (answer.status, answer.body["message"]) == (405, "/v1/stream/read does not take GET")


def test_a_defect_tells_no_secret(
    client: Client, engine: Memory, manifest: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    engine.breaks = ValueError("canary-value")

    for path in ("/v1/stream/read", "/v1/manifest/check", "/api/v1/connector_builder/manifest/resolve"):
        answer = client.post(path, asked(manifest, config={"api_key": "canary-value"}))

        assert answer.status == 500
        assert "canary" not in answer.raw.decode()
    assert "canary" not in "".join(capfd.readouterr())
