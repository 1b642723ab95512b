"""Values that a specification keeps in files of their own: configs, resources, documents, and schemas.

A schema's references to other files are bundled into its `$defs`, so that it can be sent to a connector as one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urlsplit
from urllib.request import url2pathname

from python.protocol import pointer
from python.runner.problems import CatalogError, Where
from python.runner.yaml_file import SourceFile, read_source

__all__ = ["Files", "file_named"]

_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
"""Schema keywords that hold values: a `$ref` inside them refers to nothing."""


def file_named(reference: str, where: Where) -> Path:
    """Return the path that `reference`, written at `where`, names: relative to its file, absolute, or a file URL.

    Raises CatalogError for other URLs: nothing is fetched.
    """
    url = urlsplit(reference)
    if url.scheme == "file":
        return Path(url2pathname(url.path))
    if url.scheme and len(url.scheme) > 1:  # one letter is a drive of Windows
        sentence = f"refers to {reference}, and nothing is fetched from a network; save it as a file and name that"
        raise CatalogError.at(where, sentence)
    return where.file.parent / unquote(url.path)


class Files:
    """The files of one load, each read once, however often and by whatever spelling it is named."""

    def __init__(self) -> None:
        self._read: dict[Path, SourceFile] = {}

    def read(self, path: Path, wanted_by: Where | None = None) -> SourceFile:
        """Return the file at `path`. Raises CatalogError where it is missing or broken."""
        real = path.resolve()
        if real not in self._read:
            self._read[real] = read_source(path, wanted_by)
        return self._read[real]

    def value(self, value: object, where: Where) -> tuple[object, Where]:
        """Return `value`, or what the file holds that it names; and the place where it stands."""
        if not isinstance(value, str):
            return value, where
        name, fragment = urldefrag(value)
        source = self.read(file_named(name, where), where)
        tokens = pointer.parse(unquote(fragment)) if fragment.startswith("/") else ()
        found = pointer.resolve(source.value, tokens)
        if found is pointer.MISSING:
            raise CatalogError.at(where, f"refers to {value}, but {source.path} has nothing at {fragment}")
        return found, source.where(tokens)

    def schema(self, schema: object, where: Where) -> Mapping[str, object] | bool:
        """Return `schema`, inline or the name of a file with or without a fragment, with all that it refers to."""
        bundle = _Bundle(self)
        if not isinstance(schema, str):
            return bundle.finish(bundle.rewritten(schema, "", where))
        name, fragment = urldefrag(schema)
        source = self.read(file_named(name, where), where)
        if not isinstance(source.value, (dict, bool)):
            raise CatalogError.at(source.where(), "is used as a JSON schema, but is no object; write `type: object`, …")
        if fragment:
            return bundle.finish({"$ref": bundle.reference(schema, where)})
        bundle.prefixes[source.path.resolve()] = ""
        return bundle.finish(bundle.rewritten(source.value, "", source.where()))


class _Bundle:
    """The bundling of one schema. `prefixes` maps each file to the pointer at which it stands in the result."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._definitions: dict[str, object] = {}
        self.prefixes: dict[Path, str] = {}

    def reference(self, reference: str, where: Where) -> str:
        """Return `reference` to a file as a reference into the bundle, of which that file is now a part."""
        name, fragment = urldefrag(reference)
        source = self._files.read(file_named(name, where), where)
        real = source.path.resolve()
        if real not in self.prefixes:
            definition = self._free_name(source.path.name)
            self.prefixes[real] = pointer.join(["$defs", definition])
            self._definitions[definition] = {}  # taken; the file may refer to others of the same name
            self._definitions[definition] = self.rewritten(source.value, self.prefixes[real], source.where())
        if fragment.startswith("/") and pointer.resolve(source.value, pointer.parse(unquote(fragment))) is (
            pointer.MISSING
        ):
            raise CatalogError.at(where, f"refers to {reference}, but {source.path} has nothing at {fragment}")
        return f"#{fragment}" if _is_anchor(fragment) else f"#{_uri(self.prefixes[real])}{fragment}"

    def rewritten(self, part: object, prefix: str, where: Where) -> object:
        """Return a part of a schema that stands at `prefix` in the bundle, with its references following it there."""
        if isinstance(part, list):
            return [self.rewritten(item, prefix, where) for item in part]
        if not isinstance(part, dict):
            return part
        if prefix and isinstance(part.get("$id"), str) and not urlsplit(part["$id"]).scheme:
            part = {name: value for name, value in part.items() if name != "$id"}  # it would move the references' base
        return {
            name: self._moved(value, prefix, where)
            if name == "$ref" and isinstance(value, str)
            else value
            if name in _VALUES
            else self.rewritten(value, prefix, where)
            for name, value in part.items()
        }

    def finish(self, schema: object) -> Mapping[str, object] | bool:
        """Return the bundle around the rewritten `schema`."""
        if not isinstance(schema, dict):
            return bool(schema)
        if not self._definitions:
            return schema
        own = schema.get("$defs")
        return {**schema, "$defs": {**(own if isinstance(own, dict) else {}), **self._definitions}}

    def _moved(self, reference: str, prefix: str, where: Where) -> str:
        if reference.startswith("#"):
            return reference if _is_anchor(reference[1:]) else f"#{_uri(prefix)}{reference[1:]}"
        if urlsplit(reference).scheme == "flow":
            return reference
        return self.reference(reference, where)

    def _free_name(self, name: str) -> str:
        while name in self._definitions:
            name += "_"
        return name


def _is_anchor(fragment: str) -> bool:
    return bool(fragment) and not fragment.startswith("/")


def _uri(prefix: str) -> str:
    return quote(prefix, safe="/$~")
