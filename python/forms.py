"""What a connector's author declares as config, resource config and state: its JSON Schema, and reading it.

A form is made of a pydantic 2 model, of anything msgspec knows (its Struct, a dataclass, a TypedDict), or of a plain
JSON Schema, whose values are then dicts. The schemas carry the annotations of Flow's forms: title, description,
secret, advanced, order, multiline (protocol reference, section 11.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from python.protocol import pointer
from python.protocol.errors import ConfigError, ConnectorError

__all__ = ["Form", "form_of", "json_value"]

T = TypeVar("T")


def json_value(raw: msgspec.Raw) -> object:
    """Return the JSON value in `raw`, whose numbers are Python's own.

    Raises ConnectorError where it is not UTF-8, is nested too deeply, or has a number that neither int nor float holds.
    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConnectorError(f"a config cannot be read: {error}") from None


class Form(Generic[T]):
    """A declared type: `schema` is its JSON Schema for Flow, `read` makes a value of it."""

    def __init__(self, kind: type[T], schema: Mapping[str, Any]) -> None:
        self._kind = kind
        self.schema = _for_flow(dict(schema))

    def read(self, raw: msgspec.Raw) -> T:
        """Return the value in `raw`. Raises ConfigError naming the first field that is wrong."""
        value = json_value(raw)
        if not isinstance(value, dict):
            raise ConfigError(at="", got=value, want="an object")
        value.pop("sops", None)  # the runtime's own mark of what it decrypted
        return self._convert(value)

    def _convert(self, value: dict[str, Any]) -> T:
        try:
            return msgspec.convert(value, self._kind, strict=True)
        except msgspec.ValidationError as error:
            raise _from_msgspec(str(error), value) from None


class _PydanticForm(Form[T]):
    def _convert(self, value: dict[str, Any]) -> T:
        try:
            converted: T = self._kind.model_validate(value)  # type: ignore[attr-defined] # duck-typed: core has no pydantic
        except ValueError as error:
            raise _from_pydantic(error, value) from None
        return converted


class _SchemaForm(Form[T]):
    def _convert(self, value: dict[str, Any]) -> T:
        try:
            import jsonschema  # noqa: PLC0415 -- optional, and only asked of a plain schema
        except ImportError:
            raise ConfigError(
                at="",
                got="a plain JSON Schema",
                want="the package `jsonschema` installed beside it, to check the config",
            ) from None
        errors = jsonschema.validators.validator_for(self.schema)(self.schema).iter_errors(value)
        worst = jsonschema.exceptions.best_match(errors)
        if worst is not None:
            raise _from_jsonschema(worst)
        return value  # type: ignore[return-value] # a plain schema makes plain dicts


def form_of(kind: Any, schema: Mapping[str, Any] | None = None) -> Form[Any]:  # noqa: ANN401 -- a type or a typing form
    """Return the form of `kind`. With `schema`, a plain JSON Schema, its values are dicts and it checks them."""
    if schema is not None:
        return _SchemaForm(dict, schema)
    if hasattr(kind, "model_json_schema"):
        return _PydanticForm(kind, kind.model_json_schema())
    if kind is Any or isinstance(kind, TypeVar) or getattr(kind, "__origin__", kind) is dict:
        return Form(dict, {"type": "object", "properties": {}})
    return Form(kind, msgspec.json.schema(kind))


def _for_flow(schema: dict[str, Any]) -> dict[str, Any]:
    """Return `schema` in the shape which Flow's form and runtime expect at its root (rules 18, 19, 24)."""
    definitions = schema.get("$defs", {})
    reference = schema.pop("$ref", None)
    if reference:
        schema = {**definitions.get(reference.removeprefix("#/$defs/"), {}), **schema}
    schema = _tidy(schema)
    used = str({name: value for name, value in schema.items() if name != "$defs"}) + str(definitions)
    kept = {
        name: _tidy(value) for name, value in definitions.items() if f"#/$defs/{name}" in used and value is not schema
    }
    schema.pop("$defs", None)
    if kept and any(f"'#/$defs/{name}'" in used for name in kept):
        schema["$defs"] = kept
    schema.setdefault("type", "object")
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]  # an encrypted config has one member more
    return schema


