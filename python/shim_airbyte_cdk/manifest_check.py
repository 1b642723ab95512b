"""Why a manifest cannot work: the place in it, and the reason, for its author."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from python.protocol import pointer
from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_common.manifest_dialects import OLD_DIALECT, REMOVED_COMPONENTS

__all__ = [
    "ManifestError",
    "cdk_version",
    "component_schema",
    "migrated",
    "refuse_foreign",
    "resolved",
    "schema_problem",
]

_PARSERS = "airbyte_cdk.sources.declarative.parsers"
_SCHEMA = ("airbyte_cdk", "sources/declarative/declarative_component_schema.yaml")
_SHOWN_CHARACTERS_MAX = 200  # enough to recognise a value, short enough for one line of log


Path = tuple[str, ...]


class ManifestError(ConnectorError):
    """A manifest cannot work. `at` is a JSON pointer into it, with its references resolved."""

    def __init__(self, at: str, reason: str) -> None:
        super().__init__(f"{at or '/'}: {reason}")
        self.at = at
        self.reason = reason


def cdk_version() -> str:
    """Return the version of the installed airbyte-cdk."""
    return importlib.metadata.version("airbyte-cdk")


def refuse_foreign(content: Json, installed: str) -> None:
    """Raise ManifestError where the manifest is newer than airbyte-cdk `installed`, or of the dialect before 0.29."""
    version = content.get("version")
    ours, theirs = _release(installed), _release(str(version))
    if version is not None and theirs is None:
        raise ManifestError("/version", f"{_shown(version)} is no version such as '6.0.0'")
    if ours and theirs and ours > (0, 0) and theirs > ours:
        reason = f"the manifest is written for airbyte-cdk {version}, and {installed} is installed: install {version}"
        raise ManifestError("/version", f"{reason} or later")
    for at, reason in _of_old_dialect(content, ()):
        raise ManifestError(pointer.join(at), f"{reason}; write the manifest anew, as of that version")


def resolved(content: Json) -> Json:
    """Return the manifest as airbyte-cdk builds from it: references resolved, types and parameters filled in."""
    resolver = importlib.import_module(f"{_PARSERS}.manifest_reference_resolver")
    transformer = importlib.import_module(f"{_PARSERS}.manifest_component_transformer")
    try:
        whole = resolver.ManifestReferenceResolver().preprocess_manifest({"type": "DeclarativeSource", **content})
    except Exception as error:
        references = [(at, text) for at, text in _texts(content, ()) if text.startswith("#/") and text in str(error)]
        at = pointer.join(references[0][0]) if references else ""
        raise ManifestError(at, str(error)) from error
    return mapping(transformer.ManifestComponentTransformer().propagate_types_and_parameters("", whole, {}))


def migrated(whole: Json) -> Json | None:
    """Return `whole` after airbyte-cdk's own migrations of manifests; None where it has none yet."""
    if importlib.util.find_spec("airbyte_cdk.manifest_migrations") is None:
        return None
    handler = importlib.import_module("airbyte_cdk.manifest_migrations.migration_handler").ManifestMigrationHandler
    return mapping(handler(whole).apply_migrations())


