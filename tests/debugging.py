"""A client of the Debug Adapter Protocol, as an editor is one: it attaches to a process that `debugpy` waits in.

Source: https://microsoft.github.io/debug-adapter-protocol/specification, base protocol and requests.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Debugger", "attach"]

_SECONDS_MAX = 240.0
_GREETING_SECONDS_MAX = 20.0  # what is ending may take a connection and answer nothing


def attach(port: int) -> Debugger:
    """Return a session attached to the process that listens at `port`, as soon as one does.

    What listens there may also be the end of a process that was debugged before. Raises TimeoutError after minutes.
    """
    until = time.monotonic() + _SECONDS_MAX
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionError, TimeoutError, StopIteration):
            return Debugger(socket.create_connection(("127.0.0.1", port), timeout=_GREETING_SECONDS_MAX))
        time.sleep(0.05)  # the process is starting
    raise TimeoutError(f"no debugger listens at port {port}")


class Debugger:
    """One session over `connection`, attached.

    Raises ConnectionError, TimeoutError or StopIteration where nobody answers.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._read = connection.makefile("rb")
        self._number = 0
        self._ask("initialize", adapterID="headwater", pathFormat="path", linesStartAt1=True)
        self._send("attach", justMyCode=False)
        self._until("event", "initialized")
        connection.settimeout(_SECONDS_MAX)

    def close(self) -> None:
        """End the session; a process that still runs goes on."""
        self._read.close()
        self._socket.close()

    def go_on_to(self, path: Path, line: int) -> dict[str, Any] | None:
        """Set a breakpoint, let the process begin, and return the frame that it stops in; None where it ends before."""
        self._ask("setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": line}])
        self._ask("configurationDone")
        for message in self._messages():
            if message.get("event") in ("terminated", "exited"):
                return None
            if message.get("event") == "stopped":
                thread = message["body"]["threadId"]
                frame: dict[str, Any] = self._ask("stackTrace", threadId=thread, levels=1)["stackFrames"][0]
                return frame
        return None

    def value(self, frame: dict[str, Any], expression: str) -> str:
        """Return what `expression` is in `frame`, as the debugger shows it."""
        return str(self._ask("evaluate", expression=expression, frameId=frame["id"], context="watch")["result"])

    def detach(self) -> None:
        """Take the breakpoints away, and let the process run on without us."""
        self._ask("disconnect", terminateDebuggee=False)
        self.close()

    def _ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        number = self._send(command, **arguments)
        answer = self._until("request_seq", number)
        assert answer["success"], answer.get("message")
        body: dict[str, Any] = answer.get("body") or {}
        return body

    def _send(self, command: str, **arguments: Any) -> int:
        self._number += 1
        request = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        text = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(text), text))
        return self._number

    def _until(self, member: str, value: object) -> dict[str, Any]:
        return next(message for message in self._messages() if message.get(member) == value)

    def _messages(self) -> Iterator[dict[str, Any]]:
        while header := self._read.readline():
            length = int(header.partition(b":")[2])
            assert self._read.readline() == b"\r\n"
            message: dict[str, Any] = json.loads(self._read.read(length))
            yield message
