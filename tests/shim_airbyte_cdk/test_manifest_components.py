from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk import manifest_components

OURS = "source_declarative_manifest.components"
CODE = "from dataclasses import dataclass\n@dataclass\nclass Extractor:\n    size: 'int'\nclass Other: ...\n"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    manifest_components.register(None, {"/x": "source_old.components.X"})


@pytest.fixture
def components(tmp_path: Path) -> Path:
    path = tmp_path / "components.py"
    path.write_text(CODE)
    return path


def test_a_loaded_module_has_both_names_that_airbyte_cdk_looks_for(components: Path) -> None:
    module = manifest_components.load(components)

    assert importlib.import_module("components") is module
    assert importlib.import_module(OURS) is module


def test_a_manifest_out_of_a_package_finds_its_classes_under_the_package_s_name(components: Path) -> None:
    module = manifest_components.load(components)

    manifest_components.register(module, {"/class_name": "source_old.components.Extractor"})

    assert importlib.import_module("source_old.components") is module


def test_an_installed_module_is_not_replaced(components: Path) -> None:
    module = manifest_components.load(components)
    installed = importlib.import_module("tests.conversing")

    manifest_components.register(module, {"/class_name": "tests.conversing.Ended"})

    assert importlib.import_module("tests.conversing") is installed


def test_a_manifest_without_code_forgets_that_of_another(components: Path) -> None:
    manifest_components.load(components)

    manifest_components.register(None, {})

    assert not {"components", OURS} & sys.modules.keys()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\nimport absent_old\n", r"components.py, line 2: ModuleNotFoundError: No module named 'absent_old'"),
        ("def f(:\n", r"components.py, line 1: SyntaxError: "),
        ("\n\nraise KeyError('x')\n", r"components.py, line 3: KeyError: 'x'"),
    ],
)
def test_code_that_cannot_be_loaded_is_told_with_its_line(components: Path, code: str, told: str) -> None:
    components.write_text(code)

    with pytest.raises(ConnectorError, match=told):
        manifest_components.load(components)
    assert "components" not in sys.modules


def test_class_names_are_those_of_custom_components_with_their_places() -> None:
    resolved = {
        "definitions": {"unused": {"type": "CustomRequester", "class_name": "x.Unused"}},
        "spec": {"connection_specification": {"properties": {"class_name": {"type": "string"}}}},
        "streams": [
            {
                "retriever": {"type": "CustomRetriever", "class_name": "x.Retriever"},
                "transformations": [{"class_name": "x.Untyped"}, {"type": "AddFields", "class_name": "no component"}],
            }
        ],
    }

    assert manifest_components.class_names(resolved) == {
        "/streams/0/retriever/class_name": "x.Retriever",
        "/streams/0/transformations/0/class_name": "x.Untyped",
    }


def test_a_class_that_is_there_is_no_problem(components: Path) -> None:
    manifest_components.load(components)

    assert manifest_components.problem_of(f"{OURS}.Extractor", components) == ""
    assert manifest_components.problem_of("collections.OrderedDict", None) == ""


def test_a_class_that_is_not_there_is_told_with_those_that_are(components: Path) -> None:
    manifest_components.load(components)

    problem = manifest_components.problem_of(f"{OURS}.Extracter", components)

    assert problem == f"{components} has no class Extracter; its classes are: Extractor, Other"


def test_code_that_is_not_there_is_told() -> None:
    assert "there is none beside the manifest" in manifest_components.problem_of(f"{OURS}.X", None)
    assert "module source_absent.auth of the class X cannot be imported: ModuleNotFoundError" in (
        manifest_components.problem_of("source_absent.auth.X", None)
    )