def _tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's schema with its properties titled, ordered, and without nullable unions: forms draw none."""
    tidy = dict(schema)
    properties = tidy.get("properties")
    if isinstance(properties, Mapping):
        tidy["properties"] = {
            name: _tidy_property(name, order, value) for order, (name, value) in enumerate(properties.items())
        }
    return tidy


def _tidy_property(name: str, order: int, schema: Mapping[str, Any]) -> dict[str, Any]:
    tidy = _tidy(schema)
    branches = [branch for branch in tidy.get("anyOf", ()) if branch != {"type": "null"}]
    if "anyOf" in tidy and len(branches) == 1:
        del tidy["anyOf"]
        tidy = {**_tidy(branches[0]), **tidy}
        if tidy.get("default", 0) is None:
            del tidy["default"]
    if tidy.pop("writeOnly", False) or tidy.get("format") == "password":
        tidy.pop("format", None)
        tidy["secret"] = True
    title = re.sub(r"[_\W]+", " ", name).strip().title()
    return {"title": title, **tidy} if "order" in tidy else {"title": title, **tidy, "order": order}


def _from_msgspec(message: str, value: dict[str, Any]) -> ConfigError:
    want, _, path = message.partition(" - at `$")
    tokens: list[str] = re.findall(r"[^.\[\]`]+", path)
    missing = re.search(r"missing required field `(.+?)`", want)
    if missing:
        return ConfigError(at=pointer.join([*tokens, missing[1]]), got=pointer.MISSING, want="a value: it is required")
    wanted = re.sub(r"^Expected ", "", want.partition(", got ")[0])
    return ConfigError(at=pointer.join(tokens), got=pointer.resolve(value, tokens), want=wanted.replace("`", ""))


def _from_pydantic(error: Any, value: dict[str, Any]) -> ConfigError:  # noqa: ANN401 -- pydantic is not ours to import
    first, *others = error.errors()
    tokens = _places(first, value)
    got, want = pointer.MISSING, "a value: it is required"
    if first["type"] != "missing":
        got = first.get("input", pointer.resolve(value, tokens))
        want = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    places = ", ".join(pointer.join(_places(other, value)) for other in others)
    more = f" (and {len(others)} more: {places})" if others else ""
    return ConfigError(at=pointer.join(tokens), got=got, want=want + more)


def _places(error: Mapping[str, Any], value: object) -> list[str]:
    """Return where in `value` an error of pydantic's is: it also names branches of unions, which are no places."""
    tokens: list[str] = []
    for token in map(str, error["loc"]):
        if pointer.resolve(value, [*tokens, token]) is not pointer.MISSING:
            tokens.append(token)
    return [*tokens, str(error["loc"][-1])] if error["type"] == "missing" else tokens


def _from_jsonschema(error: Any) -> ConfigError:  # noqa: ANN401 -- jsonschema is not ours to import
    tokens = list(error.absolute_path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return ConfigError(at=pointer.join([*tokens, missing]), got=pointer.MISSING, want="a value: it is required")
    return ConfigError(
        at=pointer.join(tokens), got=error.instance, want=_wanted(error.validator, error.validator_value)
    )


_WANTED = {
    "type": "the type {}",
    "enum": "one of {}",
    "const": "{!r}",
    "pattern": "text that matches {}",
    "minimum": "{} or more",
    "maximum": "{} or less",
    "minLength": "{} characters or more",
    "maxLength": "{} characters or fewer",
    "minItems": "{} items or more",
    "maxItems": "{} items or fewer",
    "format": "a {}",
    "additionalProperties": "only the properties that the schema names",
}


def _wanted(keyword: str, value: object) -> str:
    return _WANTED.get(keyword, f"what the schema's `{keyword}` asks for: {{}}").format(value)
