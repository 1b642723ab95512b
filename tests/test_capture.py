from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from pydantic import BaseModel, Field

from python import capture
from python.protocol import capture as wire
from python.protocol.errors import ConfigError, ConnectorError
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec


class Config(BaseModel):
    count: int = Field(2, ge=1)


class Resource(BaseModel):
    name: str


class Cursor(BaseModel):
    n: int


class Squares(capture.Connector[Config, Resource, Cursor]):
    documentation_url = "https://example.com"

    def discover(self, config: Config) -> Iterator[capture.DiscoveredBinding]:
        yield capture.discovered("squares", {"type": "object"}, key=["/n"], resource=Resource(name="squares"))

    def open(self, request: capture.Open[Config, Resource, Cursor]) -> Iterator[Any]:
        for binding in request.bindings:
            first = binding.state.n + 1 if binding.state else 0
            for n in range(first, request.config.count):
                yield binding.captured({"n": n, "square": n * n})
                yield binding.checkpoint(Cursor(n=n))


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def binding(name: str, key: str) -> CaptureBinding:
    return CaptureBinding(
        resource_config=raw({"name": name}),
        resource_path=(name,),
        collection=CollectionSpec(name=f"acmeCo/{name}", key=("/n",)),
        state_key=key,
    )


def opening(*bindings: CaptureBinding, state: object = None, config: object = None) -> wire.Open:
    spec = CaptureSpec(name="acmeCo/squares", config=raw(config or {}), bindings=bindings)
    return wire.Open(capture=spec, state=raw(state or {}))


def states(messages: Iterator[Any]) -> list[Any]:
    return [msgspec.json.decode(m.state.updated) for m in messages if isinstance(m, wire.Checkpoint) and m.state]


def test_a_capture_is_opened_in_memory() -> None:
    messages = list(Squares().answer(opening(binding("a", "a"))))

    assert messages[0] == wire.Opened()
    assert [m.doc for m in messages if isinstance(m, wire.Captured)] == [{"n": 0, "square": 0}, {"n": 1, "square": 1}]


def test_each_binding_resumes_from_its_own_state_key() -> None:
    stored = {"bindingStateV1": {"a": {"n": 0}, "gone": {"n": 9}}}

    assert states(Squares().answer(opening(binding("a", "a"), binding("b", "b.v2"), state=stored))) == [
        {"bindingStateV1": {"a": {"n": 1}}},
        {"bindingStateV1": {"b.v2": {"n": 0}}},
        {"bindingStateV1": {"b.v2": {"n": 1}}},
    ]


def test_no_bindings_are_no_messages() -> None:
    assert list(Squares().answer(opening())) == [wire.Opened()]


def test_a_state_that_cannot_be_read_says_how_to_start_over() -> None:
    with pytest.raises(ConnectorError, match=r"/bindingStateV1/a/n .* raise the binding's backfill counter"):
        list(Squares().answer(opening(binding("a", "a"), state={"bindingStateV1": {"a": {"n": "x"}}})))


def test_validate_answers_with_resource_paths_in_order() -> None:
    asked = [wire.ValidateBinding(resource_config=raw({"name": name})) for name in ("b", "a")]
    [validated] = Squares().answer(wire.Validate(config=raw({}), bindings=tuple(asked)))

    assert isinstance(validated, wire.Validated)
    assert [found.resource_path for found in validated.bindings] == [("b",), ("a",)]


def test_validate_refuses_the_same_resource_twice() -> None:
    asked = [wire.ValidateBinding(resource_config=raw({"name": "a"}))] * 2

    with pytest.raises(ConfigError, match="/bindings/1: got 'a', want a resource that no other binding captures"):
        list(Squares().answer(wire.Validate(config=raw({}), bindings=tuple(asked))))


def test_a_bad_resource_names_its_binding() -> None:
    with pytest.raises(ConfigError, match="config /bindings/0/resource/name: got nothing, want a value"):
        list(Squares().answer(wire.Validate(config=raw({}), bindings=(wire.ValidateBinding(),))))


def test_apply_has_nothing_to_do_by_default() -> None:
    assert list(Squares().answer(wire.Apply(capture=opening().capture))) == [wire.Applied()]


def test_a_resource_path_pointer_that_no_schema_has_is_the_authors_mistake() -> None:
    class Lost(Squares):
        resource_path_pointers = ("/nowhere",)

    with pytest.raises(AssertionError, match="/nowhere"):
        Lost().spec()


@dataclass
class Plain:
    name: str


def test_dataclasses_and_plain_schemas_work_as_well() -> None:
    class Mixed(capture.Connector[dict, Plain, dict]):  # type: ignore[type-arg] # plain dicts are the point
        config_schema = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}

        def open(self, request: Any) -> Iterator[Any]:
            assert request.config == {"url": "x"}
            assert request.bindings[0].resource == Plain(name="a")
            assert request.bindings[0].state == {"seen": [1]}
            yield request.bindings[0].checkpoint({"seen": [1, 2]})

    stored = {"bindingStateV1": {"a": {"seen": [1]}}}
    opened = opening(binding("a", "a"), state=stored, config={"url": "x"})

    assert states(Mixed().answer(opened)) == [{"bindingStateV1": {"a": {"seen": [1, 2]}}}]
    with pytest.raises(ConfigError, match="config /url: got nothing, want a value: it is required"):
        list(Mixed().answer(opening(config={"x": 1})))


class Named(BaseModel):
    sync_mode: str = Field(alias="syncMode")


def test_what_is_discovered_has_the_names_that_its_schema_gives() -> None:
    found = capture.discovered("a", {}, key=["/id"], resource=Named(syncMode="full"))

    assert json.loads(bytes(found.resource_config)) == {"syncMode": "full"}


Kind = TypeVar("Kind")


def test_types_are_declared_through_generic_classes_in_between() -> None:
    class Base(capture.Connector[Config, Kind, dict[str, Any]], Generic[Kind]):
        resource_path_pointers = ("/syncMode",)

    class Mine(Base[Named]):
        pass

    assert json.loads(bytes(Mine().spec().resource_config_schema))["properties"].keys() == {"syncMode"}


def test_a_connector_may_take_over_what_another_program_has_stored() -> None:
    class Heir(Squares):
        def task_state(self, stored: msgspec.Raw) -> Any:
            (old,) = msgspec.json.decode(stored)
            return {capture.STATES: {"a": {"n": old}}}

        def open(self, request: capture.Open[Config, Resource, Cursor]) -> Iterator[Any]:
            (bound,) = request.bindings
            assert bound.state == Cursor(n=7)
            assert request.state == {capture.STATES: {"a": {"n": 7}}}
            yield bound.checkpoint(Cursor(n=8))

    assert len(list(Heir().answer(opening(binding("squares", "a"), state=[7])))) == 2
    with pytest.raises(ConnectorError, match=r"the task's state is \[7\], want an object"):
        list(Squares().answer(opening(binding("squares", "a"), state=[7])))