@functools.cache
def component_schema() -> Json:
    """Return the JSON Schema of manifests that the installed airbyte-cdk has, read once; it must not be changed."""
    yaml = importlib.import_module("yaml")  # airbyte-cdk requires it, our core does not
    return mapping(yaml.load(pkgutil.get_data(*_SCHEMA), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def schema_problem(content: Json, whole: Json) -> ManifestError | None:
    """Return the first place where `whole`, `content` resolved, is not what airbyte-cdk's own schema allows."""
    jsonschema = importlib.import_module("jsonschema")  # airbyte-cdk requires it, our core does not
    found = [_told(error) for error in jsonschema.Draft7Validator(component_schema()).iter_errors(whole)]
    if not found:
        return None
    path, reason = found[0]
    written = _written_at(content, path)
    origin = f" (written at {pointer.join(written)})" if written and written != path else ""
    more = f"; {len(found) - 1} more such" if len(found) > 1 else ""
    return ManifestError(pointer.join(path), f"{reason}{origin}{more}")


def _told(error: Any) -> tuple[Path, str]:  # noqa: ANN401 -- a jsonschema ValidationError, which ships no types
    """Return where in the manifest, and why: of a choice of components, what is wrong with the one that is meant."""
    path = tuple(str(part) for part in error.absolute_path)
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return path, _sentence(error)
    kinds = _types_of(error.context)
    component = isinstance(error.instance, dict) and bool(kinds)
    if component and "type" not in error.instance:
        return path, f"a component without `type`; want one of {', '.join(kinds)}"
    branches: dict[int, list[Any]] = {}
    for each in error.context:
        branches.setdefault(each.schema_path[0], []).append(each)
    meant = [errors for errors in branches.values() if not any(map(_is_of_another_type, errors))]
    if meant:
        return _told(max(meant, key=lambda errors: len(errors[0].path))[0])
    if not component:
        return path, _sentence(error)
    got = error.instance["type"]
    wanted = REMOVED_COMPONENTS.get(str(got)) or f"want one of {', '.join(kinds)}"
    return path, f"unknown component type {got}; {wanted}"


def _types_of(errors: Iterable[Any]) -> list[str]:
    """Return the component types that a choice, which all `errors` are of, allows."""
    found: set[str] = set()
    for error in errors:
        if list(error.path) == ["type"] and error.validator == "enum":
            found.update(map(str, error.validator_value))
        elif not error.path and "type" in error.schema.get("properties", {}):
            found.update(error.schema["properties"]["type"].get("enum", ()))
    return sorted(found)


def _is_of_another_type(error: Any) -> bool:  # noqa: ANN401 -- same
    at = list(error.path)
    return (at == ["type"] and error.validator in ("enum", "const")) or (not at and error.validator == "type")


def _sentence(error: Any) -> str:  # noqa: ANN401 -- same
    instance, want = error.instance, error.validator_value
    if error.validator == "required":
        missing = [name for name in want if name not in instance]
        return f"{_kind(instance)} needs {', '.join(missing)}"
    if error.validator == "additionalProperties":
        known = mapping(error.schema.get("properties"))
        return f"{_kind(instance)} has no member {', '.join(sorted(set(instance) - set(known)))}"
    if error.validator == "type":
        return f"got {_shown(instance)}, want the type {want if isinstance(want, str) else ' or '.join(want)}"
    if error.validator in ("enum", "const"):
        return f"got {_shown(instance)}, want {want}"
    return _cut(str(error.message))


def _kind(instance: Mapping[str, object]) -> str:
    return str(instance.get("type") or "this")


def _written_at(content: Json, path: Path) -> Path | None:
    """Return where in the file the value at `path` of the resolved manifest stands; None where it was filled in."""
    node: object = content
    at: Path = ()
    for part in path:
        while (target := _referred(node, part)) is not None:
            node, at = _at(content, target), target
        node, at = _member(node, part), (*at, part)
        if node is None:
            return None
    return _referred(node, "type") or at


def _referred(node: object, part: str) -> Path | None:
    reference = node
    if isinstance(node, dict):
        reference = None if part in node else node.get("$ref")
    return tuple(reference[2:].split("/")) if isinstance(reference, str) and reference.startswith("#/") else None


def _at(node: object, path: Iterable[str]) -> object:
    for part in path:
        node = _member(node, part)
    return node


def _member(node: object, part: str) -> object:
    if isinstance(node, list):
        return node[int(part)] if part.isdecimal() and int(part) < len(node) else None
    return mapping(node).get(part)


def _of_old_dialect(value: object, at: Path) -> Iterator[tuple[Path, str]]:
    for where, text in _texts(value, at):
        for mark, reason in OLD_DIALECT:
            if text.startswith(mark) or where[-1:] == (mark,):
                yield where, reason


def _texts(value: object, at: Path) -> Iterator[tuple[Path, str]]:
    """Yield each text in the manifest with its place; of what is no text and no container, an empty text."""
    if isinstance(value, dict):
        if "$options" in value:
            yield (*at, "$options"), ""
        for name, item in value.items():
            yield from _texts(item, (*at, str(name)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*at, str(index)))
    elif isinstance(value, str):
        yield at, value


def _release(version: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def _shown(value: object) -> str:
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[:_SHOWN_CHARACTERS_MAX] + "…"
