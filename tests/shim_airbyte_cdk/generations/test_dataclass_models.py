from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from python.shim_airbyte_cdk.generations import dataclass_models


@dataclasses.dataclass
class Blob:
    """Shaped as the CDK's blob of a state: it declares nothing, and holds what it is given."""

    kwargs: dataclasses.InitVar[Mapping[str, Any]]

    def __init__(self, given: Mapping[str, Any]) -> None:
        vars(self).update(given)


@dataclasses.dataclass
class State:
    global_: str | None = None
    data: str | None = None


def test_its_models_are_dataclasses() -> None:
    assert dataclass_models.makes(State)
    assert dataclass_models.makes(Blob)
    assert not dataclass_models.makes(dict)


def test_declared_members_are_given_by_their_names_in_the_protocol_and_none_left_out() -> None:
    assert dataclass_models.members(State(global_="x")) == {"global": "x"}


def test_what_a_subclass_holds_beside_is_its_own() -> None:
    state = State(data="x")
    vars(state)["rendered"] = "y"

    assert dataclass_models.members(state) == {"data": "x"}


def test_a_blob_gives_all_that_it_holds() -> None:
    assert dataclass_models.members(Blob({"__ab_x": True, "n_": None})) == {"__ab_x": True, "n_": None}
