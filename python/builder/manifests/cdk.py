"""What an installed airbyte-cdk allows, read from its files: nothing is imported, so any interpreter's will do."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from python.protocol.errors import HeadwaterError

__all__ = ["Cdk", "installed", "of_package"]

_PACKAGE = "airbyte_cdk"
_DECLARATIVE = Path("sources/declarative")
_SECONDS_MAX = 30  # for an interpreter to say where its packages are
_WHERE = (
    "import importlib.util as u; s = u.find_spec('airbyte_cdk'); print(s.submodule_search_locations[0] if s else '')"
)
_ALIASES = frozenset({"stream_interval", "stream_partition", "stream_slice"})
_UNLISTED = frozenset({"session_token"})  # passed by the CDK before its schema said so


class Cdk(msgspec.Struct, frozen=True, kw_only=True):
    """One version of airbyte-cdk, as far as a manifest can tell versions apart.

    `schema` is its declarative_component_schema.yaml; `variables`, `macros` and `filters` are what interpolations may
    use. `types` are the component types that may be left out, by `Parent.field`; `custom_types` those of components
    with a `class_name`.
    """

    version: str
    schema: Mapping[str, Any]
    variables: frozenset[str] = frozenset()
    macros: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    types: Mapping[str, str] = {}
    custom_types: Mapping[str, str] = {}

    @property
    def definitions(self) -> Mapping[str, Any]:
        """The schemas of components by name."""
        found: Mapping[str, Any] = self.schema.get("definitions", {})
        return found

    @property
    def release(self) -> tuple[int, ...]:
        """The first two numbers of the version; empty where it has none."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else ()


def installed(where: str | None = None) -> Cdk:
    """Return the airbyte-cdk of `where`: an interpreter, an environment's folder, a folder of packages, or the package.

    By default that of the interpreter that runs us. Raises HeadwaterError where there is none.
    """
    package = _own() if where is None else _found(Path(where))
    if package is None or not (package / _DECLARATIVE / "declarative_component_schema.yaml").is_file():
        place = f"{where} has" if where else "this interpreter has"
        raise HeadwaterError(f"{place} no airbyte-cdk: want an interpreter or an environment with airbyte-cdk")
    return of_package(package)


@functools.cache
def of_package(package: Path) -> Cdk:
    """Return what the package folder `airbyte_cdk` says; it is read once."""
    declarative = package / _DECLARATIVE
    raw = (declarative / "declarative_component_schema.yaml").read_bytes()
    schema = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe loaders
    transformer = declarative / "parsers" / "manifest_component_transformer.py"
    return Cdk(
        version=_version(package),
        schema=schema,
        variables=frozenset(_variables(schema)) | _ALIASES | _UNLISTED,
        macros=_names(declarative / "interpolation" / "macros.py", "_macros_list"),
        filters=_names(declarative / "interpolation" / "filters.py", "_filters_list"),
        types=_table(transformer, "DEFAULT_MODEL_TYPES"),
        custom_types=_table(transformer, "CUSTOM_COMPONENTS_MAPPING"),
    )


def _own() -> Path | None:
    spec = importlib.util.find_spec(_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _found(where: Path) -> Path | None:
    if where.is_dir():
        candidates = [where, where / _PACKAGE, *sorted(where.glob(f"lib/python3*/site-packages/{_PACKAGE}"))]
        return next((each for each in candidates if (each / _DECLARATIVE).is_dir()), None)
    try:
        told = subprocess.run(
            [where, "-c", _WHERE], capture_output=True, text=True, timeout=_SECONDS_MAX, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise HeadwaterError(f"{where} is no folder, and no interpreter that runs: {error}") from None
    return Path(told) if told else None


def _version(package: Path) -> str:
    """Return the version that the metadata beside the package tells; `0.0.0` where there is none, as in a checkout."""
    found = sorted(package.parent.glob("airbyte_cdk-*.dist-info"))
    return found[-1].name.split("-")[1].removesuffix(".dist") if found else "0.0.0"


def _variables(value: object) -> set[str]:
    """Return every variable that the schema names: in its list of them, and where it says what a field may use."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            context = each.get("interpolation_context")
            found.update(context if isinstance(context, list) else ())
            listed = each.get("variables")
            found.update(item["title"] for item in listed if "title" in item) if isinstance(listed, list) else None
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return found


def _names(path: Path, name: str) -> frozenset[str]:
    """Return the names in the list `name` of a Python file."""
    value = _assigned(path, name)
    return frozenset(item.id for item in getattr(value, "elts", ()) if isinstance(item, ast.Name))


def _table(path: Path, name: str) -> dict[str, str]:
    value = _assigned(path, name)
    return dict(ast.literal_eval(value)) if value is not None else {}


def _assigned(path: Path, name: str) -> ast.expr | None:
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return getattr(statement, "value", None)
    return None
