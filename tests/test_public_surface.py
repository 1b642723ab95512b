"""Public means listed: what a module offers is in its `__all__`, and what is listed is there and documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# A package whose __init__ has only a docstring offers its modules, and needs no list.
MODULES = [
    name_of(path)
    for path in sorted((ROOT / "python").rglob("*.py"))
    if not path.stem.startswith("_") or (path.stem == "__init__" and len(ast.parse(path.read_text()).body) > 1)
]

by_module = pytest.mark.parametrize("name", MODULES)


def loaded(name: str) -> types.ModuleType:
    if name.startswith("python.shim_airbyte_cdk"):
        pytest.importorskip("airbyte_cdk")
    return importlib.import_module(name)


@by_module
def test_a_public_module_lists_what_it_offers(name: str) -> None:
    assert isinstance(getattr(loaded(name), "__all__", None), list)


@by_module
def test_what_is_listed_is_there_once_and_in_order(name: str) -> None:
    module = loaded(name)
    listed = list(module.__all__)

    assert [each for each in listed if not hasattr(module, each)] == []
    assert len(listed) == len(set(listed))
    assert not [each for each in listed if each.startswith("_")]


@by_module
def test_what_a_module_defines_without_underscore_is_listed(name: str) -> None:
    module = loaded(name)
    defined = {
        each
        for each, value in vars(module).items()
        if not each.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
    }

    assert defined - set(module.__all__) == set()


@by_module
def test_what_is_listed_has_a_docstring(name: str) -> None:
    module = loaded(name)
    offered = {each: getattr(module, each) for each in module.__all__}
    code = {each: value for each, value in offered.items() if inspect.isclass(value) or inspect.isfunction(value)}

    assert [each for each, value in code.items() if not (value.__doc__ or "").strip()] == []


def test_the_spine_offers_what_others_build_on() -> None:
    """Removing one of these breaks connectors in the field: it takes a new major version, and a line in CHANGELOG."""
    offered = {
        "python.protocol.codec": {"Codec", "CAPTURE_REQUESTS", "CAPTURE_RESPONSES"},
        "python.protocol.document": {"DEPTH_MAX", "decode", "encode", "one_line"},
        "python.protocol.framing": {"LINE_BYTES_MAX", "Lines"},
        "python.protocol.session": {"Breach", "Machine", "Role", "Session"},
    }

    assert {name: each & set(loaded(name).__all__) for name, each in offered.items()} == offered
