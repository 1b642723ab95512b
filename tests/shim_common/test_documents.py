from __future__ import annotations

from typing import Any

import pytest

from python.shim_common.documents import takes_tombstones, tombstone, with_meta


def test_a_tombstone_is_nothing_but_its_row_id() -> None:
    assert bytes(tombstone(5)) == b'{"_meta":{"op":"d","row_id":5}}'


@pytest.mark.parametrize(("required", "takes"), [([], True), (["_meta"], True), (["_meta", "id"], False)])
def test_rows_can_be_deleted_where_a_document_needs_nothing_else(required: list[str], takes: object) -> None:
    assert takes_tombstones({"type": "object", "required": required}) is takes


@pytest.mark.parametrize(
    ("own", "kept"),
    [({"a": 1, "uuid": "x", "op": "z"}, {"a": 1}), ("text", {"value": "text"}), (None, {"value": None})],
)
def test_a_meta_of_the_source_s_own_is_kept_beside_ours(own: Any, kept: Any) -> None:
    data = {"id": 1, "_meta": own}

    assert with_meta(data, "u", 7) == {"id": 1, "_meta": {**kept, "op": "u", "row_id": 7}}
    assert data["_meta"] is own
