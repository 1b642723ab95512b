"""What strings in a spec refer to: config and resource files, and schemas, which are bundled into one document."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from python.protocol import pointer
from python.runner.spec_files import Place, SpecError, plain, read_file

__all__ = ["bundled", "load_value"]


def load_value(node: object, path: pathlib.Path, at: Place) -> Any:  # noqa: ANN401 -- JSON
    """Return `node` as plain values; text names a YAML or JSON file beside the spec file `path`."""
    if isinstance(node, str):
        return plain(read_file(path.parent / node, at))
    return plain(node)


def bundled(node: object, path: pathlib.Path, at: Place) -> Any:  # noqa: ANN401 -- a JSON Schema
    """Return a schema, inline or in a file (with `#/fragment`), with the files it refers to inlined as `$defs`."""
    if isinstance(node, str):
        file, _, fragment = node.partition("#")
        path = path.parent / file
        node = _fragment(plain(read_file(path, at)), fragment, node, at)
    definitions: dict[str, Any] = {}
    schema = _inlined(plain(node), path, at, definitions)
    if definitions and isinstance(schema, dict):
        schema["$defs"] = {**schema.get("$defs", {}), **definitions}
    return schema


def _inlined(node: Any, path: pathlib.Path, at: Place, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(node, list):
        return [_inlined(item, path, at, definitions) for item in node]
    if not isinstance(node, Mapping):
        return node
    inlined = {key: _inlined(value, path, at, definitions) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#") and "://" not in reference:
        inlined["$ref"] = _defined(reference, path, at, definitions)
    return inlined


def _defined(reference: str, path: pathlib.Path, at: Place, definitions: dict[str, Any]) -> str:
    """Return the reference inside of the bundle for a reference to another file, which is read once."""
    file, _, fragment = reference.partition("#")
    target = path.parent / file
    name = str(target).replace("/", ":")
    if name not in definitions:
        definitions[name] = True  # a cycle of files ends here
        definitions[name] = _rooted(_inlined(plain(read_file(target, at)), target, at, definitions), name)
    return f"#{pointer.join(('$defs', name))}{fragment}"


def _rooted(node: Any, name: str) -> Any:  # noqa: ANN401 -- JSON
    """Return an inlined file whose references to its own root lead to its place in the bundle."""
    if isinstance(node, list):
        return [_rooted(item, name) for item in node]
    if not isinstance(node, dict):
        return node
    here = pointer.join(("$defs", name))
    return {
        key: f"#{here}{value[1:]}"
        if key == "$ref" and isinstance(value, str) and value.startswith("#") and not value.startswith("#/$defs/:")
        else _rooted(value, name)
        for key, value in node.items()
    }


def _fragment(schema: Any, fragment: str, reference: str, at: Place) -> Any:  # noqa: ANN401 -- JSON
    found = pointer.resolve(schema, pointer.parse(fragment))
    if found is pointer.MISSING:
        raise SpecError(f"{at}: the schema {reference!r} has nothing at {fragment!r}")
    return found
