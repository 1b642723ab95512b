from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from python.shim_airbyte_cdk.identities import Known
from tests.airbyte_messages import Sync, binding, cdk, request, rows

sources: Any = importlib.import_module("airbyte_cdk.sources")
streams: Any = importlib.import_module("airbyte_cdk.sources.streams")


class Numbers(streams.Stream):  # type: ignore[misc] # the CDK is untyped here
    """A stream of the CDK's with a namespace, which the CDK writes on its states, and on nothing else."""

    primary_key = "id"
    cursor_field = "id"
    state_checkpoint_interval = 2
    namespace = "shop"

    def __init__(self, name: str, count: int, *, fails: bool = False) -> None:
        self._name, self._count, self._fails = name, count, fails
        self.state: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        return self._name

    def get_json_schema(self) -> Mapping[str, Any]:
        return {"type": "object", "properties": {"id": {"type": "integer"}}}

    def read_records(self, *_: Any, stream_state: Mapping[str, Any] | None = None, **__: Any) -> Iterable[Any]:
        for number in range(int((stream_state or {}).get("id", -1)) + 1, self._count):
            self.state = {"id": number}
            yield {"id": number}
        if self._fails:
            raise ValueError("the door is shut")


class Shop(sources.AbstractSource):  # type: ignore[misc] # the CDK is untyped here
    """A source that the CDK reads itself, as most do."""

    def __init__(self, *own: Numbers) -> None:
        self._own = own

    def spec(self, logger: logging.Logger) -> Any:
        del logger
        return cdk.ConnectorSpecification(connectionSpecification={"type": "object"})

    def check_connection(self, *_: Any) -> tuple[bool, None]:
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Any]:
        del config
        return list(self._own)


def entries(sync: Sync) -> Any:
    return sync.stored["bindingStateV1"]


def test_the_stream_is_found_by_namespace_and_name_or_by_a_name_that_only_it_has() -> None:
    known = Known([("a", "x"), ("b", "x"), ("a", "y"), (None, "z"), ("b", "z")])

    assert known.meant(("a", "x")) == (("a", "x"),)
    assert known.meant((None, "x")) == (("a", "x"), ("b", "x"))
    assert known.meant((None, "y")) == (("a", "y"),)
    assert known.meant((None, "z")) == ((None, "z"),)
    assert known.meant(("c", "y")) == ()
    assert known.meant((None, "other")) == ()


def test_a_stream_with_a_namespace_is_captured_through_the_cdk_which_sets_none_on_records() -> None:
    bound = binding("orders", namespace="shop")

    first = Sync(Shop(Numbers("orders", 3)), request(bound))
    second = Sync(Shop(Numbers("orders", 5)), request(bound, stored=first.stored))

    assert [doc["id"] for doc in first.of(0)] == [0, 1, 2]
    assert [doc["id"] for doc in second.of(0)] == [3, 4]
    assert entries(second)["shop%2Forders"]["state"]["stream"]["stream_state"] == {"id": 4}
    assert (first.failure, second.failure) == ("", "")


def test_its_refresh_is_complete_when_the_cdk_says_so() -> None:
    bound = rows("orders", namespace="shop")

    first = Sync(Shop(Numbers("orders", 3)), request(bound))
    second = Sync(Shop(Numbers("orders", 1)), request(bound, stored=first.stored))

    assert [doc["_meta"]["op"] for doc in second.of(0)] == ["u", "d", "d"]


def test_its_failure_names_it_whole() -> None:
    sync = Sync(Shop(Numbers("orders", 1, fails=True)), request(binding("orders", namespace="shop")))

    assert sync.failure.startswith("1 of 1 streams failed: stream shop.orders: ")
    assert "the door is shut" in sync.failure


def test_streams_that_cannot_be_told_apart_fail_by_name_and_lose_nothing() -> None:
    bindings = [binding("orders", namespace=each) for each in ("shop", "web")]

    sync = Sync(Shop(Numbers("orders", 3), Numbers("users", 1)), request(*bindings, binding("users", namespace="shop")))

    assert [index for index, _ in sync.documents] == [2]
    assert "2 of 3 streams failed" in sync.failure
    assert "stream shop.orders: the source names no namespace" in sync.failure
    assert "shop.orders and web.orders cannot be told apart; disable the bindings" in sync.failure
    assert entries(sync).keys() >= {"shop%2Fusers"}
    assert not any(entries(sync).get(f"{each}%2Forders", {}).get("rowId") for each in ("shop", "web"))


def test_a_stream_that_the_source_no_longer_has_says_so() -> None:
    sync = Sync(Shop(Numbers("users", 1)), request(binding("users", namespace="shop"), binding("orders")))

    assert len(sync.documents) == 1
    assert sync.failure == (
        "1 of 2 streams failed: stream orders: the source ended it with neither a start nor a reason, as it does with "
        "a stream that it no longer has: disable the binding, or discover again where the stream has another name now"
    )
