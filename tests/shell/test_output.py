from __future__ import annotations

import os
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
    os.set_blocking(pipe[0], True)
    half = b"x" * (BUFFER_BYTES_MAX // 8 - 1) + b"\n"
    output.write(half, ends_sequence=False)
    output.write(b"y" * 10 + b"\n", ends_sequence=False)
    output.flush()

    assert os.read(pipe[0], 1 << 20).startswith(b"xxx")


def test_abandoning_drops_an_unfinished_sequence_whole(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    output.write(b"a\n", ends_sequence=True)
    output.write(b"b\n", ends_sequence=False)

    assert output.abandon(1.0)
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
