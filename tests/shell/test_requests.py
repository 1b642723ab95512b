import os
from collections import deque
from pathlib import Path

import pytest

from python.protocol import materialize as wire
from python.protocol.codec import MATERIALIZE_REQUESTS
from python.protocol.errors import RemoteProtocolError
from python.protocol.wire import FromRuntime
from python.shell.requests import Requests

LINES = b'{"load":{"key":[1]}}\n' * 3 + b'{"flush":{}}\n'


def kinds(requests: Requests) -> list[tuple[type, int]]:
    return [(type(run[0]), len(run)) for batch in requests.batches() for run in batch]


def nothing_aside(run: list[FromRuntime]) -> bool:
    del run
    return False


def test_requests_come_in_runs_from_a_pipe_and_from_a_file(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, LINES)
    os.close(writer)
    (tmp_path / "requests").write_bytes(LINES)
    file = os.open(tmp_path / "requests", os.O_RDONLY)

    for fd in reader, file:
        assert kinds(Requests(fd, MATERIALIZE_REQUESTS.decode_run, nothing_aside)) == [(wire.Load, 3), (wire.Flush, 1)]
        os.close(fd)


def test_what_was_dealt_with_aside_does_not_come_and_a_failure_comes_in_its_place() -> None:
    reader, writer = os.pipe()
    os.write(writer, LINES + b"{}\n")
    os.close(writer)
    seen: list[int] = []

    def aside(run: list[FromRuntime]) -> bool:
        seen.append(len(run))
        return isinstance(run[0], wire.Load)

    def decode(lines: deque[bytes]) -> list[FromRuntime]:
        return MATERIALIZE_REQUESTS.decode_run(lines)

    batches = Requests(reader, decode, aside).batches()
    assert next(batches) == [[wire.Flush()]]
    with pytest.raises(RemoteProtocolError, match="exactly one kind"):
        next(batches)
    assert seen == [3, 1]
    os.close(reader)
