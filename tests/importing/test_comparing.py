from __future__ import annotations

import pytest

from python.importing.comparing import compare, rules
from tests.importing import corpus


def test_there_is_a_pair_for_each_rule() -> None:
    assert sorted(rules()) == corpus.NAMES


@pytest.mark.parametrize("name", corpus.NAMES)
def test_a_pair_differs_as_expected_and_in_nothing_else(name: str) -> None:
    case = corpus.case(name)
    found = compare(*case.snapshots())

    assert sorted((each.rule, each.pointer) for each in found.differences) == sorted(
        (each["rule"], each["pointer"]) for each in case.expect
    )
    assert name in {each["rule"] for each in case.expect}


@pytest.mark.parametrize("name", corpus.NAMES)
def test_a_version_does_not_differ_from_itself(name: str) -> None:
    for side in corpus.case(name).snapshots():
        assert compare(side, side).differences == ()
