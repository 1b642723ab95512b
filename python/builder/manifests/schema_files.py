"""Schema files beside a manifest, made whole: what they refer to in other files is put in its place."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from python.builder.manifests.documents import VALUES_MAX, DocumentError, of_text
from python.protocol import pointer
from python.protocol.errors import HeadwaterError

__all__ = ["SchemaFiles"]

_SHARED = "shared"  # where airbyte-cdk looks for what schemas have in common


class SchemaFiles:
    """The files below `schemas/`, by their path from there. `recursive` are references that had to be cut."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._read: dict[str, Any] = {}
        self._left = VALUES_MAX
        self.recursive: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def whole(self, name: str) -> Any:  # noqa: ANN401 -- JSON Schema
        """Return the schema in the file `name` without references. Raises HeadwaterError, with the file."""
        document = self._document(name)
        if isinstance(document, dict):  # what its references need of its definitions is put in their place
            document = {key: member for key, member in document.items() if key != "definitions"}
        return self._resolved(document, name, ())

    def _document(self, name: str) -> Any:  # noqa: ANN401 -- JSON Schema
        if name not in self._read:
            try:
                self._read[name] = of_text(self._files[name]).value
            except DocumentError as error:
                raise HeadwaterError(f"schemas/{name}: {error}") from None
        return self._read[name]

    def _resolved(self, value: Any, name: str, within: tuple[str, ...]) -> Any:  # noqa: ANN401 -- JSON Schema
        self._left -= 1
        if self._left < 0:
            raise HeadwaterError(f"schemas/{name}: its references multiply into more than {VALUES_MAX:,} values")
        if isinstance(value, list):
            return [self._resolved(item, name, within) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return {key: self._resolved(member, name, within) for key, member in value.items()}
        beside = {key: self._resolved(member, name, within) for key, member in value.items() if key != "$ref"}
        return {**self._referred(reference, name, within), **beside}

    def _referred(self, reference: str, name: str, within: tuple[str, ...]) -> dict[str, Any]:
        path, _, fragment = reference.removeprefix("file:").partition("#")
        target = self._target(path, name, reference)
        key = f"{target}#{fragment}"
        if key in within:
            self.recursive.append(f"schemas/{name}: {reference}")
            return {"type": "object"}
        try:
            found = pointer.resolve(self._document(target), pointer.parse(fragment))
        except ValueError:
            found = pointer.MISSING
        if not isinstance(found, dict):
            raise HeadwaterError(f"schemas/{name}: {reference} leads nowhere")
        resolved = self._resolved(found, target, (*within, key))
        assert isinstance(resolved, dict)  # noqa: S101 -- an object stays one
        return resolved

    def _target(self, path: str, name: str, reference: str) -> str:
        if not path:
            return name
        candidates = (posixpath.join(posixpath.dirname(name), path), posixpath.join(_SHARED, path), path)
        found = next((each for each in map(posixpath.normpath, candidates) if each in self._files), None)
        if found is None:
            raise HeadwaterError(f"schemas/{name}: {reference} names a file that there is not")
        return found
