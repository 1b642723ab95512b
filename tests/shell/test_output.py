from __future__ import annotations

import concurrent.futures
import os
import threading
from collections.abc import Iterator

import pytest

from python.shell.output import BUFFER_BYTES_MAX, Output, ReaderGone


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    yield read, write
    os.close(write)


def received(read: int) -> bytes:
    try:
        return os.read(read, 1 << 20)
    except BlockingIOError:
        return b""


def test_lines_wait_for_their_checkpoint(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=False)
    output.flush_complete()
    assert received(pipe[0]) == b""

    output.write(b"b\n", ends_sequence=True)
    output.write(b"c\n", ends_sequence=False)
    output.flush_complete()
    assert received(pipe[0]) == b"a\nb\n"


def test_the_buffer_is_bounded(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    line = b"x" * (BUFFER_BYTES_MAX // 16 - 1) + b"\n"
    os.set_blocking(pipe[0], True)
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        read = other.submit(lambda: [os.read(pipe[0], 64) for _ in range(BUFFER_BYTES_MAX // 64)])
        for _ in range(16):
            output.write(line, ends_sequence=False)
        text = b"".join(read.result(60))

    assert text == line * 16


def test_abandoning_drops_an_unfinished_sequence_whole(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=True)
    output.write(b"b\n", ends_sequence=False)

    assert output.abandon(1.0)
    assert received(pipe[0]) == b"a\n"


def test_nothing_follows_what_was_abandoned(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=False)
    output.flush()
    output.write(b"b\n", ends_sequence=False)
    output.abandon(1.0)
    late = threading.Thread(target=output.write, args=(b"c\n",), kwargs={"ends_sequence": True}, daemon=True)
    late.start()
    late.join(0.1)

    assert late.is_alive()
    assert received(pipe[0]) == b"a\n"


def test_abandoning_says_that_half_a_sequence_has_left(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=False)
    output.flush()
    output.write(b"b\n", ends_sequence=False)

    assert not output.abandon(1.0)
    assert received(pipe[0]) == b"a\n"


def test_a_sequence_that_has_ended_is_half_sent_no_more(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=False)
    output.flush()
    output.write(b"b\n", ends_sequence=True)
    output.write(b"c\n", ends_sequence=False)

    assert output.abandon(1.0)
    assert received(pipe[0]) == b"a\nb\n"


def test_a_gone_reader_is_no_oserror(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=True)

    with pytest.raises(ReaderGone):
        output.flush()
