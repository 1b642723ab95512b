from __future__ import annotations

import collections
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.errors import RemoteProtocolError
from python.protocol.framing import LINE_BYTES_MAX, Lines

lines_of_bytes = st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b" ")), max_size=6)


@given(lines=lines_of_bytes, cuts=st.lists(st.integers(0, 50), max_size=8))
def test_lines_are_the_same_wherever_the_chunks_end(lines: list[bytes], cuts: list[int]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    framing = Lines()

    found = [line for start, end in itertools.pairwise(ends) for line in framing.feed(text[start:end])]

    framing.end()
    assert found == lines


@pytest.mark.parametrize("text", [b"x" * 11 + b"\n", b"ok\n" + b"x" * 11 + b"\n", b"ok\n" + b"x" * 11])
@pytest.mark.parametrize("chunk_bytes", [1, 4, 100])
def test_a_line_beyond_the_limit_is_refused_before_its_end_comes(text: bytes, chunk_bytes: int) -> None:
    framing = Lines(line_bytes_max=10)

    chunks = (text[start : start + chunk_bytes] for start in range(0, len(text), chunk_bytes))

    with pytest.raises(RemoteProtocolError, match="a line of 11 bytes or more came; the limit is 10 bytes"):
        collections.deque((line for chunk in chunks for line in framing.feed(chunk)), maxlen=0)


def test_a_line_of_just_the_limit_is_taken() -> None:
    assert list(Lines(line_bytes_max=3).feed(b"abc\ndef\n")) == [b"abc", b"def"]


def test_an_unterminated_last_line_is_refused() -> None:
    framing = Lines()
    assert list(framing.feed(b'{"a":1}\n{"b"')) == [b'{"a":1}']

    with pytest.raises(RemoteProtocolError, match=r"""starts with b'{"b"' \(rule 3\)"""):
        framing.end()


def test_blank_lines_are_lines() -> None:
    assert list(Lines().feed(b"\n\n")) == [b"", b""]


def test_the_limit_is_128_mebibytes() -> None:
    assert LINE_BYTES_MAX == 134_217_728
