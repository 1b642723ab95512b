"""What a bucket's listing comes to: connectors that changed are read, those that are wrong keep what they had."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
from typing import Any

import pytest
import yaml

from python.registry.generation import planning
from python.registry.generation.applying import apply
from python.registry.generation.building import build
from python.registry.generation.planning import news, plan
from python.registry.generation.plans import Options, inputs_of
from python.registry.generation.snapshots import SnapshotError, current
from python.registry.store.folder import FolderStore
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import BOTH, NOW, generated, metadata, put, sources, spec, versions
from tests.registry.stores import RecordingStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(now=lambda: NOW)


def test_the_newest_final_version_is_the_entry_of_each_registry(store: MemoryStore) -> None:
    for version in ("1.9.0", "1.10.0", "1.11.0-dev.1"):
        put(store, "a", version)
    put(store, "b", registryOverrides={"oss": {"enabled": True}})

    generated(store)

    assert versions(store) == {"a": "1.10.0", "b": "1.0.0"}
    assert versions(store, "cloud") == {"a": "1.10.0"}


def test_nothing_changed_writes_nothing_and_reads_no_metadata(store: MemoryStore) -> None:
    put(store, "a")
    generated(store)
    recording = RecordingStore(store)
    recording.left = 1

    again = generated(recording)

    assert (recording.written, again.is_new, again.changes) == ([], False, ())


def test_only_what_changed_is_read_and_all_other_entries_stay_as_they_are(store: MemoryStore) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    before = sources(store)
    asked = []

    class Asked(RecordingStore):
        def _get(self, path: str) -> Any:
            asked.append(path)
            return super()._get(path)

        def _write(self, path: str) -> None:
            pass

    put(store, "b", "1.1.0")
    generated(Asked(store))

    assert not [path for path in asked if "source-a" in path]
    assert sources(store)["a"] == before["a"]
    assert versions(store)["b"] == "1.1.0"


def test_a_file_that_was_only_written_again_changes_nothing_and_is_read_once(store: MemoryStore) -> None:
    path = put(store, "a")
    generated(store)
    store.put(path, store.get(path).data)

    assert plan(store, NOW).changes == ()
    generated(store)

    assert plan(store, NOW).rows == ()


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"\xff\xfe", "cannot be read"),
        (b"data: [", "cannot be read"),
        (b"", "is not valid"),
        (b"[1, 2]", "is not valid"),
        (b"a: &a [1]\n", "is not valid"),
        (("a0: &a0 [x,x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))).encode(), "read"),
        (b"x" * 2_000_000, "want 1,048,576 at most"),
        (yaml.safe_dump(metadata("a", "1.1.0", definitionId="x")).encode(), "/data/definitionId"),
        (yaml.safe_dump(metadata("a", "1.1.0", license=None)).encode(), "/data/license"),
        (yaml.safe_dump(metadata("a", "1.2.0")).encode(), "which has a folder of its own"),
        (yaml.safe_dump(metadata("b", "1.1.0")).encode(), "which has a folder of its own"),
        (yaml.safe_dump(metadata("a", "1.1.0", generated={"a": {None: 1}})).encode(), "cannot be written as JSON"),
        (yaml.safe_dump(metadata("a", "1.1.0", allowedHosts={"a": {True: 1}})).encode(), "cannot be written as JSON"),
    ],
)
def test_metadata_that_is_broken_keeps_its_last_good_entry_and_says_why(
    store: MemoryStore, broken: bytes, why: str
) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    store.put(put(store, "a", "1.1.0"), broken)
    put(store, "b", "1.1.0")

    published = generated(store)

    assert versions(store) == {"a": "1.0.0", "b": "1.1.0"}
    assert list(published.quarantined) == ["airbyte/source-a"]
    assert why in published.quarantined["airbyte/source-a"]


def test_a_connector_that_was_never_good_is_not_in_the_registry_and_hinders_nobody(store: MemoryStore) -> None:
    store.put(put(store, "a"), b"nonsense")
    put(store, "b")

    published = generated(store)

    assert versions(store) == {"b": "1.0.0"}
    assert list(published.quarantined) == ["airbyte/source-a"]


def test_a_connector_that_was_mended_recovers(store: MemoryStore) -> None:
    path = put(store, "a")
    good = store.get(path).data
    store.put(path, b"nonsense")
    generated(store)
    store.put(path, good)

    published = generated(store)

    assert [change.what for change in published.changes] == ["recovered"]
    assert (versions(store), published.quarantined) == ({"a": "1.0.0"}, {})


def test_a_missing_spec_is_found_in_the_cache_once_it_is_there(store: MemoryStore) -> None:
    store.delete(put(store, "a").replace("metadata.yaml", "spec.json"))
    assert "there is no spec of airbyte/source-a:1.0.0" in generated(store).quarantined["airbyte/source-a"]

    store.put("specs/airbyte/source-a/1.0.0/spec.json", json.dumps(spec()).encode())

    assert generated(store).quarantined == {}
    assert versions(store) == {"a": "1.0.0"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"connectionSpecification": 1}',
        b"\xff",
        b'{"connectionSpecification":' + b'{"a":' * 99_999 + b"1" + b"}" * 100_000,
        b'{"connectionSpecification":' + b'{"a":' * 250 + b"1" + b"}" * 251,
    ],
)
def test_a_spec_that_is_none_is_told_with_its_path(store: MemoryStore, data: bytes) -> None:
    store.put(put(store, "a").replace("metadata.yaml", "spec.json"), data)

    assert "source-a/1.0.0/spec.json is no spec" in generated(store).quarantined["airbyte/source-a"]


def test_the_cloud_registry_prefers_a_spec_of_its_own(store: MemoryStore) -> None:
    put(store, "a")
    store.put("metadata/airbyte/source-a/1.0.0/spec.cloud.json", json.dumps(spec(only={"type": "string"})).encode())

    generated(store)

    def properties(registry: str) -> list[str]:
        return list(sources(store, registry)["a"]["spec"]["connectionSpecification"]["properties"])

    assert (properties("oss"), properties("cloud")) == (["token"], ["token", "only"])


def test_an_override_of_the_image_has_the_spec_of_that_image_and_an_entry_beside_it(store: MemoryStore) -> None:
    strict = {"enabled": True, "dockerRepository": "airbyte/source-a-strict", "dockerImageTag": "0.9.0"}
    put(store, "a", registryOverrides={"oss": {"enabled": True}, "cloud": strict})
    store.put("specs/airbyte/source-a-strict/0.9.0/spec.json", json.dumps(spec(tls={"type": "boolean"})).encode())

    generated(store)

    entry = sources(store, "cloud")["a-strict"]
    assert entry["dockerImageTag"] == "0.9.0"
    assert "tls" in entry["spec"]["connectionSpecification"]["properties"]
    assert json.loads(store.get("metadata/airbyte/source-a-strict/0.9.0/cloud.json").data) == entry
    assert json.loads(store.get("metadata/airbyte/source-a/latest/cloud.json").data) == entry


def test_a_release_candidate_that_is_rolled_out_stands_in_the_entry_of_the_latest(store: MemoryStore) -> None:
    rollout = {"rolloutConfiguration": {"enableProgressiveRollout": True}}
    put(store, "a", "1.0.0")
    put(store, "a", "1.1.0-rc.1", releases=rollout)
    put(store, "a", "1.1.0-rc.2", releases=rollout)

    generated(store)

    candidates = sources(store)["a"]["releases"]["releaseCandidates"]
    assert list(candidates) == ["1.1.0-rc.2"]
    assert candidates["1.1.0-rc.2"]["dockerImageTag"] == "1.1.0-rc.2"
    assert store.get("metadata/airbyte/source-a/release_candidate/oss.json").data


def test_a_candidate_without_a_rollout_or_below_the_latest_is_not_told(store: MemoryStore) -> None:
    put(store, "a", "2.0.0")
    put(store, "a", "1.9.0-rc.1", releases={"rolloutConfiguration": {"enableProgressiveRollout": True}})
    put(store, "b", "1.0.0")
    put(store, "b", "1.1.0-rc.1")

    generated(store)

    assert not [each for each in sources(store).values() if "releases" in each]


def test_a_broken_candidate_leaves_the_latest_alone_and_is_told(store: MemoryStore) -> None:
    put(store, "a", "1.0.0")
    store.put(put(store, "a", "1.1.0-rc.1"), b"nonsense")

    planned = plan(store, NOW)

    assert "version 1.1.0-rc.1 has no entry of its own" in planned.rows[0].connector.warnings[0]
    assert planned.quarantined == {}


def test_a_yanked_version_gives_way_to_the_one_before(store: MemoryStore) -> None:
    put(store, "a", "1.0.0")
    put(store, "a", "1.1.0")
    generated(store)
    store.put("metadata/airbyte/source-a/1.1.0/version-yank.yml", b"")

    generated(store)

    assert versions(store) == {"a": "1.0.0"}


def test_a_registry_that_leaves_a_connector_out_loses_its_entry_beside_latest_but_not_beside_the_version(
    store: MemoryStore,
) -> None:
    put(store, "a")
    generated(store)
    put(store, "a", "1.1.0", registryOverrides={**BOTH, "cloud": {"enabled": False}})

    generated(store)

    written = [version.path for version in store.list("metadata/") if version.path.endswith("cloud.json")]
    assert written == ["metadata/airbyte/source-a/1.0.0/cloud.json"]
    assert versions(store, "cloud") == {}


def test_files_that_are_gone_keep_their_entry_until_somebody_lets_it_go(store: MemoryStore) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    for version in list(store.list("metadata/airbyte/source-a/")):
        store.delete(version.path)

    published = generated(store)

    assert "its files are gone from the bucket" in published.quarantined["airbyte/source-a"]
    assert versions(store) == {"a": "1.0.0", "b": "1.0.0"}
    assert generated(store).changes == ()
    assert [change.what for change in generated(store, allow_shrink=True).changes] == ["recovered"]
    assert versions(store) == {"b": "1.0.0"}


def test_of_two_with_one_identity_the_published_one_stays(store: MemoryStore) -> None:
    identity = metadata("b", "1.0.0")["data"]["definitionId"]
    put(store, "b")
    generated(store)
    put(store, "a", definitionId=identity)

    published = generated(store)

    assert published.quarantined == {
        "airbyte/source-a": f"its definition id {identity} is that of airbyte/source-b in cloud"
    }
    assert versions(store) == {"b": "1.0.0"}


def test_a_breaking_spec_is_held_back_until_it_is_announced(store: MemoryStore) -> None:
    put(store, "a")
    generated(store)
    required = breaking_spec()
    put(store, "a", "1.1.0", required)

    assert "version 1.1.0 breaks configs of 1.0.0" in generated(store).quarantined["airbyte/source-a"]
    assert versions(store) == {"a": "1.0.0"}

    change = {"2.0.0": {"message": "give a token", "upgradeDeadline": "2026-09-01"}}
    put(store, "a", "2.0.0", required, releases={"breakingChanges": change})

    assert generated(store).quarantined == {}
    assert versions(store) == {"a": "2.0.0"}


def test_a_breaking_spec_can_be_let_through(store: MemoryStore) -> None:
    put(store, "a")
    generated(store)
    required = breaking_spec()
    put(store, "a", "1.1.0", required)
    generated(store)

    assert generated(store, allow_breaking=True).quarantined == {}
    assert versions(store) == {"a": "1.1.0"}


def test_another_address_of_the_bucket_makes_all_entries_again(store: MemoryStore) -> None:
    put(store, "a")
    store.put("metadata/airbyte/source-a/latest/icon.svg", b"<svg/>")
    generated(store)
    assert "iconUrl" not in sources(store)["a"]

    generated(store, base_url="https://files.example.com")

    assert sources(store)["a"]["iconUrl"] == "https://files.example.com/metadata/airbyte/source-a/latest/icon.svg"


def test_the_version_of_the_cdk_is_told_from_the_list_of_dependencies(store: MemoryStore) -> None:
    put(store, "a")
    listed = {"dependencies": [{"package_name": "airbyte-cdk", "version": "6.45.0"}]}
    store.put("connector_dependencies/source-a/1.0.0/dependencies.json", json.dumps(listed).encode())

    generated(store)

    assert sources(store)["a"]["packageInfo"] == {"cdk_version": "python:6.45.0"}


def test_a_list_of_dependencies_that_nobody_can_read_is_told_with_its_path(store: MemoryStore) -> None:
    path = put(store, "a").replace("metadata.yaml", "dependencies.json")
    store.put(path, b'{"dependencies":' + b"[" * 100_000 + b"]" * 100_000 + b"}")

    assert f"{path} is no list of dependencies" in generated(store).quarantined["airbyte/source-a"]


def test_an_old_version_that_nobody_can_read_leaves_the_latest_alone(store: MemoryStore) -> None:
    old = put(store, "a", "1.0.0")
    store.put(old, yaml.safe_dump(metadata("a", "1.0.0", generated={"a": {None: 1}})).encode())
    put(store, "a", "1.1.0")

    planned = plan(store, NOW)

    assert planned.quarantined == {}
    assert "version 1.0.0 has no entry of its own" in planned.rows[0].connector.warnings[0]


def test_a_folder_whose_name_no_store_allows_is_quarantined_and_hinders_nobody(tmp_path: pathlib.Path) -> None:
    folder = FolderStore(tmp_path)
    put(folder, "a")
    odd = tmp_path / "metadata/airbyte/back\\slash/1.0.0"
    odd.mkdir(parents=True)
    (odd / "metadata.yaml").write_text("data: {}\n")

    published = generated(folder)

    assert versions(folder) == {"a": "1.0.0"}
    assert "want neither backslashes" in published.quarantined["airbyte/back\\slash"]


def test_what_makes_us_fail_is_quarantined_and_hinders_nobody(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a")
    put(store, "b")

    def failing(context: Any, repository: str, *rest: Any) -> Any:
        if repository.endswith("a"):
            raise ZeroDivisionError("a mistake of ours")
        return build(context, repository, *rest)

    monkeypatch.setattr(planning, "build", failing)

    published = generated(store)

    assert published.quarantined == {"airbyte/source-a": "it makes us fail: ZeroDivisionError: a mistake of ours"}
    assert versions(store) == {"b": "1.0.0"}


def test_a_new_version_leaves_the_entries_beside_the_others_as_they_are(store: MemoryStore) -> None:
    put(store, "a", "1.0.0")
    put(store, "a", "1.1.0")
    generated(store)
    path = "metadata/airbyte/source-a/1.0.0/oss.json"
    before = store.get(path)
    put(store, "a", "1.2.0")

    planned = plan(store, NOW + dt.timedelta(days=1))

    assert sorted({path.split("/")[3] for path in planned.written}) == ["1.2.0", "latest"]
    apply(store, planned)
    assert store.get(path) == before


def test_a_candidate_that_is_broken_does_not_end_the_rollout_of_the_one_before(store: MemoryStore) -> None:
    rollout = {"rolloutConfiguration": {"enableProgressiveRollout": True}}
    put(store, "a", "1.0.0")
    put(store, "a", "1.1.0-rc.1", releases=rollout)
    generated(store)
    store.put(put(store, "a", "1.1.0-rc.2"), b"nonsense")

    generated(store)

    assert list(sources(store)["a"]["releases"]["releaseCandidates"]) == ["1.1.0-rc.1"]


def test_secrets_of_a_candidate_are_masked_too(store: MemoryStore) -> None:
    put(store, "a", "1.0.0")
    secret = {"type": "string", "airbyte_secret": True}
    rollout = {"rolloutConfiguration": {"enableProgressiveRollout": True}}
    put(store, "a", "1.1.0-rc.1", spec(password=secret), releases=rollout)

    generated(store)

    assert b'- "password"' in store.get("registries/v0/specs_secrets_mask.yaml").data


def identity(name: str) -> str:
    return str(metadata(name, "1.0.0")["data"]["definitionId"])


def identities(store: MemoryStore) -> dict[str, str]:
    return {name: each["sourceDefinitionId"] for name, each in sources(store).items()}


def test_a_published_connector_cannot_take_the_identity_of_another_published_one(store: MemoryStore) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    put(store, "a", "1.1.0", definitionId=identity("b"))

    published = generated(store, allow_breaking=True)

    assert published.quarantined == {
        "airbyte/source-a": f"its definition id {identity('b')} is that of airbyte/source-b in cloud"
    }
    assert identities(store) == {"a": identity("a"), "b": identity("b")}


def test_who_falls_back_to_an_identity_that_another_took_meanwhile_has_it_still(store: MemoryStore) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    put(store, "b", "1.1.0", definitionId=identity("a"))
    put(store, "d", definitionId=identity("b"))

    published = generated(store, allow_breaking=True)

    assert list(published.quarantined) == ["airbyte/source-b", "airbyte/source-d"]
    assert identities(store) == {"a": identity("a"), "b": identity("b")}


def test_two_may_exchange_identities(store: MemoryStore) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    put(store, "a", "1.1.0", definitionId=identity("b"))
    put(store, "b", "1.1.0", definitionId=identity("a"))

    assert generated(store, allow_breaking=True).quarantined == {}
    assert identities(store) == {"a": identity("b"), "b": identity("a")}


@pytest.mark.parametrize("members", [{"definitionId": identity("z")}, {"connectorType": "destination"}])
def test_another_identity_is_held_back_as_its_users_would_lose_the_connector(
    store: MemoryStore, members: dict[str, Any]
) -> None:
    put(store, "a")
    generated(store)
    put(store, "a", "1.1.0", **members)

    assert "another identity than 1.0.0" in generated(store).quarantined["airbyte/source-a"]
    assert versions(store) == {"a": "1.0.0"}


def test_what_lost_against_another_is_looked_at_again_with_the_next_change_and_not_at_every_run(
    store: MemoryStore,
) -> None:
    put(store, "b")
    generated(store)
    path = put(store, "a", definitionId=identity("b"))
    generated(store)

    assert not news(store).is_any

    store.put(path.replace("source-a", "source-b").replace("metadata.yaml", "version-yank.yml"), b"")

    assert generated(store).quarantined == {}
    assert versions(store) == {"a": "1.0.0"}


def test_a_breaking_spec_that_is_held_back_is_not_read_at_every_run(store: MemoryStore) -> None:
    put(store, "a")
    generated(store)
    required = breaking_spec()
    put(store, "a", "1.1.0", required)
    generated(store)

    assert not news(store).is_any


@pytest.mark.parametrize("left", ["0.9.0", "1.1.0-rc.1", "nonsense"])
def test_a_latest_version_that_is_gone_keeps_its_entry_until_it_is_yanked_or_let_go(
    store: MemoryStore, left: str
) -> None:
    put(store, "a", left)
    path = put(store, "a", "1.0.0")
    generated(store)
    store.delete(path)

    assert f"{path} is gone from the bucket" in generated(store).quarantined["airbyte/source-a"]
    assert versions(store) == {"a": "1.0.0"}

    generated(store, allow_shrink=True)

    assert versions(store) == ({"a": "0.9.0"} if left == "0.9.0" else {})


def test_a_folder_that_is_called_by_no_version_is_told(store: MemoryStore) -> None:
    put(store, "a", "1.0.0")
    put(store, "a", "v1.1.0")
    put(store, "b", "1.1")

    planned = plan(store, NOW)

    told = {row.repository: row.connector.warnings for row in planned.rows}
    assert told["airbyte/source-a"] == ("v1.1.0 is no semantic version, as 1.4.0 is: nothing is made of it",)
    assert told["airbyte/source-b"] == ("it is in no registry, as none of its versions is a release: 1.1",)


@pytest.mark.parametrize("nonsense", [b"\xff", b'{"snapshot": "\xff"}', b"[" * 100_000, b'{"snapshot": 1}'])
def test_notes_that_nobody_can_read_are_made_again(store: MemoryStore, nonsense: bytes) -> None:
    put(store, "a")
    generated(store)
    store.put("registries/seen.json", nonsense)
    store.put("registries/v0/published.json", nonsense)
    put(store, "b")

    assert generated(store).quarantined == {}
    assert versions(store) == {"a": "1.0.0", "b": "1.0.0"}


def test_a_snapshot_that_is_broken_says_how_to_get_away_from_it(store: MemoryStore) -> None:
    put(store, "a")
    first = generated(store).snapshot
    put(store, "a", "1.1.0")
    second = generated(store).snapshot
    store.put(f"registries/snapshots/{second}/oss_registry.json", b"nonsense")
    put(store, "a", "1.2.0")

    with pytest.raises(SnapshotError, match=f"was changed: .* rollback memory: --to {first} --reason WHY"):
        plan(store, NOW)

    for version in list(store.list(f"registries/snapshots/{first}/")):
        store.delete(version.path)

    with pytest.raises(SnapshotError, match=r"delete registries/current\.json, and `generate --allow-shrink`"):
        plan(store, NOW)


def test_a_pointer_that_is_gone_does_not_begin_anew_until_somebody_says_so(store: MemoryStore) -> None:
    path = put(store, "a")
    first = generated(store).snapshot
    store.put(path, b"nonsense")
    store.delete("registries/current.json")

    with pytest.raises(SnapshotError, match=rf"current\.json is gone, .* rollback memory: --to {first}"):
        plan(store, NOW)

    assert versions(store) == {"a": "1.0.0"}
    assert generated(store, allow_shrink=True).is_new


def test_the_registry_of_another_tool_is_not_replaced_by_a_smaller_one(store: MemoryStore) -> None:
    put(store, "a")
    others = json.dumps({"sources": [{"name": str(number)} for number in range(10)], "destinations": [{}]})
    store.put("registries/v0/oss_registry.json", others.encode())
    store.put("registries/v0/cloud_registry.json", b"nonsense")

    planned = plan(store, NOW)

    assert [each.why.partition(":")[0] for each in planned.blocked] == ["oss would go from 11 to 1 entries"]
    assert plan(store, NOW, Options(allow_shrink=True)).blocked == ()


def test_metrics_of_the_newest_file_are_in_entries_and_follow_it(store: MemoryStore) -> None:
    put(store, "a")
    put(store, "b")
    generated(store)
    before = sources(store)["b"]
    row = {"connector_definition_id": identity("a"), "airbyte_platform": "cloud", "usage": "high"}
    store.put("connector_metrics/1.jsonl", json.dumps({"_airbyte_data": row}).encode())

    generated(store)

    assert sources(store)["a"]["generated"]["metrics"] == {"cloud": {"usage": "high"}}
    assert sources(store)["b"] == before
    assert not news(store).is_any

    store.put("connector_metrics/2.jsonl", json.dumps({"_airbyte_data": {**row, "usage": "low"}}).encode())
    generated(store)

    assert sources(store)["a"]["generated"]["metrics"] == {"cloud": {"usage": "low"}}


def test_a_connector_without_a_release_is_told_with_its_versions(store: MemoryStore) -> None:
    for minor in range(6):
        put(store, "a", f"1.{minor}.0-rc.1")
    path = put(store, "a", "1.0.0")
    store.put(path.replace("metadata.yaml", "version-yank.yml"), b"")

    (warning,) = plan(store, NOW).rows[0].connector.warnings

    assert warning.endswith(": 1.0.0 (yanked), 1.0.0-rc.1, 1.1.0-rc.1, 1.2.0-rc.1, 1.3.0-rc.1, and 2 more")


def test_numbers_of_a_spec_stay_as_they_are_written(store: MemoryStore) -> None:
    path = put(store, "a").replace("metadata.yaml", "spec.json")
    store.put(path, b'{ "connectionSpecification": {"maximum": 99999999999999999999999999, "minimum": 1.10} }\n')

    generated(store)

    wanted = b'"spec":{"connectionSpecification":{"maximum":99999999999999999999999999,"minimum":1.10}}'
    assert wanted in store.get("registries/v0/oss_registry.json").data


def test_the_same_identity_in_capitals_is_the_same(store: MemoryStore) -> None:
    put(store, "a")
    generated(store)
    put(store, "a", "1.1.0", definitionId=identity("a").upper())
    put(store, "b", definitionId=identity("a"))

    assert list(generated(store).quarantined) == ["airbyte/source-b"]
    assert versions(store) == {"a": "1.1.0"}


def breaking_spec() -> dict[str, Any]:
    """What configs of `spec()` do not fit any more."""
    required = spec()
    required["connectionSpecification"]["required"] = ["token"]
    return required


def breaking_candidate(store: MemoryStore, **releases: Any) -> None:
    put(store, "a", "1.0.0")
    required = breaking_spec()
    rollout = {"rolloutConfiguration": {"enableProgressiveRollout": True}}
    put(store, "a", "1.1.0-rc.1", required, releases={**rollout, **releases})


def test_a_candidate_that_breaks_untold_is_not_rolled_out_until_it_is_let_through(store: MemoryStore) -> None:
    breaking_candidate(store)

    generated(store)

    assert "releases" not in sources(store)["a"]
    assert "candidate 1.1.0-rc.1 is not rolled out: version 1.1.0-rc.1 breaks" in current_warnings(store)[0]

    generated(store, allow_breaking=True)

    assert list(sources(store)["a"]["releases"]["releaseCandidates"]) == ["1.1.0-rc.1"]

    put(store, "a", "1.0.1")
    generated(store)

    assert list(sources(store)["a"]["releases"]["releaseCandidates"]) == ["1.1.0-rc.1"], "it was let through once"


def test_a_candidate_may_break_what_its_release_will_announce(store: MemoryStore) -> None:
    breaking_candidate(store, breakingChanges={"1.1.0": {"message": "a", "upgradeDeadline": "2026-09-01"}})

    generated(store)

    assert list(sources(store)["a"]["releases"]["releaseCandidates"]) == ["1.1.0-rc.1"]


def current_warnings(store: MemoryStore) -> tuple[str, ...]:
    return inputs_of(store, current(store)).connectors["airbyte/source-a"].warnings
