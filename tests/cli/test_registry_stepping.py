"""`headwater registry prepare`, `check`, `publish`, `stale`, and `--notify`: what they print, and how they exit."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from python.cli.commands import headwater
from python.registry.generation import publication
from python.registry.store import StoreError
from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import metadata, put, versions
from tests.registry.service.test_notices import chat


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path / "bucket")
    put(made, "a")
    return made


def called(store: FolderStore, verb: str, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(headwater, ["registry", verb, store.address, *arguments], env=environment)


def prepared(store: FolderStore, *arguments: str) -> str:
    return called(store, "prepare", *arguments).stdout.rsplit(maxsplit=1)[-1]


def test_what_was_prepared_can_be_checked_and_published(store: FolderStore) -> None:
    told = called(store, "prepare")
    snapshot = told.stdout.rsplit(maxsplit=1)[-1]
    check = called(store, "check", "--snapshot", snapshot)

    assert told.stdout == f"airbyte/source-a added: 1.0.0\nprepared snapshot {snapshot}\n"
    assert not list(store.list("registries/current.json"))
    assert check.stdout.splitlines()[0] == "schema: passed"
    assert len(check.stdout.splitlines()) == 5

    published = called(store, "publish", "--snapshot", snapshot)

    assert published.stdout == f"published snapshot {snapshot}\n"
    assert versions(store) == {"a": "1.0.0"}
    assert (told.exit_code, check.exit_code, published.exit_code) == (0, 0, 0)


def test_what_was_only_prepared_is_marked_and_not_gone_back_to(store: FolderStore) -> None:
    called(store, "generate")
    put(store, "b")
    snapshot = prepared(store)

    told, back = called(store, "snapshots"), called(store, "rollback", "--to", snapshot, "--reason", "x")

    assert [line.endswith("  prepared, never published") for line in told.stdout.splitlines()] == [False, True]
    assert back.exit_code == 2
    assert f"nobody ever published it: `headwater registry publish {store.address} --snapshot" in back.stderr
    assert versions(store) == {"a": "1.0.0"}


def test_nothing_to_prepare_is_told(store: FolderStore) -> None:
    called(store, "generate")

    assert called(store, "prepare").stdout == "nothing has changed: there is nothing to publish\n"


def test_what_does_not_pass_is_told_and_not_published(store: FolderStore) -> None:
    for name in "bcdefgh":
        put(store, name)
    called(store, "generate")
    for version in list(store.list("metadata/")):
        if "source-a" not in version.path:
            store.delete(version.path)
    snapshot = prepared(store, "--allow-shrink")

    check = called(store, "check", "--snapshot", snapshot)
    refused = called(store, "publish", "--snapshot", snapshot)

    assert "shrink: oss would go from 8 to 1 entries" in check.stdout
    assert check.exit_code == 1
    assert refused.stderr.startswith(f"headwater: snapshot {snapshot} must not be published: shrink: ")
    assert refused.exit_code == 2
    assert called(store, "publish", "--snapshot", snapshot, "--allow-shrink").exit_code == 0


def test_what_was_published_is_told_although_old_snapshots_cannot_be_deleted(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise StoreError("you must not delete here")

    snapshot = prepared(store)
    monkeypatch.setattr(publication, "prune", failing)

    told = called(store, "publish", "--snapshot", snapshot)

    assert told.stdout == f"published snapshot {snapshot}\nold snapshots cannot be deleted: you must not delete here\n"
    assert told.exit_code == 0


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("publish", ("--snapshot", "x", "--keep", "0")),
        ("stale", ("--grace-hours", "nan")),
        ("stale", ("--grace-hours", "-3")),
        ("report", ("--keep", "--output", "x")),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused_before_anything_is_read(
    store: FolderStore, verb: str, arguments: tuple[str, ...]
) -> None:
    told = called(store, verb, *arguments)

    assert told.exit_code == 2
    assert "Error: " in told.stderr


def test_a_snapshot_that_is_not_there_is_told(store: FolderStore) -> None:
    told = called(store, "publish", "--snapshot", "nonsense")

    assert told.stderr.startswith("headwater: there is no snapshot nonsense")
    assert told.exit_code == 2


def test_what_was_never_released_is_told_to_people_too(store: FolderStore, tmp_path: Path) -> None:
    folder = tmp_path / "checkout/source-a"
    folder.mkdir(parents=True)
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata("a", "1.1.0")))

    with chat() as slack:
        options = ("--checkout", str(folder.parent), "--grace-hours", "0", "--notify")
        told = called(store, "stale", *options, SLACK_WEBHOOK_URL=slack.url)

    assert told.stdout.startswith(
        "airbyte/source-a is 1.1.0 in source-a/metadata.yaml, and the latest in the bucket is"
    )
    assert told.exit_code == 1
    assert slack.texts[0].startswith("Metadata that was never released:\nairbyte/source-a is 1.1.0")


def test_a_checkout_that_is_up_to_date_is_well(store: FolderStore, tmp_path: Path) -> None:
    folder = tmp_path / "checkout/source-a"
    folder.mkdir(parents=True)
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata("a", "1.0.0")))

    told = called(store, "stale", "--checkout", str(folder.parent))

    assert told.stdout == f"1 metadata files compared with {store.address}\n"
    assert told.exit_code == 0


@pytest.mark.parametrize(("nonsense", "status"), [("metadata/airbyte/source-b/1.0.0/metadata.yaml", 1), (None, 2)])
def test_generate_tells_people_what_is_wrong(store: FolderStore, nonsense: str | None, status: int) -> None:
    store.put(nonsense or "registries/current.json", b"nonsense")

    with chat() as slack:
        told = called(store, "generate", "--notify", SLACK_WEBHOOK_URL=slack.url)

    assert told.exit_code == status
    assert ("quarantined: " if nonsense else "generate failed: registries/current.json") in slack.texts[0]


def test_generate_tells_people_once_of_a_connector_that_stays_wrong(store: FolderStore) -> None:
    store.put("metadata/airbyte/source-b/1.0.0/metadata.yaml", b"nonsense")

    with chat() as slack:
        told = [called(store, "generate", "--notify", SLACK_WEBHOOK_URL=slack.url) for _ in range(2)]

    assert [each.exit_code for each in told] == [1, 1]
    assert len(slack.texts) == 1


def test_generate_tells_people_nothing_if_all_is_well(store: FolderStore) -> None:
    with chat() as slack:
        told = called(store, "generate", "--notify", SLACK_WEBHOOK_URL=slack.url)

    assert told.exit_code == 0
    assert slack.texts == []


def test_that_nobody_can_be_told_is_told_beside_the_error(store: FolderStore) -> None:
    store.put("registries/current.json", b"nonsense")

    told = called(store, "generate", "--notify", SLACK_WEBHOOK_URL="", NIGHTLY_REPORT_SLACK_WEBHOOK_URL="")

    first, second = told.stderr.splitlines()
    assert first.startswith("headwater: nobody can be told")
    assert "registries/current.json" in second


def test_reports_are_kept_in_the_bucket(store: FolderStore) -> None:
    called(store, "generate")

    told = called(store, "report", "--keep")

    assert told.stdout.splitlines()[0] == "wrote generated_reports/connector_registry_report.json"
    assert b"airbyte~source-a" in store.get("generated_reports/registry/data.js").data
