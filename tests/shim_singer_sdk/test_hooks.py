from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from python.shell import logs
from python.shim_singer_sdk.emitting import Emitter
from python.shim_singer_sdk.hooks import emit_through, hooked


def own(*given: Any, **named: Any) -> str:
    return "the SDK's"


class Stream:
    STATE_MSG_FREQUENCY = 10_000

    def _write_state_message(self) -> None:
        pytest.fail("the SDK copies its state")


class Careful(Stream):
    STATE_MSG_FREQUENCY = 10

    def _write_state_message(self) -> None:
        """A tap's own way."""


class Authenticator:
    def update_access_token(self) -> None:
        self.access_token = "access-token-0123456789"


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    modules = {
        "singer_sdk": SimpleNamespace(Stream=Stream),
        "singer_sdk.streams.core": SimpleNamespace(singer=SimpleNamespace(write_message=own)),
        "singer_sdk.tap_base": SimpleNamespace(),
        "singer_sdk.metrics": SimpleNamespace(_setup_logging=own),
        "singer_sdk.authenticators": SimpleNamespace(OAuthAuthenticator=Authenticator),
        "singer_sdk.helpers._state": SimpleNamespace(_find_in_partitions_list=own),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules


def test_what_is_patched_is_put_back_even_after_a_failure(sdk: dict[str, Any]) -> None:
    core, metrics, states = (sdk[f"singer_sdk.{name}"] for name in ("streams.core", "metrics", "helpers._state"))

    def fail_within() -> None:
        with hooked(print):
            assert core.singer.write_message is print
            assert metrics._setup_logging({}, package="x") is None
            assert states._find_in_partitions_list is not own
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fail_within()

    assert core.singer.write_message is metrics._setup_logging is states._find_in_partitions_list is own
    assert vars(sdk["singer_sdk.tap_base"]) == {}


def test_the_oldest_writer_is_replaced_where_it_is_imported_by_name(sdk: dict[str, Any]) -> None:
    module = sdk["singer_sdk.tap_base"]
    module.write_message = own

    with hooked(print):
        within = module.write_message

    assert (within, module.write_message) == (print, own)


@pytest.mark.usefixtures("sdk")
def test_metrics_are_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("singer_sdk.metrics")
    with caplog.at_level(logging.INFO), hooked(print):
        logger.info("METRIC: {}")
    with caplog.at_level(logging.DEBUG), hooked(print):
        logger.info("METRIC: {}")

    assert [record.levelname for record in caplog.records] == ["DEBUG"]


@pytest.mark.usefixtures("sdk")
def test_the_level_of_metrics_is_put_back(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("singer_sdk.metrics")
    caplog.set_level(logging.INFO)
    with hooked(print):
        emit_through(Emitter(print, lambda: 0.0, 0), SimpleNamespace(streams={}))
        within = logger.level

    assert (within, logger.level) == (logging.WARNING, logging.NOTSET)


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("attributes", [("write_message",), ("message_writer",), ("message_writer", "_state_writer")])
def test_each_generation_s_writers_are_replaced(attributes: tuple[str, ...]) -> None:
    put: list[Any] = []
    emitter = Emitter(put.append, lambda: 0.0, 0)
    streams = {"a": Stream(), "b": Careful()}
    tap: Any = SimpleNamespace(streams=streams, state={"x": 1}, **dict.fromkeys(attributes))

    emit_through(emitter, tap)
    streams["a"]._write_state_message()
    streams["b"]._write_state_message()
    if "_state_writer" in attributes:
        tap._state_writer.write_state({"x": 2})

    assert (
        tap.write_message == emitter.message if attributes == ("write_message",) else tap.message_writer.write_message
    )
    assert [each["value"] for each in put] == [{"x": 1}, {"x": 2}][: 1 + ("_state_writer" in attributes)]
    assert (streams["a"].STATE_MSG_FREQUENCY, streams["b"].STATE_MSG_FREQUENCY) == (1, 10)


def test_a_token_that_an_authenticator_is_given_is_masked(sdk: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    protected: list[str] = []
    monkeypatch.setattr(logs, "protect", protected.extend)

    with hooked(print):
        Authenticator().update_access_token()

    assert sdk.keys() >= {"singer_sdk.authenticators"}
    assert protected == ["access-token-0123456789"]
