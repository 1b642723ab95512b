"""What is wrong with the files beside a metadata file, seen before they are uploaded: nothing mends them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec
import yaml

from python.registry.metadata import icons
from python.registry.metadata.findings import Finding
from python.registry.service.descriptions import DescriptionError, snapshot
from python.registry.service.layout import CATALOG, CLOUD_SPEC, DEPENDENCIES, DOC, ICON, INAPP, MANIFEST, SPEC

__all__ = ["problems"]

_DEPTH_MAX = 200  # of a manifest: as deep as the CDK can follow


def problems(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield what is wrong with each of `files`, whose names are those that upload gives them."""
    for name, (rule, told, fix) in _LOOKS.items():
        sentence = told(files[name]) if name in files else None
        if sentence is not None:
            yield Finding(rule=rule, pointer="/data", message=f"{name} {sentence}", fix=fix)


def _page(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return f"is no UTF-8 text: {error.reason} at byte {error.start:,}"
    return "has the character U+0000, so it is no text" if "\0" in text else None


def _described(name: str) -> Callable[[bytes], str | None]:
    """Return what looks at a file as `snapshot` does at the one called `name`."""

    def tell(data: bytes) -> str | None:
        try:
            snapshot("", "", {name: data})
        except DescriptionError as error:
            return str(error).removeprefix(f": {name}: ")
        return None

    return tell


class _Package(msgspec.Struct, frozen=True):
    package_name: str
    version: str


class _Packages(msgspec.Struct, frozen=True):
    dependencies: list[_Package]


def _dependencies(data: bytes) -> str | None:
    try:
        msgspec.json.decode(data, type=_Packages)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"is no list of packages: {error}"
    return None


def _manifest(data: bytes) -> str | None:
    """Look at its form alone: aliases are not followed, so none can multiply."""
    depth, kinds = 0, list[type[yaml.Event]]()
    try:
        for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            kinds.append(type(event))
            if depth > _DEPTH_MAX:
                return f"is nested deeper than {_DEPTH_MAX} levels"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"is no YAML: {' '.join(str(error).split())}"
    return None if yaml.MappingStartEvent in kinds[:3] else "is no object of YAML"


_Look: TypeAlias = tuple[str, Callable[[bytes], str | None], str]

_AIRBYTES_SPEC = "Write what the connector answers to spec: an object with connectionSpecification."

_LOOKS: Mapping[str, _Look] = {
    DOC: ("page", _page, "Save it as UTF-8."),
    INAPP: ("page", _page, "Save it as UTF-8."),
    ICON: ("icon-safe", icons.problem_of, "Save it as a plain SVG, without scripts."),
    SPEC: ("description", _described(SPEC), _AIRBYTES_SPEC),
    CLOUD_SPEC: ("description", _described(SPEC), _AIRBYTES_SPEC),
    CATALOG: ("description", _described(CATALOG), "Write what the connector answers to discover."),
    DEPENDENCIES: ("description", _dependencies, 'Write {"dependencies": [{"package_name": "x", "version": "1.0"}]}.'),
    MANIFEST: ("manifest", _manifest, "Mend the manifest."),
}
