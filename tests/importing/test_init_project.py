from __future__ import annotations

from typing import Any

import pytest
import tomllib

from python.importing.scaffold.project import MINORS, Project, fitting, text_of


def read(**more: Any) -> dict[str, Any]:
    project = Project(
        name="source-x", description='A "capture" of ünits.', requirements=["tap-x==1", "headwater"], **more
    )
    return tomllib.loads(text_of(project))


def test_a_wrapped_package_needs_no_package_of_the_connector_s_own() -> None:
    assert read(minors=[11, 12]) == {
        "project": {
            "name": "source-x",
            "version": "1.0.0",
            "description": 'A "capture" of ünits.',
            "requires-python": ">=3.11,<3.13",
            "dependencies": ["tap-x==1", "headwater"],
        },
        "dependency-groups": {"dev": ["debugpy>=1.8"]},
        "tool": {"uv": {"package": False, "sources": {"headwater": {"path": "..", "editable": True}}}},
    }


def test_a_native_connector_is_installed_with_its_package() -> None:
    found = read(builds=True)

    assert found["build-system"]["build-backend"] == "hatchling.build"
    assert found["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["source_x"]
    assert "package" not in found["tool"]["uv"]


def test_a_local_package_is_a_source_of_uv_s() -> None:
    sources = read(folders={"tap-x": "../vendor/x"})["tool"]["uv"]["sources"]

    assert sources["tap-x"] == {"path": "../vendor/x", "editable": True}


@pytest.mark.parametrize(
    ("own", "others", "minors"),
    [
        ("", [], [10, 11, 12, 13]),
        (">=3.11,<3.14", [], [11, 12, 13]),
        ("<3.13,>=3.10", [">=3.8"], [10, 11, 12]),
        (">=3.9,!=3.9.7,<4.0", ["<3.12,>=3.8", ">=3.12"], [10, 11]),
        (">3.10", [">=3.13"], [10, 11, 12, 13]),
        ("<3.9", [], []),
        ("", ["<3.9"], []),
    ],
)
def test_the_package_bounds_the_pythons_on_both_sides_and_the_others_above(
    own: str, others: list[str], minors: list[int]
) -> None:
    assert fitting(MINORS, own, others) == minors
