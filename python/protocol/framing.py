r"""Lines in, lines out: the framing of every protocol is one JSON object and `\n` (protocol reference, section 1)."""

from __future__ import annotations

from collections.abc import Iterator

from python.protocol.errors import RemoteProtocolError

__all__ = ["LINE_BYTES_MAX", "Lines"]

LINE_BYTES_MAX = 128 * 1024 * 1024
"""The longest line accepted. Flow documents end at 16 MB and its runtime at 64 MiB; a spec with many bindings needs
more, and an endless line must not take all memory. The same number as in Estuary's own kit."""


class Lines:
    """Splits chunks of bytes into lines, whatever the chunks' borders are.

    Feed chunks with `feed`, which yields each line that is complete, without its newline; say `end` when the peer has
    closed. A line longer than `line_bytes_max` and an unterminated last line raise RemoteProtocolError. Memory is
    bounded by the limit and one chunk.
    """

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        self._line_bytes_max = line_bytes_max
        self._partial: list[bytes] = []
        self._partial_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that `chunk` completes, in order."""
        head, newline, rest = chunk.partition(b"\n")
        self._keep(head)
        if not newline:
            return
        yield self._take()
        lines = rest.split(b"\n")
        tail = lines.pop()
        longest = max(map(len, lines), default=0) if len(rest) > self._line_bytes_max else 0
        if longest > self._line_bytes_max:
            raise self._too_long(longest)
        yield from lines
        self._keep(tail)

    def end(self) -> None:
        """Refuse an unterminated last line (rule 3)."""
        if self._partial_bytes:
            raise RemoteProtocolError(
                f"the last line ends without a newline: it starts with {self._take()[:80]!r}", rule=3
            )

    def _keep(self, part: bytes) -> None:
        if not part:
            return
        self._partial.append(part)
        self._partial_bytes += len(part)
        if self._partial_bytes > self._line_bytes_max:
            raise self._too_long(self._partial_bytes)

    def _take(self) -> bytes:
        line = b"".join(self._partial)
        self._partial.clear()
        self._partial_bytes = 0
        return line

    def _too_long(self, length: int) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"a line of {length:,} bytes or more came; the limit is {self._line_bytes_max:,} bytes"
        )
