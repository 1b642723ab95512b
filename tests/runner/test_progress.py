from __future__ import annotations

import io
from collections.abc import Iterator

from python.runner.progress import LINE_SECONDS, QUIET_SECONDS, Progress
from python.runner.transactions import Transaction


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(stream: io.StringIO | None = None) -> tuple[Progress, io.StringIO, Clock]:
    clock, stream = Clock(), stream or io.StringIO()
    return Progress(stream, clock), stream, clock


def of(documents: int, size: int = 10, *, partial: bool = False) -> Transaction:
    return Transaction(documents=[{str(n): b"x" * size for n in range(documents)}, {}], partial=partial)


def summary(of: Progress) -> list[list[str]]:
    out = io.StringIO()
    of.summary(out, "a.duckdb")
    return [line.split() for line in out.getvalue().splitlines()]


def test_the_summary_counts_what_was_committed_and_names_a_query() -> None:
    telling, _, clock = progress()
    telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"]).committed(of(2_000, 500))
    clock.seconds = 4.0

    assert summary(telling) == [
        ["collection", "documents", "MB"],
        ["acmeCo/a", "2,000", "1.0"],
        ["acmeCo/b", "0", "0.0"],
        ["total", "2,000", "1.0"],
        [],
        ["2,000", "documents", "committed", "to", "a.duckdb", "in", "4.0", "s", "(500/s)"],
        [
            "Query",
            "it:",
            "headwater",
            "sql",
            "--store",
            "a.duckdb",
            "'select",
            "*",
            "from",
            '"acmeCo/a"',
            "limit",
            "5'",
        ],
    ]


def test_documents_that_were_staged_count_once_they_are_committed() -> None:
    telling, _, _ = progress()
    session = telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"])
    session.staged(of(30, partial=True))
    session.staged(of(20, partial=True))

    assert summary(telling)[3] == ["total", "0", "0.0"]
    session.committed(of(1))
    assert summary(telling)[3] == ["total", "51", "0.0"]
    session.committed(of(1))
    assert summary(telling)[3] == ["total", "52", "0.0"]


def test_what_a_session_staged_and_never_committed_does_not_count() -> None:
    telling, _, _ = progress()
    telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"]).staged(of(30, partial=True))
    telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"]).committed(of(1))

    assert summary(telling)[3] == ["total", "1", "0.0"]


def test_staging_is_told_with_the_documents_of_the_sequence_so_far() -> None:
    telling, stream, _ = progress()
    session = telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"])
    session.staged(of(1_000, partial=True))
    session.staged(of(500, partial=True))

    assert stream.getvalue().splitlines()[1:] == [
        "acmeCo/x: 1,000 documents wait on disk for their checkpoint",
        "acmeCo/x: 1,500 documents wait on disk for their checkpoint",
    ]


def test_commits_are_told_every_few_seconds_with_the_rate_since_the_last_time() -> None:
    telling, stream, clock = progress()
    session = telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"])
    session.committed(of(1_000, 1_000))
    clock.seconds = LINE_SECONDS
    session.committed(of(3_000, 1_000))
    clock.seconds = 2 * LINE_SECONDS
    session.committed(of(2_000, 1_000))

    assert stream.getvalue().splitlines() == [
        "acmeCo/x: capturing 2 bindings, waiting for the first checkpoint",
        "acmeCo/x: 4,000 documents, 2,000/s, 2.0 MB/s (acmeCo/a 4,000)",
        "acmeCo/x: 6,000 documents, 1,000/s, 1.0 MB/s (acmeCo/a 6,000)",
    ]


def ticking(clock: Clock, batches: list[list[int]], seconds: float) -> Iterator[list[int]]:
    for batch in batches:
        clock.seconds += seconds
        yield batch


def test_a_session_whose_connector_went_silent_says_so_every_while() -> None:
    telling, stream, clock = progress()
    session = telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"])
    batches = list(session.watched(ticking(clock, [[1, 2], [], [], [], []], QUIET_SECONDS / 2)))

    assert batches == [[1, 2], [], [], [], []]
    assert stream.getvalue().splitlines()[1:] == [
        "acmeCo/x: waiting for the connector, which has said nothing for 5 s (2 messages since the last commit)",
        "acmeCo/x: waiting for the connector, which has said nothing for 15 s (2 messages since the last commit)",
    ]


def test_a_session_that_captures_without_a_checkpoint_says_so() -> None:
    telling, stream, clock = progress()
    session = telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"])
    list(session.watched(ticking(clock, [[1] * 600, [1] * 600], QUIET_SECONDS / 2)))

    assert stream.getvalue().splitlines()[1:] == [
        "acmeCo/x: waiting for a checkpoint (1,200 messages since the last commit)"
    ]


def test_a_session_that_commits_does_not_say_what_it_waits_for() -> None:
    telling, stream, clock = progress()
    session = telling.started("acmeCo/x", ["acmeCo/a", "acmeCo/b"])
    for _ in session.watched(ticking(clock, [[1]] * 20, QUIET_SECONDS / 2)):
        session.committed(of(1))

    assert "waiting for" not in "".join(stream.getvalue().splitlines()[1:])


def test_a_terminal_has_one_line_that_is_rewritten() -> None:
    telling, stream, _ = progress(Terminal())
    telling.note("one")
    telling.note("two")
    telling.close()

    assert stream.getvalue() == "\r\x1b[2Kone\r\x1b[2Ktwo\n"


def test_waiting_for_the_interval_is_told() -> None:
    telling, stream, _ = progress()
    telling.waiting("acmeCo/x", 300)

    assert stream.getvalue() == "acmeCo/x: session done; the next one starts 300 s after this one did\n"
