from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.protocol.capture import Validated, ValidatedBinding
from python.protocol.errors import RemoteProtocolError
from python.runner import tasks
from python.runner.catalog import CaptureBinding, CaptureTask, Catalog, Collection, LocalEndpoint
from python.runner.problems import Where

HERE = Where(Path("a.flow.yaml"), 3)
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def task(*targets: str, **changes: Any) -> tuple[CaptureTask, Catalog]:
    bindings = tuple(
        CaptureBinding(resource={"name": target}, target=target, where=Where(HERE.file, line))
        for line, target in enumerate(targets, 10)
    )
    endpoint = LocalEndpoint(command=("x",), config={"rate": 1}, config_where=HERE, where=HERE)
    capture = CaptureTask(**{"name": "a/x", "endpoint": endpoint, "bindings": bindings, "where": HERE, **changes})
    collections = {name: Collection(name=name, key=("/id",), write_schema=SCHEMA, where=HERE) for name in targets}
    return capture, Catalog(
        source=HERE.file, captures={"a/x": capture}, collections=collections, materializations={}, tests={}
    )


def validated(*paths: tuple[str, ...]) -> Validated:
    return Validated(bindings=tuple(ValidatedBinding(resource_path=path) for path in paths))


def test_a_built_spec_has_the_paths_that_the_connector_gave_and_state_keys_of_them() -> None:
    spec = tasks.task_spec(*task("a/one", "a/two"), validated(("s", "one"), ("two",)))

    assert [binding.resource_path for binding in spec.bindings] == [("s", "one"), ("two",)]
    assert [binding.state_key for binding in spec.bindings] == ["s%2Fone", "two"]
    assert msgspec.json.decode(spec.config) == {"rate": 1}


def test_bindings_that_are_gone_stay_as_inactive_ones() -> None:
    last = tasks.task_spec(*task("a/one", "a/two"), validated(("one",), ("two",)))
    spec = tasks.task_spec(*task("a/two"), validated(("two",)), last)
    again = tasks.task_spec(*task("a/two"), validated(("two",)), spec)

    assert [binding.resource_path for binding in spec.inactive_bindings] == [("one",)]
    assert again.inactive_bindings == spec.inactive_bindings


def test_two_bindings_of_one_resource_are_refused_with_both_their_collections() -> None:
    told = (
        r"a\.flow\.yaml:11: the binding into a/two got the resource path \['one'\], as did the one into a/one.*rule 40"
    )
    with pytest.raises(RemoteProtocolError, match=told):
        tasks.task_spec(*task("a/one", "a/two"), validated(("one",), ("one",)))


@pytest.mark.parametrize("path", [(), ("",), ("", "")])
def test_a_resource_path_that_names_nothing_is_refused(path: tuple[str, ...]) -> None:
    with pytest.raises(RemoteProtocolError, match=r"got the resource path .*, which names nothing.*rule 40"):
        tasks.task_spec(*task("a/one"), validated(path))


def test_an_answer_for_more_or_fewer_bindings_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match=r"validated 1 bindings, and was asked about 2.*rule 39"):
        tasks.task_spec(*task("a/one", "a/two"), validated(("one",)))


def test_disabled_bindings_are_not_asked_about() -> None:
    capture, catalog = task("a/one", "a/two")
    first = dataclasses.replace(capture.bindings[0], disable=True)
    capture = dataclasses.replace(capture, bindings=(first, capture.bindings[1]))
    request = tasks.validate_request(capture, catalog)

    assert [binding.collection.name for binding in request.bindings] == ["a/two"]
    assert [binding.collection.name for binding in tasks.task_spec(capture, catalog, validated(("two",))).bindings] == [
        "a/two"
    ]


def test_a_stored_spec_is_sent_with_validate_as_the_last_one() -> None:
    last = tasks.task_spec(*task("a/one"), validated(("one",)))

    assert tasks.validate_request(*task("a/one"), last).last_capture == last


@pytest.mark.parametrize("shards", [1, 2, 3, 64])
def test_the_ranges_of_shards_are_adjacent_and_together_everything(shards: int) -> None:
    ranges = tasks.shard_ranges(shards)

    assert (ranges[0].key_begin, ranges[-1].key_end, len(ranges)) == (0, 2**32 - 1, shards)
    assert all(low.key_end + 1 == high.key_begin for low, high in itertools.pairwise(ranges))


def test_a_session_opens_from_the_state_that_is_kept() -> None:
    spec = tasks.task_spec(*task("a/one"), validated(("one",)))
    opened = tasks.open_request(spec, "v1", tasks.shard_ranges(1)[0], {"n": 12345678901234567890})

    assert (bytes(opened.state), opened.version) == (b'{"n":12345678901234567890}', "v1")
