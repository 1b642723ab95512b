from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python.shim_airbyte_cdk import models
from tests.airbyte_messages import Played, cdk

CATALOG: Any = {"streams": []}
STATE: Any = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"n": 1}}}


class Queue:
    """A message repository with a message in it."""

    def consume_queue(self) -> list[Any]:
        return ["queued"]


def drop(message: object) -> None:
    """Take no note of `message`."""


def test_what_a_source_says_of_a_failure_is_one_sentence() -> None:
    traced = type("Traced", (Exception,), {"message": "the token is spent", "failure_type": None})

    assert models.reason(traced("internal")) == "the token is spent"
    assert models.reason(KeyError("x")) == "KeyError: 'x'"


def test_an_instance_is_used_for_every_request() -> None:
    source = Played()

    assert models.source_for(source, {}) is source


def test_a_factory_makes_a_source_for_each_request_with_config_catalog_and_state() -> None:
    made: list[Any] = []

    def factory(catalog: Any, config: Any, states: Any) -> Played:
        made.append((catalog, config, states))
        return Played(streams=[])

    config = {"a": 1}
    models.spec_of(factory)
    models.discover(factory, dict(config), drop)
    list(models.read(factory, dict(config), CATALOG, []))

    assert made[0] == (None, None, None)
    assert made[1] == (None, config, None)
    assert made[2] == (cdk.ConfiguredAirbyteCatalog(streams=[]), config, [])


def test_a_source_that_would_ignore_its_state_is_refused() -> None:
    declarative = type("ConcurrentDeclarativeSource", (Played,), {})

    with pytest.raises(TypeError, match="pass CaptureShim a factory"):
        models.check_delegate(declarative())
    models.check_delegate(declarative)
    models.check_delegate(Played())


def test_a_source_may_change_the_config_it_is_given() -> None:
    class Changing(Played):
        def configure(self, config: dict[str, Any], folder: str) -> dict[str, Any]:
            config["migrated"] = folder
            return config

    config: dict[str, Any] = {"nested": {}}

    assert models.check(Changing(), config, drop) == ""
    assert config == {"nested": {}}


def test_messages_left_in_the_repository_come_last() -> None:
    source: Any = Played("first")
    source.message_repository = Queue()

    messages: list[Any] = list(models.read(source, {}, CATALOG, []))

    assert messages == ["first", "queued"]


def test_they_come_too_where_the_source_fails() -> None:
    source: Any = Played("first", ValueError("no"))
    source.message_repository = Queue()
    messages = models.read(source, {}, CATALOG, [])

    assert [next(messages), next(messages)] == ["first", "queued"]  # type: ignore[comparison-overlap] # they stand for some
    with pytest.raises(ValueError, match="no"):
        next(messages)


def test_a_source_may_bring_catalog_and_state_up_to_date() -> None:
    class Migrating(Played):
        def read_catalog(self, path: str) -> Any:
            return cdk.ConfiguredAirbyteCatalog(streams=json.loads(Path(path).read_bytes())["streams"])

        def read_state(self, path: str) -> Any:
            (stored,) = json.loads(Path(path).read_bytes())
            stored["stream"]["stream_state"]["migrated"] = True
            return [cdk.AirbyteStateMessageSerializer.load(stored)]

    source = Migrating()
    list(models.read(source, {}, CATALOG, [STATE]))

    assert source.states[0]["stream"]["stream_state"] == {"n": 1, "migrated": True}


def test_a_source_of_an_old_cdk_takes_a_legacy_state_as_it_does() -> None:
    read: list[Any] = []

    class Old(Played):
        def _emit_legacy_state_format(self, state: Any) -> Any: ...

        def read_catalog(self, path: str) -> Any: ...

        def read_state(self, path: str) -> Any:
            read.append(json.loads(Path(path).read_bytes()))

        def read(self, logger: Any, config: Any, catalog: Any, states: Any) -> Iterator[Any]:
            return iter(())

    list(models.read(Old(), {}, CATALOG, [{"type": "LEGACY", "data": {"users": 1}}]))
    list(models.read(Old(), {}, CATALOG, [STATE]))

    assert read == [{"users": 1}, [STATE]]


def test_an_empty_legacy_state_is_none() -> None:
    source = Played()

    list(models.read(source, {}, CATALOG, [{"type": "LEGACY", "data": {}}]))

    assert source.states == []


def test_a_source_has_a_folder_for_its_caches_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUEST_CACHE_PATH", "mine")
    seen: list[str] = []

    class Caching(Played):
        def read(self, *given: Any) -> Iterator[Any]:
            seen.append(os.environ["REQUEST_CACHE_PATH"])
            assert Path(seen[0]).is_dir()
            return iter(())

    list(models.read(Caching(), {}, CATALOG, []))

    assert os.environ["REQUEST_CACHE_PATH"] == "mine"
    assert not Path(seen[0]).exists()


def test_a_failed_check_says_why() -> None:
    assert models.check(Played(), {"problem": "no such host"}, drop) == "no such host"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (repr('it\'s "shut"'), 'it\'s "shut"'),
        ("'a' and 'b'", "'a' and 'b'"),
        ("'unfinished", "'unfinished"),
        (repr(ValueError("no")), "ValueError('no')"),
    ],
)
def test_what_the_cdk_has_quoted_is_told_without_quotes(told: str, reason: str) -> None:
    assert models.check(Played(), {"problem": told}, drop) == reason


@pytest.mark.parametrize("ask", [models.check, models.discover])
def test_messages_that_are_queued_meanwhile_are_told_even_where_the_source_raises(ask: Any) -> None:
    class Failing(Played):
        def check(self, *_: Any) -> Any:
            raise ValueError("no")

        def discover(self, *_: Any) -> Any:
            raise ValueError("no")

    source: Any = Failing()
    source.message_repository = Queue()
    told: list[Any] = []

    with pytest.raises(ValueError, match="no"):
        ask(source, {}, told.append)

    assert told == ["queued"]


def test_the_level_of_the_cdk_s_logger_is_the_process_s() -> None:
    logging.getLogger("airbyte").setLevel(logging.INFO)

    models.source_for(Played(), {})

    assert logging.getLogger("airbyte").level == logging.NOTSET
