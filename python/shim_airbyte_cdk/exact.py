"""Numbers in what a source reads, kept with all of their digits.

Sources and the CDK read JSON's numbers as floats, which hold 15 to 17 digits, and orjson makes floats of integers over
64 bits. Within `exact_numbers`, they get floats that know their text (`document.Number`), and every integer as it is.
What reads JSON in another way, such as `json.loads` in a source's own code, is left alone.
"""

from __future__ import annotations

import contextlib
import decimal
import functools
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from python.protocol import document

__all__ = ["exact_numbers"]

_DECODERS = "airbyte_cdk.sources.declarative.decoders.composite_raw_decoder"
_OLDER_DECODERS = "airbyte_cdk.sources.declarative.decoders.json_decoder"
_FILES = "airbyte_cdk.sources.file_based.file_types.jsonl_parser"
_TABLES = "airbyte_cdk.sources.file_based.file_types.csv_parser"

_as_json = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_decoder = msgspec.json.Decoder(float_hook=document.number)


@contextlib.contextmanager
def exact_numbers() -> Iterator[None]:
    """Within, no digit is lost of the numbers in `requests`' responses, and in what the CDK's decoders read.

    Modules that are not imported yet, and members that this generation of the CDK lacks, are left alone.
    """
    with contextlib.ExitStack() as undo:
        for place, name, make in _PLACES:
            holder = _holder(place)
            if holder is not None and hasattr(holder, name):
                before = getattr(holder, name)
                setattr(holder, name, make(before))
                undo.callback(setattr, holder, name, before)
        yield


def _holder(place: tuple[str, ...]) -> object:
    """Return the module that `place` begins with, where it is imported, or the attribute in it that comes next."""
    found: object = sys.modules.get(place[0])
    for name in place[1:]:
        found = getattr(found, name, None)
    return found


def _response_json(json: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(json)
    def exact(self: object, **options: Any) -> Any:  # noqa: ANN401 -- JSON
        return json(self, **(options or {"parse_float": document.number}))

    return exact


def _library(module: types.ModuleType) -> object:
    """Return what stands in for a JSON library: its `loads` is exact, the rest is as it was."""
    return types.SimpleNamespace(**{**vars(module), "loads": _exact(module.loads)})


def _exact(loads: Callable[..., Any]) -> Callable[..., Any]:
    """Return `loads` with exact numbers. What is not JSON, or asked for with options, is `loads`' own affair."""

    @functools.wraps(loads)
    def exact(text: Any, **options: Any) -> Any:  # noqa: ANN401 -- text or bytes, and JSON
        if not options:
            with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError, TypeError):
                return _decoder.decode(text)
        return loads(text, **options)

    return exact


def _cast(cast: Callable[[str, type], Any]) -> Callable[[str, type], Any]:
    """Return `cast`, which makes a value of a column's type from its text, with exact numbers."""

    @functools.wraps(cast)
    def exact(text: str, kind: type) -> Any:  # noqa: ANN401 -- a value of any type
        made = cast(text, kind)
        return document.number(text) if type(made) is float and _as_json(text) else made

    return exact


def _types(named: dict[type, object]) -> object:
    """Return the names of types, with that of floats for ours: the CDK looks a value's own type up, and no base."""
    return {**named, document.Number: named.get(float)}


def _streaming(module: types.ModuleType) -> object:
    """Return what stands in for `ijson`: asked for floats, it gives such as know their text."""

    def items(source: object, path: str, **options: object) -> Iterator[object]:
        if options != {"use_float": True}:
            return iter(module.items(source, path, **options))
        return map(_with_floats, module.items(source, path))

    return types.SimpleNamespace(**{**vars(module), "items": items})


def _with_floats(value: object) -> object:
    if isinstance(value, decimal.Decimal):
        return document.number(str(value))
    if isinstance(value, dict):
        return {name: _with_floats(item) for name, item in value.items()}
    return [_with_floats(item) for item in value] if isinstance(value, list) else value


_PLACES: tuple[tuple[tuple[str, ...], str, Callable[[Any], object]], ...] = (
    (("requests.models", "Response"), "json", _response_json),
    ((_DECODERS,), "orjson", _library),
    ((_DECODERS,), "json", _library),
    ((_DECODERS,), "ijson", _streaming),
    ((_OLDER_DECODERS,), "orjson", _library),
    ((_FILES,), "orjson", _library),
    ((_FILES,), "json", _library),
    ((_FILES,), "PYTHON_TYPE_MAPPING", _types),
    ((_TABLES,), "orjson", _library),
    ((_TABLES,), "json", _library),
    ((_TABLES,), "_value_to_python_type", _cast),
)
