from __future__ import annotations

from pathlib import Path

import pytest

from python.runner.catalog import CaptureTask, Catalog, LocalEndpoint
from python.runner.problems import CatalogError, Where

HERE = Where(Path("a.flow.yaml"))


def catalog(*names: str) -> Catalog:
    endpoint = LocalEndpoint(command=("x",), config={}, config_where=HERE, where=HERE)
    captures = {name: CaptureTask(name=name, endpoint=endpoint, bindings=(), where=HERE) for name in names}
    return Catalog(source=HERE.file, captures=captures, collections={}, materializations={}, tests={})


def test_the_only_capture_needs_no_name() -> None:
    assert catalog("acmeCo/a").capture().name == "acmeCo/a"


def test_a_capture_is_found_by_name() -> None:
    assert catalog("acmeCo/a", "acmeCo/b").capture("acmeCo/b").name == "acmeCo/b"


def test_several_captures_and_no_name_is_an_error_that_lists_them_and_names_the_flag() -> None:
    with pytest.raises(CatalogError, match="defines 2 captures; choose one with --name: acmeCo/a, acmeCo/b"):
        catalog("acmeCo/b", "acmeCo/a").capture(flag="--name")


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(CatalogError, match=r"no capture 'acmeCo/users'; did you mean 'acmeCo/user'\?; its captures"):
        catalog("acmeCo/user", "acmeCo/b").capture("acmeCo/users")


def test_no_capture_at_all_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(CatalogError, match="defines 0 captures; add one under `captures`"):
        catalog().capture()
