from __future__ import annotations

import io
import os

from python.shell.outlet import Outlet


class Broken(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_what_is_written_arrives_at_once() -> None:
    stream = io.StringIO()
    outlet = Outlet(stream, on_gone=lambda: None)
    outlet.write("hello\n")

    assert stream.getvalue() == "hello\n"
    assert not outlet.isatty()


def test_a_reader_that_is_gone_is_told_once_and_nothing_raises() -> None:
    told: list[str] = []
    outlet = Outlet(_pipe_without_reader(), on_gone=lambda: told.append("gone"))

    assert [outlet.write("hello\n") for _ in range(3)] == [6, 6, 6]
    assert told == ["gone"]


def test_what_the_stream_still_holds_is_dropped_when_it_is_closed() -> None:
    stream = _pipe_without_reader()
    Outlet(stream, on_gone=lambda: None).write("hello\n")

    stream.close()


def test_a_stream_without_a_descriptor_may_go_too() -> None:
    told: list[str] = []
    Outlet(Broken(), on_gone=lambda: told.append("gone")).write("hello\n")

    assert told == ["gone"]


def _pipe_without_reader() -> io.TextIOWrapper:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")
