"""Every bug that earlier shims had has its test; those which no other module has are here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from python.shim_airbyte_cdk import reading
from tests.airbyte_messages import Played, Sync, binding, merged, record, request, rows, state
from tests.regressions import untested

RELEASED = json.loads(Path(__file__).with_name("released_states.json").read_text(encoding="utf-8"))
BINDINGS = {
    "namespace": [binding("users", namespace="shop")],
    "full refresh": [rows("users")],
    "GLOBAL": [binding("users"), binding("orders")],
    "LEGACY": [binding("users"), binding("orders")],
}


@pytest.mark.parametrize("released", RELEASED, ids=lambda each: f"{each['writtenBy']}, {each['what']}")
def test_the_states_of_each_version_resume(released: dict[str, Any]) -> None:
    bindings = BINDINGS.get(released["what"], [binding("users")])
    namespace = "shop" if released["what"] == "namespace" else None
    source = Played(*(record(name, {"id": 9}, namespace) for name in ("users", "orders")[: len(bindings)]))

    sync = Sync(source, request(*bindings, stored=released["stored"]))

    assert sync.failure == ""
    assert source.states == released["resumed"]
    assert [sync.of(index)[0]["_meta"]["row_id"] for index in range(len(bindings))] == released["rowIds"]


def test_a_new_task_writes_the_states_of_its_bindings() -> None:
    source = Played(record("a", {"id": 1}), state("a", {"n": 1}), record("b", {"id": 1}))

    sync = Sync(source, request(binding("a"), rows("b")))

    assert sync.stored["bindingStateV1"].keys() == {"a", "b"}
    assert sync.stored["bindingStateV1"]["a"]["rowId"] == 1


def test_unordered_records_advance_no_cursor_past_what_was_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a session is cut, what it committed and what the next one reads are all there is."""
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 2)
    monkeypatch.setattr(reading, "HELD_BYTES_MAX", 1)
    numbers = [9, 2, 7, 4, 1, 8]

    class Unordered(Played):
        """Reads newer rows than its state's, in no order, and tells where it is when it has read them all."""

        def read(self, *args: Any) -> Any:
            yield from super().read(*args)  # which plays nothing, and remembers the states
            after = self.states[0]["stream"]["stream_state"]["n"] if self.states else 0
            yield from (record("users", {"id": number}) for number in numbers if number > after)
            yield state("users", {"n": max(numbers)})

    first = Sync(Unordered(), request(binding("users")))
    patches = iter(first.patches)
    stored: Any = {}
    seen: set[int] = set()
    for each in first.sequence:
        if each != "checkpoint":
            seen.add(each["id"])
            continue
        stored = merged(stored, next(patches) or {})
        again = Sync(Unordered(), request(binding("users"), stored=stored))

        assert seen | {doc["id"] for doc in again.of(0)} == set(numbers)

    assert first.sequence.count("checkpoint") > 2


def test_every_bug_that_earlier_shims_had_has_a_test() -> None:
    assert list(untested(range(1, 26))) == []
