from __future__ import annotations

import logging
from typing import Any

import pytest

from python.shim_airbyte_cdk import models
from tests.airbyte_messages import Played, cdk, state, status

CATALOG: Any = {"streams": []}


def test_a_model_is_read_as_the_json_of_the_airbyte_protocol() -> None:
    assert models.plain(status("users", "STARTED")) == {
        "type": "TRACE",
        "trace": {
            "type": "STREAM_STATUS",
            "emitted_at": 0,
            "stream_status": {"stream_descriptor": {"name": "users"}, "status": "STARTED"},
        },
    }


def test_a_state_blob_keeps_members_that_start_with_an_underscore() -> None:
    message = state("users", {"__ab_x": True, "n": None})

    assert models.mapping_of(message.state)["stream"] == {
        "stream_descriptor": {"name": "users"},
        "stream_state": {"__ab_x": True, "n": None},
    }


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
    models.discover(factory, dict(config))
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

    assert models.check(Changing(), config) == ""
    assert config == {"nested": {}}


def test_messages_left_in_the_repository_come_last() -> None:
    class Queue:
        def consume_queue(self) -> list[Any]:
            return ["queued"]

    source: Any = Played("first")
    source.message_repository = Queue()

    messages: list[Any] = list(models.read(source, {}, CATALOG, []))

    assert messages == ["first", "queued"]


def test_a_failed_check_says_why() -> None:
    assert models.check(Played(), {"problem": "no such host"}) == "no such host"


def test_the_level_of_the_cdk_s_logger_is_the_process_s() -> None:
    logging.getLogger("airbyte").setLevel(logging.INFO)

    models.source_for(Played(), {})

    assert logging.getLogger("airbyte").level == logging.NOTSET
