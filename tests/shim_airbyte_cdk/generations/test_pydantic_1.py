from __future__ import annotations

import enum

import pydantic
import pydantic.v1

from python.shim_airbyte_cdk.generations import pydantic_1


class Blob(pydantic.v1.BaseModel):
    class Config:
        extra = pydantic.v1.Extra.allow


class State(pydantic.v1.BaseModel):
    data: str | None = None
    global_: Blob | None = pydantic.v1.Field(None, alias="global")

    class Config:
        extra = pydantic.v1.Extra.allow


def test_its_models_are_those_of_pydantic_1_alone() -> None:
    assert pydantic_1.makes(State)
    assert not pydantic_1.makes(type("Model", (pydantic.BaseModel,), {}))
    assert not pydantic_1.makes(dict)
    assert not pydantic_1.makes(enum.Enum)


def test_declared_members_are_given_by_their_names_in_the_protocol_and_none_left_out() -> None:
    blob = Blob()

    assert pydantic_1.members(State.parse_obj({"global": blob})) == {"global": blob}


def test_undeclared_members_are_given_with_their_underscores_and_nulls() -> None:
    assert pydantic_1.members(Blob.parse_obj({"__ab_x": True, "n_": None})) == {"__ab_x": True, "n_": None}
