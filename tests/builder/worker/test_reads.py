"""Masking, recording and replay in real test reads: nothing of a secret leaves, and a recording gives the same read."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.builder.jobs import Command, Job, Limits, Outcome
from tests.builder.hostile.cases import CANARY, harmless, put

pytest.importorskip("airbyte_cdk")

from tests.builder.engine.working import Bench, bench, records
from tests.builder.hostile.attacker import attacker

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with attacker() as address:
        yield address


@pytest.fixture(scope="module")
def engine() -> Iterator[Bench]:
    with bench() as made:
        yield made


def job(url: str, changes: dict[str, Any] | None = None, **fields: Any) -> Job:
    manifest = harmless(url)
    for pointer, value in (changes or {}).items():
        put(manifest, pointer, value)
    config = {"api_key": CANARY, **fields.pop("config", {})}
    return Job(command=Command.TEST_READ, manifest=manifest, config=config, stream="items", **fields)


def text_of(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*")) if path.is_file())


def without_dates(outcome: Outcome) -> Any:
    """What of a read must be the same, with and without a network."""
    text = json.dumps(msgspec.to_builtins(outcome))
    return json.loads(
        text, object_hook=lambda value: {k: v for k, v in value.items() if k not in ("Date", "emitted_at")}
    )


OAUTH = {
    "type": "OAuthAuthenticator",
    "token_refresh_endpoint": "URL/token",
    "client_id": "me",
    "client_secret": "{{ config['api_key'] }}",
    "refresh_token": "{{ config['refresh_token'] }}",
    "refresh_token_updater": {"refresh_token_config_path": ["refresh_token"]},
}


def test_a_replay_gives_the_same_read_without_a_server(engine: Bench, tmp_path: Path) -> None:
    changes = {"$r/requester/path": "/good?k={{ config['api_key'] }}"}
    with attacker() as url:
        live = engine.outcome(job(url, changes, record=str(tmp_path / "r")))
    again = engine.outcome(job(url, changes, replay=str(tmp_path / "r")))

    assert len(records(live)) == 3
    assert without_dates(again) == without_dates(live)


def test_another_secret_replays_as_well(engine: Bench, url: str, tmp_path: Path) -> None:
    changes = {"$r/requester/path": "/echo?k={{ config['api_key'] }}"}
    engine.outcome(job(url, changes, record=str(tmp_path / "r")))

    again = engine.outcome(job(url, changes, replay=str(tmp_path / "r"), config={"api_key": "another-one-12"}))

    assert len(records(again)) == 1


def test_a_recording_is_finished_private_and_without_secrets(engine: Bench, url: str, tmp_path: Path) -> None:
    changes = {
        "$r/requester/path": "/echo?k={{ config['api_key'] }}",
        "$r/requester/authenticator": json.loads(json.dumps(OAUTH).replace("URL", url)),
    }

    outcome = engine.outcome(
        job(url, changes, record=str(tmp_path / "r"), config={"refresh_token": "f1rst-refresh-66"})
    )

    assert len(records(outcome)) == 1
    about = json.loads((tmp_path / "r" / "recording.json").read_text("utf-8"))
    assert (about["finished"], about["exchanges"]) == (True, 2)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "r").iterdir()} == {0o600}
    for secret in (CANARY, "d3rived-t0ken-77", "r0tated-refresh-88", "f1rst-refresh-66"):
        assert secret not in text_of(tmp_path)


def test_new_tokens_reach_their_owner_and_nobody_else(engine: Bench, url: str) -> None:
    changes = {
        "$r/requester/path": "/echo",
        "$r/requester/authenticator": json.loads(json.dumps(OAUTH).replace("URL", url)),
    }

    events, outcome = engine.collect(job(url, changes, config={"refresh_token": "f1rst-refresh-66"}))

    assert outcome.result is not None
    result = dict(outcome.result)
    assert result.pop("latest_config_update")["refresh_token"] == "r0tated-refresh-88"
    told = json.dumps([result, msgspec.to_builtins(events)])
    for secret in (CANARY, "d3rived-t0ken-77", "r0tated-refresh-88", "f1rst-refresh-66"):
        assert secret not in told


def test_what_was_not_recorded_is_told_by_the_read(engine: Bench, url: str, tmp_path: Path) -> None:
    engine.outcome(job(url, record=str(tmp_path / "r")))

    outcome = engine.outcome(job(url, {"$r/requester/path": "/goods"}, replay=str(tmp_path / "r")))

    assert outcome.result is not None
    told = " ".join(log["message"] for log in outcome.result["logs"])
    assert f"GET {url}/goods was not recorded in {tmp_path / 'r'}. The nearest is GET {url}/good in 0001.json" in told


@pytest.mark.parametrize(("member", "words"), [("replay", "no recording here"), ("record", "it is no recording")])
def test_a_folder_that_is_none_is_told_in_a_sentence(
    engine: Bench, url: str, tmp_path: Path, member: str, words: str
) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    outcome = engine.outcome(job(url, None, **{member: str(tmp_path)}))

    assert outcome.failure is not None
    assert words in outcome.failure.message
    assert "Traceback" not in outcome.failure.message
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_read_that_is_ended_by_its_deadline_keeps_what_was_recorded(engine: Bench, url: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"$r/requester/path": "/{{ 'silent' if stream_partition.p == 'b' else 'good' }}"}
    changes["$r/partition_router"] = {"type": "ListPartitionRouter", "cursor_field": "p", "values": ["a", "b"]}

    engine.outcome(job(url))  # the first read of a worker imports what it needs, and its deadline counts that

    engine.outcome(job(url, changes, record=str(tmp_path / "r"), limits=Limits(seconds=4)))

    assert (tmp_path / "r" / "0001.json").exists()
    assert "unfinished" not in " ".join(path.name for path in (tmp_path / "r").iterdir())
