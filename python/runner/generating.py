"""`headwater generate`: pydantic models of what a derivation reads and publishes, from the schemas of its spec.

A module has one class for each transform, named after it, and `Document` for the derived collection. It is made by
datamodel-code-generator, of the extra `generate`.
"""

from __future__ import annotations

import importlib.util
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from python.protocol.errors import HeadwaterError
from python.runner.build import collection_spec
from python.runner.catalog import Catalog, Collection
from python.runner.catalog_readers import DerivationTask
from python.runner.endpoints import LocalEndpoint
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError, Where

__all__ = ["Options", "generate"]

_EMAIL = ("email", "idn-email")
_HEADER = '"""Documents of {name}. Made by `headwater generate`: change the spec and make it again."""'


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater generate`, as the command line names them."""

    source: str
    name: str | None = None
    output: str | None = None


def generate(options: Options) -> Iterator[str]:
    """Write the module of each derivation of the spec, or of the one named, and yield its path.

    A module goes to `documents.py` in the package of the connector folder that the derivation's command names, or to
    `output`. Raises CatalogError where there is no such derivation, or no telling where its module belongs.
    """
    if importlib.util.find_spec("datamodel_code_generator") is None:
        raise HeadwaterError(
            "`headwater generate` needs the package datamodel-code-generator: pip install 'headwater[generate]'"
        )
    catalog = load_catalog(pathlib.Path(options.source))
    found = _derivations(catalog, options.name)
    if options.output and len(found) > 1:
        raise HeadwaterError(f"--output takes one derivation, and the spec has {len(found)}: choose one with --name")
    for derivation in found:
        path = pathlib.Path(options.output) if options.output else _module_of(derivation)
        path.write_text(_module(catalog, derivation))
        yield str(path)


def _derivations(catalog: Catalog, name: str | None) -> list[DerivationTask]:
    derived = {each.name: each.derive for each in catalog.collections.values() if each.derive is not None}
    if not derived or (name is not None and name not in derived):
        names = ", ".join(sorted(derived)) or "none"
        wanted = f"no derivation {name!r}; its derivations are: {names}" if name else "no derivation"
        raise CatalogError.at(Where(catalog.source), f"defines {wanted}")
    return [derived[name]] if name else list(derived.values())


def _module_of(derivation: DerivationTask) -> pathlib.Path:
    """Return the path of `documents.py` in the package of a connector folder that is run by `python -m folder`."""
    command = derivation.endpoint.command if isinstance(derivation.endpoint, LocalEndpoint) else ()
    folder = pathlib.Path(command[-1]) if command[1:2] == ("-m",) else None
    package = folder / folder.name.replace("-", "_") if folder else None
    if package is None or not package.is_dir():
        raise CatalogError.at(
            derivation.where,
            f"the command {' '.join(command)!r} names no connector folder with a package: say where with --output",
        )
    return package / "documents.py"


def _module(catalog: Catalog, derivation: DerivationTask) -> str:
    from datamodel_code_generator import Formatter, PythonVersion  # noqa: PLC0415 -- it is an extra's, and slow
    from datamodel_code_generator import generate as generated  # noqa: PLC0415 -- same
    from datamodel_code_generator.enums import DataModelType, InputFileType  # noqa: PLC0415 -- same

    collection = catalog.collections[derivation.name]
    schemas = {
        _class_name(each.name): _schema(catalog.collections[each.source.collection]) for each in derivation.transforms
    }
    schemas["Document"] = _schema(collection)
    text = generated(
        msgspec.json.encode({"$defs": _separate(schemas)}).decode(),
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_310,
        custom_file_header=_HEADER.format(name=derivation.name),
        allow_extra_fields=True,
        use_schema_description=True,
        use_field_description=True,
        use_standard_collections=True,
        use_union_operator=True,
        use_double_quotes=True,
        disable_timestamp=True,
        skip_root_model=True,
        formatters=[Formatter.BUILTIN],
    )
    return f"{text}\n"


def _schema(collection: Collection) -> Mapping[str, object]:
    """Return what readers of the collection may rely on, with Flow's own references resolved."""
    spec = collection_spec(collection)
    schema: object = msgspec.json.decode(spec.read_schema or spec.write_schema)
    return _plain(schema) if isinstance(schema, dict) else {"type": "object"}


def _plain(schema: object) -> Any:  # noqa: ANN401 -- as deep as it goes
    """Return `schema` without the formats for which pydantic needs a package more."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"format"} if schema.get("format") in _EMAIL else set()
    return {name: _plain(value) for name, value in schema.items() if name not in dropped}


def _separate(schemas: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return the schemas as definitions of one document; their own definitions get their class's name in front."""
    definitions: dict[str, object] = {}
    for name, schema in schemas.items():
        own = schema.get("$defs", {})
        text = msgspec.json.encode(
            {key: value for key, value in schema.items() if key not in ("$defs", "$id", "title")}
        )
        moved = re.sub(rb'"#/\$defs/', f'"#/$defs/{name}'.encode(), text)
        definitions[name] = msgspec.json.decode(moved)
        if isinstance(own, dict):
            definitions.update({f"{name}{key}": value for key, value in own.items()})
    return definitions


def _class_name(transform: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", transform)
    return "".join(word[0].upper() + word[1:] for word in words) or "Source"
