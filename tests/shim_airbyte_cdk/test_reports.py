from __future__ import annotations

import logging
from typing import Any

import pytest

from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk.models import Json
from python.shim_airbyte_cdk.reports import Reports
from tests.airbyte_messages import Played, Sync, binding, cdk, control, error, request, status, trace


class Stream:
    """As much of a Target as reports need."""

    def __init__(self, stream: str, namespace: str | None = None) -> None:
        self.stream, self.namespace, self.name = stream, namespace, stream


def reports(*names: str) -> Reports:
    targets: Any = [Stream(name) for name in names]
    return Reports(targets, lambda config: None)


def estimate(stream: str, rows: float) -> Any:
    return trace(
        "ESTIMATE",
        estimate=cdk.AirbyteEstimateTraceMessage(name=stream, type=cdk.EstimateType.STREAM, row_estimate=rows),
    )


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if getattr(entry, "eventType", "") == "connectorStatus"]


def test_a_log_with_percent_signs_and_a_trace_is_passed_on_whole(caplog: pytest.LogCaptureFixture) -> None:
    told = reports("a")

    with caplog.at_level(logging.DEBUG):
        told.take("LOG", {"level": "WARN", "message": "100% of %s", "stack_trace": "line 1\nline 2"})

    (entry,) = caplog.records
    assert (entry.levelno, entry.getMessage()) == (logging.WARNING, "100% of %s")
    assert vars(entry)["traceback"] == ["line 1", "line 2"]


@pytest.mark.parametrize(
    ("level", "number"),
    [("FATAL", 40), ("ERROR", 40), ("WARN", 30), ("INFO", 20), ("DEBUG", 10), ("TRACE", 5), ("ODD", 20)],
)
def test_levels_are_flow_s(level: str, number: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(1), caplog.at_level(1, logger="airbyte"):
        reports("a").take("LOG", {"level": level, "message": "x"})

    assert caplog.records[0].levelno == number


def test_statuses_and_estimates_are_the_connector_s_status(caplog: pytest.LogCaptureFixture) -> None:
    source = Played(
        status("a", "STARTED"),
        estimate("a", 50000.0),
        estimate("a", 50000.0),
        status("a", "RUNNING"),
        status("a", "COMPLETE"),
    )

    with caplog.at_level(logging.INFO):
        Sync(source, request(binding("a"), binding("b")))

    assert events(caplog) == [
        "Capture started: 2 streams",
        "Reading a (0 of 2 streams done)",
        "Reading a, about 50,000 documents",
        "Done with a, about 50,000 documents (1 of 2 streams done)",
    ]


def test_reports_of_streams_that_nobody_captures_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sync = Sync(Played(status("x", "STARTED"), status("x", "INCOMPLETE"), estimate("x", 5)), request(binding("a")))

    assert sync.failure == ""
    assert events(caplog) == ["Capture started: 1 streams"]


def test_an_incomplete_stream_is_a_failure() -> None:
    sync = Sync(Played(status("a", "STARTED"), status("a", "INCOMPLETE")), request(binding("a")))

    assert sync.failure == "1 of 1 streams failed: stream a: the source could not read it to its end"


def test_an_error_of_no_stream_is_the_source_s() -> None:
    assert (
        Sync(Played(error(None, "no quota left")), request(binding("a"))).failure == "the source failed: no quota left"
    )


def test_the_first_reason_of_a_stream_counts() -> None:
    told = reports("a")
    told.fail("a", "first")
    told.fail("a", "second")

    with pytest.raises(ConnectorError, match=r"^1 of 1 streams failed: stream a: first$"):
        told.raise_failures()


def test_an_error_is_logged_with_its_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    members = {"message": "m", "internal_message": "i", "stack_trace": "t1\nt2", "stream_descriptor": {"name": "a"}}

    reports("a").take("TRACE", {"type": "ERROR", "error": members})

    (entry,) = caplog.records
    assert entry.getMessage() == "stream a: m"
    assert vars(entry)["traceback"] == ["t1", "t2"]
    assert vars(entry)["internalMessage"] == "i"


def test_a_changed_config_is_published() -> None:
    published: list[Json] = []
    told = Reports([], published.append)

    told.take("CONTROL", {"type": "CONNECTOR_CONFIG", "connectorConfig": {"config": {"token": "new"}}})
    told.take("CONTROL", {"type": "NEW"})

    assert published == [{"token": "new"}]


def test_a_changed_config_does_not_end_the_capture(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENCRYPTION_URL", "")

    assert Sync(Played(control({"token": "new"})), request(binding("a"))).failure == ""
    assert "ENCRYPTION_URL is empty" in caplog.text
    assert "'new'" not in caplog.text


def test_a_reason_goes_before_the_mere_status_of_a_failed_stream() -> None:
    source = Played(status("users", "INCOMPLETE"), error("users", "no access"), error("users", "nor anything else"))

    sync = Sync(source, request(binding("users")))

    assert sync.failure == "1 of 1 streams failed: stream users: no access"


def test_the_cdk_s_own_words_for_any_failure_give_way_to_the_reason() -> None:
    untold = "Something went wrong in the connector. See the logs for more details."
    descriptor = cdk.StreamDescriptor(name="users")
    told = trace(
        "ERROR",
        error=cdk.AirbyteErrorTraceMessage(message=untold, internal_message="no host", stream_descriptor=descriptor),
    )

    assert Sync(Played(told), request(binding("users"))).failure == "1 of 1 streams failed: stream users: no host"
    assert untold in Sync(Played(error("users", untold)), request(binding("users"))).failure
