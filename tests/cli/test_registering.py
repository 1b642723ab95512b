"""`headwater registry …`: what it prints, and its exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python.cli.commands import headwater
from python.registry.generation import publication
from python.registry.store import StoreError
from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import put, spec, versions


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path / "bucket")
    put(made, "a")
    return made


def called(store: FolderStore, verb: str, *arguments: str) -> Result:
    return CliRunner().invoke(headwater, ["registry", verb, store.address, *arguments])


def test_generate_tells_what_was_published_and_then_that_nothing_changed(store: FolderStore) -> None:
    first, second = called(store, "generate"), called(store, "generate")

    assert first.output.startswith("airbyte/source-a added: 1.0.0\npublished snapshot ")
    assert second.output.startswith("nothing has changed: snapshot ")
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_a_quarantined_connector_is_told_each_time_and_makes_the_exit_status_1(store: FolderStore) -> None:
    called(store, "generate")
    store.put(put(store, "a", "1.1.0"), b"nonsense")

    first, second = called(store, "generate"), called(store, "generate")

    assert first.output.startswith("airbyte/source-a quarantined: metadata/airbyte/source-a/1.1.0/metadata.yaml")
    assert second.output.startswith("airbyte/source-a still quarantined: ")
    assert (first.exit_code, second.exit_code) == (1, 1)


def test_a_dry_run_writes_nothing(store: FolderStore) -> None:
    told = called(store, "generate", "--dry-run", "--json")

    assert json.loads(told.output)["changes"][0]["repository"] == "airbyte/source-a"
    assert not list(store.list("registries/"))


def test_rollback_holds_resume_ends_it_and_snapshots_tells(store: FolderStore) -> None:
    called(store, "generate")
    put(store, "a", "1.1.0")
    called(store, "generate")

    back = called(store, "rollback", "--reason", "1.1.0 is wrong")
    put(store, "b")
    held = called(store, "generate")
    told = called(store, "snapshots")

    assert (back.exit_code, held.exit_code) == (0, 2)
    assert "1.1.0 is wrong" in held.stderr
    assert [line[:2] for line in told.output.splitlines()] == ["* ", "  ", "he"], "the newest last"
    assert "held by a rollback" in told.output
    assert versions(store) == {"a": "1.0.0"}
    assert called(store, "resume").output.startswith("nothing is held any more")
    assert called(store, "generate").exit_code == 0
    assert versions(store) == {"a": "1.1.0", "b": "1.0.0"}


def test_diff_tells_what_breaks(store: FolderStore) -> None:
    called(store, "generate")
    required = spec()
    required["connectionSpecification"]["required"] = ["token"]
    put(store, "a", "1.1.0", required)
    called(store, "generate", "--allow-breaking")

    told = called(store, "diff")

    assert (
        "airbyte/source-a changed: 1.0.0 → 1.1.0 (major)\n  breaking: version 1.1.0 breaks configs of 1.0.0"
        in told.output
    )
    assert told.exit_code == 1
    assert json.loads(called(store, "diff", "--json").output)["changes"][0]["new"] == "1.1.0"


def test_diff_tells_what_breaks_and_was_announced(store: FolderStore) -> None:
    called(store, "generate")
    required = spec()
    required["connectionSpecification"]["required"] = ["token"]
    change = {"2.0.0": {"message": "give a token", "upgradeDeadline": "2026-09-01"}}
    put(store, "a", "2.0.0", required, releases={"breakingChanges": change})
    called(store, "generate")

    assert "1.0.0 → 2.0.0 (major)\n  breaking, and announced or taken back: /token" in called(store, "diff").output


def test_snapshots_are_listed_although_the_pointer_and_a_manifest_are_broken(store: FolderStore) -> None:
    called(store, "generate")
    (first,) = (each.path.split("/")[2] for each in store.list("registries/snapshots/") if "manifest" in each.path)
    put(store, "b")
    called(store, "generate")
    store.put(f"registries/snapshots/{first}/manifest.json", b"nonsense")
    store.put("registries/current.json", b"nonsense")

    told = called(store, "snapshots")

    assert [line[:2] for line in told.output.splitlines()] == ["re", "! ", "  "]
    assert told.exit_code == 0


def test_a_dry_run_tells_of_a_rollback_that_holds(store: FolderStore) -> None:
    called(store, "generate")
    put(store, "a", "1.1.0")
    called(store, "generate")
    called(store, "rollback", "--reason", "1.1.0 is wrong")

    told = called(store, "generate", "--dry-run")

    assert "blocked by a rollback to" in told.output
    assert "changes would not be published" in told.output
    assert told.exit_code == 1


def test_a_folder_without_connectors_is_told(tmp_path: Path) -> None:
    told = called(FolderStore(tmp_path), "generate")

    assert "has no connectors: want metadata/<dockerRepository>/<version>/metadata.yaml" in told.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--base-url", "files"], "headwater: --base-url files is no address"),
        (["--keep", "0"], "Invalid value for '--keep'"),
    ],
)
def test_wrong_options_are_told(store: FolderStore, arguments: list[str], told: str) -> None:
    found = called(store, "generate", *arguments)

    assert told in found.stderr
    assert found.exit_code == 2
    assert not list(store.list("registries/"))


def test_what_was_published_is_told_although_old_snapshots_cannot_be_deleted(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise StoreError("you must not delete here")

    monkeypatch.setattr(publication, "prune", failing)

    told = called(store, "generate")

    assert told.output.splitlines()[-1] == "old snapshots cannot be deleted: you must not delete here"
    assert told.exit_code == 0


def test_a_file_is_no_bucket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    told = called(FolderStore(tmp_path / "file"), "generate")

    assert told.stderr.endswith("file is a file, want a folder\n")


def test_a_bucket_without_a_name_is_refused() -> None:
    told = CliRunner().invoke(headwater, ["registry", "generate", ""])

    assert told.stderr.startswith("headwater: the bucket has no name")
    assert told.exit_code == 2


def test_verify_tells_what_was_changed(store: FolderStore) -> None:
    called(store, "generate")
    assert called(store, "verify").exit_code == 0
    store.put("registries/v0/oss_registry.json", b"{}")

    told = called(store, "verify")

    assert (told.exit_code, "registries/v0/oss_registry.json is not that of snapshot" in told.output) == (1, True)


def test_explain_tells_where_an_entry_comes_from(store: FolderStore) -> None:
    override = {"enabled": True, "dockerImageTag": "0.9.0"}
    put(store, "a", "1.1.0", registryOverrides={"oss": override})
    store.put("specs/airbyte/source-a/0.9.0/spec.json", json.dumps(spec()).encode())
    called(store, "generate")

    told = called(store, "explain", "airbyte/source-a").output

    assert "latest version: 1.1.0" in told
    assert "oss: airbyte/source-a:0.9.0, by an override of airbyte/source-a:1.1.0" in told
    assert '  dockerImageTag: "0.9.0", in place of "1.1.0"' in told
    assert "warning: oss is pinned to 0.9.0 by an override, so 1.1.0 does not get there" in told
    assert "cloud: left out" in told
    assert json.loads(called(store, "explain", "airbyte/source-a", "--entry", "oss").output)["name"] == "A"


def test_reports_are_printed_or_written(store: FolderStore, tmp_path: Path) -> None:
    called(store, "generate")
    page = tmp_path / "page"

    assert called(store, "report").output.startswith("# Connector registry: 1 in oss, 1 in cloud")
    assert called(store, "report", "--format", "page", "--output", str(page)).exit_code == 0
    assert (page / "connectors" / "airbyte~source-a.html").exists()
    called(store, "report", "--output", str(tmp_path / "report.md"))
    assert (tmp_path / "report.md").read_text().startswith("# Connector registry")


@pytest.mark.parametrize(
    ("verb", "arguments", "message"),
    [
        ("report", (), "nothing was ever published in"),
        ("report", ("--format", "page"), "give a folder or bucket for them with --output"),
        ("rollback", ("--reason", "x"), "nothing was ever published here"),
        ("diff", (), "nothing was ever published in"),
        ("explain", ("source-a",), "is no connector of"),
        ("generate", ("--sign-key", "nowhere.pem"), "nowhere.pem cannot be read: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_status_2(
    store: FolderStore, verb: str, arguments: tuple[str, ...], message: str
) -> None:
    told = called(store, verb, *arguments)

    assert (told.exit_code, message in told.stderr) == (2, True)


def test_a_bucket_that_is_no_folder_is_told(tmp_path: Path) -> None:
    told = CliRunner().invoke(headwater, ["registry", "generate", str(tmp_path / "nowhere")])

    assert (told.exit_code, "there is no folder" in told.stderr) == (2, True)
