"""Running the CDK's builder in this process, and reading what it prints."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
import traceback
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .kinds import Foreign, Json

__all__ = ["Printed", "connect", "run_entrypoint"]

_MODULE = "airbyte_cdk.connector_builder.main"
_STDERR_CHARACTERS = 8000


class Printed(NamedTuple):
    """What the entrypoint told: the last RECORD, else the last TRACE of an error; or why there is neither."""

    record: dict[str, Json] | None = None
    error: dict[str, Json] | None = None
    died: str = ""


class _Lines(io.RawIOBase):
    """Keeps the last RECORD and the last TRACE of what is printed, whatever else custom components print."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, bytes] = {}
        self._rest: list[bytes] = []

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, data: Foreign) -> int:
        """Take in more of what is printed."""
        text = bytes(data)
        *whole, rest = text.split(b"\n")
        for line in whole:
            self._rest.append(line)
            self._line(b"".join(self._rest))
            self._rest = []
        self._rest.append(rest)
        return len(text)

    def last(self, kind: str) -> dict[str, Json] | None:
        """Return the last message of a kind."""
        self.write(b"\n")
        line = self.found.get(kind)
        return None if line is None else json.loads(line)

    def _line(self, line: bytes) -> None:
        for kind in ("RECORD", "TRACE"):
            start = line[:200].replace(b" ", b"")
            if start.startswith(b'{"type":"%s"' % kind.encode()) or (b'"%s"' % kind.encode() in line[-200:]):
                self._keep(kind, line)

    def _keep(self, kind: str, line: bytes) -> None:
        try:
            if json.loads(line)["type"] == kind:
                self.found[kind] = line
        except (ValueError, KeyError, TypeError):
            return


def run_entrypoint(path: str | None, arguments: Sequence[str]) -> Printed:
    """Run the entrypoint at `path` as `__main__`, as Python would; without a path, the one of the CDK itself."""
    found = path or _own_entrypoint()
    lines = _Lines()
    with _taken_over(lines, [found, *arguments]) as errors:
        died = _executed(found, at=str(Path(found).parent) if path else None)
    record, trace = lines.last("RECORD"), lines.last("TRACE")
    error = (trace or {}).get("trace", {}).get("error")
    if record is not None or error is not None:
        return Printed(record=(record or {}).get("record"), error=error)
    return Printed(
        died=f"{died or 'the entrypoint ended without an answer'}\n{errors.getvalue()[-_STDERR_CHARACTERS:]}"
    )


def connect(command: str, config: Mapping[str, Json]) -> Printed:
    """Check the connection or discover streams: what `airbyte_cdk.manifest_server` has, and the entrypoint has not."""
    handler = importlib.import_module("airbyte_cdk.connector_builder.connector_builder_handler")
    entrypoint = importlib.import_module("airbyte_cdk.entrypoint").AirbyteEntrypoint
    if not hasattr(entrypoint, command):
        return Printed(
            error={"message": f"this airbyte-cdk is too old to {command}: its entrypoint cannot do it alone"}
        )
    try:
        source = handler.create_source(config, handler.get_limits(config))
    except Exception as error:  # noqa: BLE001 -- whatever a manifest makes the CDK raise is an answer
        return Printed(error=_trace(f"Error handling request: {error}", error))
    try:
        spec = source.spec(entrypoint(source).logger)
        with _taken_over(_Lines(), sys.argv):
            messages = list(getattr(entrypoint(source), command)(spec, config))
    except Exception as error:  # noqa: BLE001 -- as above
        return Printed(error=_trace(str(getattr(error, "message", None) or error), error))
    return _connected(command, messages)


def _connected(command: str, messages: Sequence[Foreign]) -> Printed:
    for message in reversed(messages):
        if command == "check" and message.connectionStatus is not None:
            status = message.connectionStatus
            succeeded = status.status.value == "SUCCEEDED"
            return Printed(record={"data": {"success": succeeded, "message": status.message}})
        if command == "discover" and message.catalog is not None:
            return Printed(record={"data": {"catalog": _dumped(message)["catalog"]}})
    errors = [message.trace.error for message in messages if message.trace is not None and message.trace.error]
    for error in errors[-1:]:
        fields = ("message", "internal_message", "stack_trace")
        return Printed(error={field: getattr(error, field) for field in fields})
    return Printed(died=f"the CDK answered {command} with nothing")


def _dumped(message: Foreign) -> Json:
    models = importlib.import_module("airbyte_cdk.models")
    serializer = getattr(models, "AirbyteMessageSerializer", None)
    return json.loads(message.json(exclude_unset=True)) if serializer is None else serializer.dump(message)


def _own_entrypoint() -> str:
    spec = importlib.util.find_spec(_MODULE)
    assert spec is not None and spec.origin is not None, "preload has imported it"  # noqa: S101, PT018 -- for the type checker
    return spec.origin


@contextlib.contextmanager
def _taken_over(lines: _Lines, arguments: Sequence[str]) -> Iterator[io.StringIO]:
    """Within, what is printed goes to `lines`, errors to what is yielded, and `arguments` are the process's own."""
    before = sys.stdout, sys.stderr, sys.argv
    errors = io.StringIO()
    printed = io.TextIOWrapper(io.BufferedWriter(lines), encoding="utf-8", errors="replace", write_through=True)
    sys.stdout, sys.stderr, sys.argv = printed, errors, list(arguments)
    try:
        yield errors
    finally:
        with contextlib.suppress(ValueError):  # custom code has closed it
            printed.flush()
        sys.stdout, sys.stderr, sys.argv = before


def _executed(path: str, *, at: str | None) -> str:
    """Execute the file as `__main__`; return why it ended, if it did not end well."""
    if at is not None:
        sys.path.insert(0, at)
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    try:
        exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)  # noqa: S102 -- what Python does with a script
    except SystemExit as exit_:
        return f"the entrypoint ended with {exit_.code!r} and no answer" if exit_.code else ""
    except Exception as error:  # noqa: BLE001 -- an entrypoint may raise whatever it likes
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return ""


def _trace(message: str, error: BaseException) -> dict[str, Json]:
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    internal = str(getattr(error, "internal_message", None) or error)
    return {"message": message, "internal_message": internal, "stack_trace": stack}
