from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from python.protocol.capture import DiscoveredBinding
from python.runner.catalog import CaptureBinding, CaptureTask, LocalEndpoint
from python.runner.discovery_merge import Merge, NewBinding, merge
from python.runner.problems import Where

HERE = Where(Path("a.flow.yaml"), 3)
POINTERS = ("/namespace", "/stream")


def task(*bindings: tuple[Any, str], name: str = "acmeCo/deep/source-x") -> CaptureTask:
    listed = tuple(CaptureBinding(resource=resource, target=target, where=HERE) for resource, target in bindings)
    endpoint = LocalEndpoint(command=("x",), config={}, config_where=HERE, where=HERE)
    return CaptureTask(name=name, endpoint=endpoint, bindings=listed, where=HERE)


def found(resource: Any, name: str = "users", **members: Any) -> DiscoveredBinding:
    schema = msgspec.Raw(b'{"type":"object","maximum":0.5}')
    raw = msgspec.Raw(msgspec.json.encode(resource))
    return DiscoveredBinding(
        recommended_name=name, resource_config=raw, document_schema=schema, key=("/id",), **members
    )


def merged(capture: CaptureTask, *discovered: DiscoveredBinding) -> Merge:
    return merge(capture, discovered, POINTERS)


def test_a_new_resource_becomes_a_binding_and_a_collection_beside_the_task() -> None:
    outcome = merged(task(), found({"stream": "users"}, disable=True))

    assert outcome.added == (NewBinding(resource={"stream": "users"}, target="acmeCo/deep/users", disable=True),)
    (collection,) = outcome.collections
    assert (collection.name, collection.key, collection.invented_key) == ("acmeCo/deep/users", ("/id",), False)
    assert collection.schema == {"type": "object", "maximum": 0.5}


def test_a_binding_is_known_by_its_resource_path_whatever_else_its_user_wrote() -> None:
    capture = task(({"stream": "users", "cursor": "mine", "namespace": None}, "acmeCo/people"))

    outcome = merged(capture, found({"stream": "users", "cursor": "theirs"}))

    assert outcome.added == ()
    assert outcome.vanished == ()
    assert [collection.name for collection in outcome.collections] == ["acmeCo/people"]


def test_another_namespace_is_another_resource() -> None:
    capture = task(({"stream": "users", "namespace": "a"}, "acmeCo/deep/users"))

    outcome = merged(capture, found({"stream": "users", "namespace": "b"}))

    assert [binding.target for binding in outcome.added] == ["acmeCo/deep/users_2"]
    assert outcome.vanished == capture.bindings


def test_without_pointers_a_resource_is_known_by_all_of_it() -> None:
    capture = task(({"stream": "users"}, "acmeCo/people"))

    assert merge(capture, [found({"stream": "users"})], ()).added == ()
    assert len(merge(capture, [found({"stream": "users", "more": 1})], ()).added) == 1


def test_recommended_names_become_catalog_names() -> None:
    names = ["my table!", "/a//b/", "ünï-1.x_y", "/", "a/b c", "../../x/.", ".hidden"]

    outcome = merged(task(name="x"), *(found({"stream": name}, name) for name in names))

    assert [binding.target for binding in outcome.added] == [
        "my_table_",
        "a/b",
        "ünï-1.x_y",
        "unnamed",
        "a/b_c",
        "__/__/x/_",
        ".hidden",
    ]


def test_resources_of_the_same_name_get_collections_of_their_own() -> None:
    outcome = merged(task(), found({"stream": "a"}), found({"stream": "b"}), found({"stream": "c"}))

    assert [binding.target.rpartition("/")[2] for binding in outcome.added] == ["users", "users_2", "users_3"]


def test_a_collection_that_bindings_share_is_described_by_none_of_them() -> None:
    capture = task(({"stream": "a"}, "acmeCo/all"), ({"stream": "b"}, "acmeCo/all"))

    assert merged(capture, found({"stream": "a"}), found({"stream": "b"})).collections == ()


def test_an_invented_key_is_told() -> None:
    assert merged(task(), found({"stream": "a"}, is_fallback_key=True)).collections[0].invented_key
