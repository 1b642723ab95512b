"""The matrix of connectors that CI tests and builds: one line each, by name, in a workflow."""

from __future__ import annotations

import contextlib
import pathlib
import re

from python.importing.changes import Connector
from python.protocol.errors import HeadwaterError

__all__ = ["WORKFLOW", "enlist", "line_of", "listed"]

WORKFLOW = pathlib.Path(".github/workflows/python.yaml")

_LINE = re.compile(
    r"^(?P<indent> *)- \{ connector: (?P<name>[\w-]+),.* version: (?P<version>[^\s,}]+).*\}\n", re.MULTILINE
)


def line_of(connector: Connector) -> str:
    """Return the entry of `connector` in the matrix."""
    return f"- {{ connector: {connector.name}, connector_type: {connector.type}, version: {connector.version} }}"


def listed(root: pathlib.Path, name: str) -> str | None:
    """Return the version in the line of the connector `name`: "" where it has no line, None where no matrix is."""
    lines = _lines(_text(root / WORKFLOW))
    versions = {line["name"]: line["version"] for line in lines}
    return versions.get(name, "") if lines else None


def enlist(root: pathlib.Path, connector: Connector) -> bool:
    """The matrix of the repository at `root` has a line for `connector`, with its version. False where no matrix is.

    Raises HeadwaterError, with nothing changed, where the workflow cannot be written.
    """
    path = root / WORKFLOW
    text = _text(path)
    lines = _lines(text)
    if not lines:
        return False
    own = next((line for line in lines if line["name"] == connector.name), None)
    if own is None:
        after = [line for line in lines if line["name"] < connector.name]
        at = after[-1].end() if after else lines[0].start()
        new = f"{text[:at]}{lines[0]['indent']}{line_of(connector)}\n{text[at:]}"
    else:
        new = f"{text[: own.start('version')]}{connector.version}{text[own.end('version') :]}"
    if new != text:
        _write(path, new)
    return True


def _text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _lines(text: str) -> list[re.Match[str]]:
    return list(_LINE.finditer(text))


def _write(path: pathlib.Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it was not made
            beside.unlink()
        raise HeadwaterError(f"{path} cannot be written: {error.strerror}") from None
