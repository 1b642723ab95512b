from __future__ import annotations

import enum

import pydantic
import pydantic.v1

from python.shim_airbyte_cdk.generations import pydantic_2


class Blob(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")


class State(pydantic.BaseModel):
    data: str | None = None
    global_: Blob | None = pydantic.Field(None, alias="global")
    model_config = pydantic.ConfigDict(extra="allow")


def test_its_models_are_those_of_pydantic_2_alone() -> None:
    assert pydantic_2.makes(State)
    assert not pydantic_2.makes(type("Model", (pydantic.v1.BaseModel,), {}))
    assert not pydantic_2.makes(dict)
    assert not pydantic_2.makes(enum.Enum)


def test_declared_members_are_given_by_their_names_in_the_protocol_and_none_left_out() -> None:
    blob = Blob()

    assert pydantic_2.members(State.model_validate({"global": blob})) == {"global": blob}


def test_undeclared_members_are_given_with_their_underscores_and_nulls() -> None:
    assert pydantic_2.members(Blob.model_validate({"__ab_x": True, "n_": None})) == {"__ab_x": True, "n_": None}
