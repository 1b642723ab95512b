"""Old metadata files written as those of today; all that people wrote besides stays, comments too."""

from __future__ import annotations

from python.protocol.errors import HeadwaterError
from python.registry.metadata.documents import read
from python.registry.metadata.findings import told

__all__ = ["UpgradeError", "upgraded"]

_OLD = ("data", "registries")
_NEW = "registryOverrides"


class UpgradeError(HeadwaterError):
    """A file cannot be written anew. Its author must act."""


def upgraded(data: bytes, name: str = "metadata.yaml") -> bytes:
    """Return `data` with `registries` called `registryOverrides`; as it was where it is so already.

    Raises UpgradeError for what is no YAML, and where both are there.
    """
    document = read(data)
    if document.value is None or document.findings:
        raise UpgradeError(told(name, document.findings))
    place = document.places.get(_OLD)
    if place is None:
        return data
    if ("data", _NEW) in document.places:
        raise UpgradeError(f"{name}:{place.line}: both registries and {_NEW} are there: keep one of both")
    lines = data.decode("utf-8-sig").splitlines(keepends=True)
    line = lines[place.line - 1]
    start, end = place.column - 1, place.column - 1 + place.length
    quoted = line[start] in "'\""
    end += 2 * quoted
    lines[place.line - 1] = f"{line[:start]}{_NEW}{line[end:]}"
    return "".join(lines).encode()
