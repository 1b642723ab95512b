from __future__ import annotations

import pytest

from python.registry.metadata.upgrading import UpgradeError, upgraded
from tests.registry.metadata.metadata_files import RIGHT


def test_the_old_name_is_replaced_and_all_else_stays() -> None:
    old = b"# mine\r\ndata:\r\n  x: \xc3\xa9 # why\r\n  registries: {oss: {enabled: true}} # registries\r\n"

    assert upgraded(old) == old.replace(b"  registries", b"  registryOverrides")


def test_a_quoted_name_is_replaced_with_its_quotes() -> None:
    assert upgraded(b"data:\n  'registries': {}\n") == b"data:\n  registryOverrides: {}\n"


def test_a_file_of_today_stays() -> None:
    assert upgraded(RIGHT.encode()) == RIGHT.encode()


def test_a_file_with_both_is_for_people_to_mend() -> None:
    with pytest.raises(UpgradeError, match=r"m.yaml:2: both registries and registryOverrides"):
        upgraded(b"data:\n  registries: {}\n  registryOverrides: {}\n", "m.yaml")


def test_what_is_no_yaml_is_told_with_its_place() -> None:
    with pytest.raises(UpgradeError, match=r"m.yaml:1:"):
        upgraded(b"a: b: c", "m.yaml")
