from __future__ import annotations

from pathlib import Path

import pytest

from python.importing.scaffold.names import class_name, module_name, protocol_of, repository
from python.protocol.errors import HeadwaterError

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("source-big-data", "capture"), ("materialize-x", "materialize"), ("derive-x2", "derive")],
)
def test_the_protocol_is_told_by_how_the_name_begins(name: str, protocol: str) -> None:
    assert protocol_of(name) == protocol


@pytest.mark.parametrize(
    "name", ["faker", "source", "source-", "Source-X", "source_x", "source-x/../y", "source-é", ""]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(HeadwaterError, match="is no name for a connector: want source-x, derive-x, materialize-x"):
        protocol_of(name)


def test_the_package_and_the_class_are_named_after_the_connector() -> None:
    assert (module_name("source-big-data"), class_name("source-big-data")) == ("source_big_data", "SourceBigData")


def test_the_repository_is_found_from_a_folder_within_it() -> None:
    assert repository(ROOT / "docs" / "decisions") == ROOT


def test_a_folder_outside_of_any_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n')

    with pytest.raises(HeadwaterError, match="is in no Headwater repository"):
        repository(tmp_path)
