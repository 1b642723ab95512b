from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import http.server
import json
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from python.builder.worker import recording
from python.builder.worker.masking import Masker
from tests.listening import listening

SECRET = "c4n4ry-9f3a77"
MASKER = {"told": None, "config": {"api_key": SECRET}}


class Answer(NamedTuple):
    body: bytes
    headers: Mapping[str, str] = {}
    status: int = 200


class Server(NamedTuple):
    url: str
    asked: list[str]


@contextlib.contextmanager
def serving(answers: Mapping[str, Answer | list[Answer]]) -> Iterator[Server]:
    """A server that answers each path; a list is answered in order."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = answers[self.path.partition("?")[0]]
            answer = found.pop(0) if isinstance(found, list) else found
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                for each in value.split("\n"):
                    self.send_header(name, each)
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815 -- the base class's name

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with listening(Handler) as url:
        yield Server(url, asked)


def get(url: str, **more: Any) -> requests.Response:
    return requests.get(url, timeout=10, **more)


def masker() -> Masker:
    return Masker(**MASKER)  # type: ignore[arg-type] # as above


def text_of(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.json")))


def test_what_was_recorded_is_answered_without_the_server(tmp_path: Path) -> None:
    with serving({"/a": Answer(b'{"a": 1}', {"X-More": "yes", "Content-Type": "application/json"})}) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            live = get(f"{server.url}/a?x=1&y=2")
        with recording.replay(str(tmp_path / "r")):
            again = get(f"{server.url}/a?y=2&x=1")

        assert len(server.asked) == 1
    assert (again.status_code, again.json(), again.reason) == (live.status_code, live.json(), live.reason)
    assert dict(again.headers) == dict(live.headers)


def test_a_recording_is_readable_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "r"
    with serving({"/a": Answer(b'{"a": 1}')}) as server, recording.record(str(folder), masker()):
        get(f"{server.url}/a")
        requests.post(f"{server.url}/a", json={"b": "Zoë"}, timeout=10)

    about = json.loads((folder / "recording.json").read_text("utf-8"))
    second = json.loads((folder / "0002.json").read_text("utf-8"))
    assert (about["finished"], about["exchanges"]) == (True, 2)
    assert second["request"]["method"] == "POST"
    assert json.loads(second["request"]["body"]) == {"b": "Zoë"}
    assert second["response"]["body"] == '{"a": 1}'
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600] * 3
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_live_read_gets_the_answer_as_it_came(tmp_path: Path) -> None:
    body = json.dumps({"access_token": SECRET}).encode()
    with serving({"/t": Answer(body)}) as server, recording.record(str(tmp_path / "r"), masker()):
        assert get(f"{server.url}/t").json() == {"access_token": SECRET}


def test_no_secret_is_recorded_and_any_secret_is_answered(tmp_path: Path) -> None:
    body = json.dumps({"access_token": "d3r1ved-t0ken", "echo": SECRET, "number": 1}).encode()
    packed = gzip.compress(body)
    answers = {
        "/t": Answer(body, {"Set-Cookie": "sid=c00kie-value; Path=/"}),
        "/z": Answer(packed, {"Content-Encoding": "gzip"}),
        "/b": Answer(b"\xff\xfe" + SECRET.encode()),
    }
    with serving(answers) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            get(f"{server.url}/t?api_key={SECRET}", headers={"Authorization": f"Bearer {SECRET}"}, auth=("me", SECRET))
            get(f"{server.url}/z?t=d3r1ved-t0ken")
            get(f"{server.url}/b")
        with recording.replay(str(tmp_path / "r")):
            again = get(f"{server.url}/t?api_key=another")
            zipped = get(f"{server.url}/z?t=****")
            get(f"{server.url}/b")

    for secret in (SECRET, "d3r1ved", "c00kie", "bWU6YzRuNHJ5"):
        assert secret not in text_of(tmp_path)
    assert again.json() == {"access_token": "****", "echo": "****", "number": 1}
    assert zipped.json() == again.json()
    assert again.cookies["sid"] == "****"


def test_a_number_that_is_a_secret_leaves_json(tmp_path: Path) -> None:
    with serving({"/a": Answer(b'{"pin": 40817810, "n": 1.5}')}) as server:
        with recording.record(str(tmp_path / "r"), Masker(None, {"api_key": 40817810})):
            get(f"{server.url}/a")
        with recording.replay(str(tmp_path / "r")):
            assert get(f"{server.url}/a").json() == {"pin": "****", "n": 1.5}


def unpacked(body: bytes) -> bytes:
    """What is in `body`: packed again, the same may be other bytes."""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(b"a,b\n1,2\n", mtime=0), {"Content-Encoding": "gzip"}),
        (zlib.compress(b"a,b\n1,2\n"), {"Content-Encoding": "deflate"}),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), {"Content-Type": "application/gzip"}),
        (b"\x00\xff\x01", {}),
        (b"", {}),
        (b"plain \xc3\xab", {}),
    ],
)
def test_bodies_come_back_as_they_were(tmp_path: Path, body: bytes, headers: dict[str, str]) -> None:
    with serving({"/a": Answer(body, headers)}) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            live = get(f"{server.url}/a").content
        with recording.replay(str(tmp_path / "r")):
            again = get(f"{server.url}/a").content
            raw = get(f"{server.url}/a", stream=True).raw.read()

    assert unpacked(again) == unpacked(live)
    assert unpacked(raw) == unpacked(body)


def test_equal_requests_are_answered_in_order_and_the_last_one_stays(tmp_path: Path) -> None:
    with serving({"/job": [Answer(b"wait"), Answer(b"wait"), Answer(b"done")]}) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            for _ in range(3):
                get(f"{server.url}/job")
        with recording.replay(str(tmp_path / "r")):
            assert [get(f"{server.url}/job").text for _ in range(5)] == ["wait", "wait", "done", "done", "done"]


def test_redirects_are_followed_again(tmp_path: Path) -> None:
    answers = {"/a": Answer(b"", {"Location": "/b"}, 302), "/b": Answer(b"there")}
    with serving(answers) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            get(f"{server.url}/a")
        with recording.replay(str(tmp_path / "r")):
            again = get(f"{server.url}/a")

    assert (again.text, len(again.history)) == ("there", 1)


def test_what_was_not_recorded_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with serving({"/users": Answer(b"{}"), "/posts": Answer(b"{}")}) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            get(f"{server.url}/posts")
            get(f"{server.url}/users?page=2")
        with recording.replay(str(tmp_path / "r"), masker()), pytest.raises(recording.RecordingError) as refused:
            get(f"{server.url}/users?page=3&api_key={SECRET}")

    assert f"GET {server.url}/users?page=3&api_key=**** was not recorded" in str(refused.value)
    assert "0002.json" in str(refused.value)
    assert "page=3, where page=2 was recorded" in str(refused.value)
    assert len(server.asked) == 2


def test_a_request_until_now_is_found_on_another_day(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    later = now + dt.timedelta(days=100)
    with serving({"/a": Answer(b"[]")}) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            get(f"{server.url}/a?from=2020-01-01&until={now:%Y-%m-%d}")
        with recording.replay(str(tmp_path / "r"), now=later):
            assert get(f"{server.url}/a?from=2020-01-01&until={later:%Y-%m-%d}").text == "[]"
            with pytest.raises(recording.RecordingError):
                get(f"{server.url}/a?from=2020-01-09&until={later:%Y-%m-%d}")


def test_a_connection_that_failed_fails_again(tmp_path: Path) -> None:
    for _ in range(2):
        with recording.record(str(tmp_path / "r"), masker()), pytest.raises(requests.exceptions.ConnectionError):
            get("http://127.0.0.1:9/gone")
    with recording.replay(str(tmp_path / "r")), pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        get("http://127.0.0.1:9/gone")


def test_a_killed_recording_is_unfinished_and_can_be_answered_from(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with serving({"/a": Answer(b"1")}) as server:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                recording.record(str(folder), masker())
                get(f"{server.url}/a")
            os._exit(9)
        os.waitpid(child, 0)
        assert json.loads((folder / "recording.json").read_text("utf-8"))["finished"] is False
        with recording.replay(str(folder)):
            assert get(f"{server.url}/a").text == "1"
            with pytest.raises(recording.RecordingError, match="was not finished"):
                get(f"{server.url}/b")
        with recording.record(str(folder), masker()):
            get(f"{server.url}/a")

    assert json.loads((folder / "recording.json").read_text("utf-8"))["finished"] is True


def test_a_recording_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    with serving({"/a": Answer(b"1"), "/b": Answer(b"2")}) as server:
        with recording.record(str(tmp_path / "r"), masker()):
            get(f"{server.url}/a")
            get(f"{server.url}/a?2")
        with recording.record(str(tmp_path / "r"), masker()):
            get(f"{server.url}/b")

    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["0001.json", "recording.json"]


def test_recordings_of_several_streams_answer_together(tmp_path: Path) -> None:
    with serving({"/a": Answer(b"1"), "/b": Answer(b"2")}) as server:
        for name in ("a", "b"):
            with recording.record(str(tmp_path / name), masker()):
                get(f"{server.url}/{name}")
        with recording.replay(str(tmp_path)):
            assert (get(f"{server.url}/b").text, get(f"{server.url}/a").text) == ("2", "1")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "0001.json").write_text("mine")

    with pytest.raises(recording.RecordingError, match="it is no recording"):
        recording.record(str(tmp_path), masker())

    assert (tmp_path / "0001.json").read_text() == "mine"


def test_two_reads_do_not_record_into_one_folder(tmp_path: Path) -> None:
    with (
        recording.record(str(tmp_path / "r"), masker()),
        pytest.raises(recording.RecordingError, match="another read is recorded there"),
    ):
        recording.record(str(tmp_path / "r"), masker())


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("")

    with pytest.raises(recording.RecordingError, match="nothing can be recorded there"):
        recording.record(str(tmp_path / "r"), masker())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no recording here"),
        ({"recording.json": "{"}, "does not tell of a recording"),
        ({"recording.json": "{}"}, "does not tell of a recording"),
        ({"recording.json": '{"began": "2026-01-01T00:00:00+00:00", "finished": true}'}, "no recording here"),
        (
            {"recording.json": '{"began": "2026-01-01T00:00:00+00:00", "finished": true}', "0001.json": "{]"},
            "0001.json: is no exchange",
        ),
        (
            {"recording.json": '{"began": "2026-01-01T00:00:00+00:00", "finished": true}', "0001.json": "[]"},
            "0001.json: is no exchange",
        ),
        (
            {
                "recording.json": '{"began": "2026-01-01T00:00:00+00:00", "finished": true}',
                "0001.json": '{"request": {}}',
            },
            "needs a request with method and url",
        ),
    ],
)
def test_what_is_no_recording_is_told_before_anything_is_patched(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = requests.adapters.HTTPAdapter.send

    with pytest.raises(recording.RecordingError, match=message):
        recording.replay(str(tmp_path))

    assert requests.adapters.HTTPAdapter.send is before


def test_leaving_takes_everything_back(tmp_path: Path) -> None:
    before = requests.adapters.HTTPAdapter.send
    with recording.record(str(tmp_path / "r"), masker()):
        assert requests.adapters.HTTPAdapter.send is not before

    assert requests.adapters.HTTPAdapter.send is before
