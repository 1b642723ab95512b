"""Between a candidate and the switch: the gates, once more, over what was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from python.registry.generation.applying import BlockedError, prepare
from python.registry.generation.candidates import GATES, examine, publish
from python.registry.generation.planning import plan
from python.registry.generation.plans import Options
from python.registry.generation.publication import Candidate, keep, rollback
from python.registry.generation.snapshots import SnapshotError, current, manifest_of, path_in, read
from python.registry.store import ConflictError, Store
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put, spec, versions, whole


def bucket(*names: str) -> MemoryStore:
    store = MemoryStore(now=lambda: NOW)
    for name in names:
        put(store, name)
    return store


def prepared(store: Store, **options: Any) -> str:
    made = prepare(store, plan(store, NOW, Options(**options)))
    assert made is not None
    return made.id


def altered(store: Store, snapshot: str, change: Any) -> str:
    """A snapshot like `snapshot`, but for what `change` does to its registry for oss: somebody else's, or a bug's."""
    manifest = manifest_of(store, snapshot)
    files = {name: read(store, manifest, name) for name in manifest.files}
    inputs = json.loads(files["inputs.json"])
    sources = json.loads(files["oss_registry.json"])["sources"]
    names = [f"airbyte/source-{entry['name'].lower()}" for entry in sources]
    change(dict(zip(names, sources, strict=True)), inputs["connectors"])
    data = b'{"destinations":[],"sources":['
    for name, entry in zip(names, sources, strict=True):
        text = json.dumps(entry).encode()
        inputs["connectors"][name]["places"]["oss"] = [len(data), len(text)]
        data += text + b","
    files |= {"oss_registry.json": data[:-1] + b"]}", "inputs.json": json.dumps(inputs).encode()}
    candidate = Candidate(id=f"{snapshot}-altered", made=NOW, files=list(files.items()), counts=manifest.counts)
    return keep(store, candidate, manifest.parent).id


def test_a_candidate_is_published_when_somebody_says_so_and_not_before() -> None:
    store = bucket("a", "b")
    snapshot = prepared(store)
    assert current(store) is None

    publish(store, snapshot, NOW)

    assert whole(store) == snapshot
    assert versions(store) == {"a": "1.0.0", "b": "1.0.0"}


def test_publishing_what_is_published_does_nothing() -> None:
    store = bucket("a")
    snapshot = prepared(store)
    first = publish(store, snapshot, NOW)

    assert publish(store, snapshot, NOW) == first


def test_a_plan_that_changes_nothing_prepares_nothing() -> None:
    store = bucket("a")
    generated(store)

    assert prepare(store, plan(store, NOW)) is None


@pytest.mark.parametrize(
    ("gate", "change", "told"),
    [
        ("schema", lambda entries, _: entries["airbyte/source-a"].pop("name"), "source-a in oss: its entry is not as"),
        (
            "duplicates",
            lambda _, connectors: connectors["airbyte/source-a"].update(
                definition=connectors["airbyte/source-b"]["definition"]
            ),
            "airbyte/source-b: its definition id .* is that of airbyte/source-a",
        ),
        (
            "compatibility",
            lambda entries, _: entries["airbyte/source-a"].update(
                spec=spec(more={"type": "string"}) | {"connectionSpecification": {"required": ["more"]}}
            ),
            "source-a: version 1.0.1 breaks configs of 1.0.0",
        ),
        (
            "specs",
            lambda entries, _: entries["airbyte/source-a"].update(spec={}),
            "source-a in oss: its spec is no spec",
        ),
    ],
)
def test_each_gate_holds_up_what_planning_let_pass(gate: str, change: Any, told: str) -> None:
    store = bucket("a", "b", "c")
    if gate == "compatibility":
        generated(store)
        put(store, "a", "1.0.1")
    snapshot = altered(store, prepared(store), change)

    assert list(examine(store, snapshot)[gate])
    with pytest.raises(BlockedError, match=f"{gate}: .*{told}"):
        publish(store, snapshot, NOW)
    assert (current(store) is None) == (gate != "compatibility")


def test_a_candidate_that_shrinks_too_much_needs_a_word() -> None:
    store = bucket(*"abcdefgh")
    generated(store)
    for version in list(store.list("metadata/")):
        if "source-a" not in version.path:
            store.delete(version.path)
    snapshot = prepared(store, allow_shrink=True)

    with pytest.raises(BlockedError, match="shrink: oss would go from 8 to 1"):
        publish(store, snapshot, NOW)
    publish(store, snapshot, NOW, Options(allow_shrink=True))
    assert versions(store) == {"a": "1.0.0"}


def test_a_good_candidate_passes_every_gate() -> None:
    store = bucket("a")

    assert examine(store, prepared(store)) == {gate: [] for gate in GATES}


def test_a_candidate_whose_parent_is_no_longer_current_is_not_published() -> None:
    store = bucket("a")
    old = prepared(store)
    put(store, "b")
    generated(store)

    with pytest.raises(ConflictError):
        publish(store, old, NOW)
    assert versions(store) == {"a": "1.0.0", "b": "1.0.0"}


def test_a_candidate_is_not_published_while_a_rollback_holds() -> None:
    store = bucket("a")
    generated(store)
    put(store, "b")
    generated(store)
    put(store, "c")
    snapshot = prepared(store)
    rollback(store, NOW, reason="b is broken")

    with pytest.raises(BlockedError, match="b is broken"):
        publish(store, snapshot, NOW)


def test_a_candidate_that_was_changed_is_not_published() -> None:
    store = bucket("a")
    snapshot = prepared(store)
    store.put(path_in(snapshot, "cloud_registry.json"), b"{}")

    with pytest.raises(SnapshotError, match="was changed"):
        publish(store, snapshot, NOW)
    assert current(store) is None


def test_a_manifest_that_another_program_wrote_is_named_by_its_own_sum() -> None:
    store = bucket("a")
    snapshot = prepared(store)
    path = path_in(snapshot, "manifest.json")
    store.put(path, json.dumps({**json.loads(store.get(path).data), "more": 1}).encode())

    publish(store, snapshot, NOW)

    assert whole(store) == snapshot
