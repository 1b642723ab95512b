"""What a shard of a preview keeps of its transactions."""

from __future__ import annotations

from python.protocol.patch import merge_patch, replacement
from python.runner.materializing import Committed
from python.runner.preview_shards import Shard


def test_states_are_folded_and_each_change_is_a_line() -> None:
    shard = Shard({"a": 1})
    shard.update(merge_patch({"b": 2}))
    shard.commit(Committed(offsets={}, states=[merge_patch({"c": 3}), merge_patch({"a": None})], stored=2))
    shard.commit(Committed(offsets={}, stored=1))
    shard.commit(Committed(offsets={}, states=[replacement({})]))

    assert (shard.state, shard.stored) == ({}, 3)
    assert shard.changes() == [
        '["connectorState",{"updated":{"b":2},"mergePatch":true}]',
        '["connectorState",{"updated":{"c":3,"a":null},"mergePatch":true}]',
        '["connectorState",{}]',
        '["connectorState",{"updated":{}}]',
    ]
    assert shard.changes() == []


def test_documents_are_those_that_were_staged_and_the_last_ones() -> None:
    shard = Shard({})
    shard.stage({"1": b"{}"})
    shard.commit(Committed(offsets={}), {"2": b"[]"})
    shard.commit(Committed(offsets={}), {})

    assert shard.documents() == [{"1": b"{}"}, {"2": b"[]"}]
    assert shard.documents() == []
