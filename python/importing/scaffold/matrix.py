"""The matrix of connectors that CI tests and builds: one line each, by name, in a workflow."""

from __future__ import annotations

import contextlib
import pathlib
import re

from python.importing.changes import Connector
from python.protocol.errors import HeadwaterError

__all__ = ["WORKFLOW", "enlist", "line_of"]

WORKFLOW = pathlib.Path(".github/workflows/python.yaml")

_LINE = re.compile(r"^( *)- \{ connector: ([\w-]+), .*\}\n", re.MULTILINE)


def line_of(connector: Connector) -> str:
    """Return the entry of `connector` in the matrix."""
    return f"- {{ connector: {connector.name}, connector_type: {connector.type}, version: {connector.version} }}"


def enlist(root: pathlib.Path, connector: Connector) -> bool:
    """The matrix of the repository at `root` has a line for `connector`. False where there is none.

    Raises HeadwaterError, with nothing changed, where the workflow cannot be written.
    """
    path = root / WORKFLOW
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = list(_LINE.finditer(text))
    if not found:
        return False
    if connector.name not in [line[2] for line in found]:
        after = [line for line in found if line[2] < connector.name]
        at = after[-1].end() if after else found[0].start()
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_text(f"{text[:at]}{found[0][1]}{line_of(connector)}\n{text[at:]}", encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):  # it was not made
                beside.unlink()
            raise HeadwaterError(f"{path} cannot be written: {error.strerror}") from None
    return True
