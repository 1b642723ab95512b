from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.registry.metadata.findings import errors
from python.registry.service.layout import At
from python.registry.service.packaging import PackageError
from python.registry.service.uploading import Outcome, Uploaded
from python.registry.service.writing import ImmutableError
from python.registry.service.yanking import Yank, yank
from python.registry.store.memory import MemoryStore
from tests.registry.metadata.metadata_files import changed
from tests.registry.service.folders import CATALOG, REPOSITORY, SPEC, breaking, candidate, clock, connector, uploaded
from tests.registry.stores import CrashError, FailingStore, RecordingStore, contents

NARROWED = {"connectionSpecification": {"type": "object", "properties": {"key": {"type": "integer"}}}}


def rules(done: Uploaded) -> set[str]:
    return {each.rule for each in errors(done.findings)}


def latest(store: MemoryStore) -> str:
    data = store.get(f"metadata/{REPOSITORY}/latest/metadata.yaml").data
    return str(yaml.safe_load(data)["data"]["dockerImageTag"])


def test_a_version_and_what_is_beside_it_are_uploaded_together(tmp_path: Path) -> None:
    store = MemoryStore()
    folder = connector(tmp_path / "c")
    (folder / "manifest.yaml").write_text("type: DeclarativeSource\n")
    (folder / "components.py").write_text("class A: ...\n")

    done = uploaded(store, folder)

    names = {path.rpartition("/")[2] for path in contents(store, f"metadata/{REPOSITORY}/1.4.0/")}
    assert done.outcome is Outcome.UPLOADED
    assert names == {
        *("metadata.yaml", "files.json", "doc.md", "icon.svg", "spec.json", "catalog.json"),
        *("manifest.yaml", "components.zip", "components.zip.sha256"),
    }
    copies = {path.rpartition("/")[2] for path in contents(store, f"metadata/{REPOSITORY}/latest/")}
    assert copies == names - {"files.json"}


def test_the_same_folder_again_is_nothing_to_do(tmp_path: Path) -> None:
    store = RecordingStore(MemoryStore())
    folder = connector(tmp_path / "c")
    (folder / "components.py").write_text("class A: ...\n")
    uploaded(store, folder)
    store.written.clear()

    assert uploaded(store, folder).outcome is Outcome.THERE
    assert store.written == []


def test_a_version_with_other_files_is_refused(tmp_path: Path) -> None:
    store = MemoryStore()
    folder = connector(tmp_path / "c")
    uploaded(store, folder)
    (folder / "README.md").write_text("# Something else\n")

    with pytest.raises(ImmutableError, match=r"other files \(doc.md\)"):
        uploaded(store, folder)


def test_what_is_wrong_uploads_nothing_and_is_told_with_its_line(tmp_path: Path) -> None:
    store = MemoryStore()
    folder = connector(tmp_path / "c", "1.4")
    (folder / "README.md").unlink()

    done = uploaded(store, folder)

    assert (done.outcome, contents(store)) == (Outcome.INVALID, {})
    assert {each.rule: each.line for each in errors(done.findings)} == {"semantic-version": 8, "documentation": 10}


def rekeyed(catalog: Any) -> Any:
    catalog["streams"][0]["source_defined_primary_key"] = [["at"]]
    return catalog


def without_mode(catalog: Any) -> Any:
    catalog["streams"][0]["supported_sync_modes"] = ["full_refresh"]
    return catalog


def renamed(catalog: Any) -> Any:
    catalog["streams"][0]["name"] = "now"
    return catalog


BREAKS = [
    {"spec": NARROWED},
    *({"catalog": change(copy.deepcopy(CATALOG))} for change in (rekeyed, without_mode, renamed)),
]


@pytest.mark.parametrize("files", BREAKS)
def test_what_breaks_without_being_told_is_refused_with_what_was_found(tmp_path: Path, files: Any) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))
    before = contents(store)

    done = uploaded(store, connector(tmp_path / "new", "1.5.0", **files))

    assert (done.outcome, rules(done)) == (Outcome.BREAKING, {"breaking-change"})
    assert "Make it 2.0.0, with releases.breakingChanges.2.0.0" in done.findings[-1].fix
    assert contents(store) == before


@pytest.mark.parametrize("files", BREAKS)
def test_what_breaks_and_is_told_is_uploaded(tmp_path: Path, files: Any) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))

    done = uploaded(store, connector(tmp_path / "new", "2.0.0", breaking("2.0.0"), **files))

    assert done.outcome is Outcome.UPLOADED
    assert latest(store) == "2.0.0"


def test_an_entry_without_a_major_version_is_not_enough(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))

    done = uploaded(store, connector(tmp_path / "new", "1.5.0", breaking("1.5.0"), spec=NARROWED))

    assert done.outcome is Outcome.BREAKING


def test_before_version_one_the_second_number_tells_what_breaks(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old", "0.4.0"))

    done = uploaded(store, connector(tmp_path / "new", "0.5.0", breaking("0.5.0"), spec=NARROWED))

    assert done.outcome is Outcome.UPLOADED


def test_the_version_before_is_the_newest_release_below(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old", "1.4.0"))
    uploaded(store, connector(tmp_path / "new", "2.0.0", breaking("2.0.0"), spec=NARROWED))

    assert uploaded(store, connector(tmp_path / "mended", "1.4.1")).outcome is Outcome.UPLOADED
    assert latest(store) == "2.0.0"


def test_a_version_that_lost_its_spec_is_refused(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))

    done = uploaded(store, connector(tmp_path / "new", "1.5.0", spec=None))

    assert rules(done) == {"compatibility-lost"}


def test_the_first_version_breaks_nothing(tmp_path: Path) -> None:
    assert uploaded(MemoryStore(), connector(tmp_path / "c", spec=None)).outcome is Outcome.UPLOADED


def test_a_build_for_trying_out_is_no_release_and_may_break(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))

    done = uploaded(store, connector(tmp_path / "new", "1.5.0", spec=NARROWED), prerelease="1.5.0-preview.g820ce48")

    assert (done.outcome, latest(store)) == (Outcome.UPLOADED, "1.4.0")
    assert f"metadata/{REPOSITORY}/1.5.0-preview.g820ce48/metadata.yaml" in contents(store)


def test_a_candidate_is_copied_to_its_place_and_never_latest(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))
    uploaded(store, candidate(tmp_path / "new", "1.5.0-rc.1"))

    assert latest(store) == "1.4.0"
    copied = contents(store, f"metadata/{REPOSITORY}/release_candidate/")
    assert [path.rpartition("/")[2] for path in copied] == ["metadata.yaml"]


def test_a_crash_at_any_write_is_healed_by_doing_it_again(tmp_path: Path) -> None:
    folder = connector(tmp_path / "c")
    healthy = RecordingStore(MemoryStore())
    uploaded(healthy, folder)
    for writes in range(len(healthy.written)):
        store = MemoryStore()
        with pytest.raises(CrashError):
            uploaded(FailingStore(store, writes), folder)

        assert uploaded(store, folder).outcome is Outcome.UPLOADED
        assert contents(store) == contents(healthy)


def test_specs_of_both_kinds_are_understood(tmp_path: Path) -> None:
    assert {*SPEC} == {"connectionSpecification"}
    store = MemoryStore()
    folder = connector(tmp_path / "c", spec=None, catalog=None)
    snapshots = folder / "tests" / "snapshots"
    snapshots.mkdir(parents=True)
    flows = (
        '{"protocol": 3032023, "configSchema": {"type": "object"}, "resourceConfigSchema": {}, "documentationUrl": ""}'
    )
    (snapshots / "spec.json").write_text(f"[{flows}]")

    assert uploaded(store, folder).outcome is Outcome.UPLOADED
    assert b'"connectionSpecification"' in store.get(f"metadata/{REPOSITORY}/1.4.0/spec.json").data


def test_what_the_rules_find_is_told_beside_what_the_models_refuse(tmp_path: Path) -> None:
    text = changed("data.tags", ["language"], changed("data.license", 1).decode())
    folder = connector(tmp_path / "c", "1.4", text)
    (folder / "README.md").unlink()
    (folder / "icon.svg").write_text("<svg onload='x'/>")

    assert rules(uploaded(MemoryStore(), folder)) == {
        *("type", "semantic-version", "tag-form", "language-tag", "documentation", "icon-safe")
    }


def committed(folder: Path, message: str) -> None:
    author = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    committer = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--allow-empty", "-m", message]):
        subprocess.run(["git", *command], cwd=folder, env={**os.environ, **author, **committer}, check=True)


def test_a_version_whose_file_was_committed_after_it_was_uploaded_is_there_already(tmp_path: Path) -> None:
    store = MemoryStore()
    folder = connector(tmp_path / "c")
    uploaded(store, folder)
    held = contents(store)

    committed(folder, "Release it")

    assert uploaded(store, folder).outcome is Outcome.THERE
    assert contents(store) == held


def test_a_link_that_leads_elsewhere_is_not_uploaded(tmp_path: Path) -> None:
    folder = connector(tmp_path / "c")
    (tmp_path / "secret").write_text("<svg/>")
    for name in ("icon.svg", "README.md", "components.py"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(tmp_path / "secret")

        with pytest.raises(PackageError, match=f"{name} is a link that leads out of its folder"):
            uploaded(MemoryStore(), folder)
        (folder / name).unlink()


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    folder = connector(tmp_path / "c")
    (folder / "metadata.yaml").unlink()
    (folder / "metadata.yaml").symlink_to("/dev/zero")

    with pytest.raises(PackageError, match="is too large"):
        uploaded(MemoryStore(), folder)


def test_uploading_what_was_taken_back_says_so(tmp_path: Path) -> None:
    store = MemoryStore()
    folder = connector(tmp_path / "c")
    uploaded(store, folder)
    yank(store, At(REPOSITORY, "1.4.0"), Yank(reason="it lost rows", by="me", at=clock()))

    done = uploaded(store, folder)

    assert (done.outcome, [each.rule for each in done.findings]) == (Outcome.THERE, ["yanked"])


@pytest.mark.parametrize("tag", ["1.4.1", "1.4.1-rc.1", "1.4.1-a+b", "1.4.1-" + "a" * 200, "../x"])
def test_what_is_no_tag_for_trying_out_is_refused(tag: str, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="is no pre-release"):
        uploaded(MemoryStore(), connector(tmp_path / "c"), prerelease=tag)


def test_what_breaks_in_the_clouds_spec_alone_is_refused(tmp_path: Path) -> None:
    store = MemoryStore()
    old, new = connector(tmp_path / "old"), connector(tmp_path / "new", "1.5.0")
    (old / "spec.cloud.json").write_text(json.dumps(SPEC))
    (new / "spec.cloud.json").write_text(json.dumps(NARROWED))
    uploaded(store, old)

    done = uploaded(store, new)

    assert done.outcome is Outcome.BREAKING
    assert [each.message.startswith("in the cloud: ") for each in errors(done.findings)] == [True, False]


@pytest.mark.parametrize(
    ("at", "value"),
    [("definitionId", "0f0c3a5e-0000-4000-8000-000000000002"), ("connectorType", "destination")],
)
def test_a_version_that_is_another_connector_is_refused(at: str, value: str, tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))
    other = connector(tmp_path / "new", "1.5.0", changed(f"data.{at}", value))

    done = uploaded(store, other)

    (finding,) = errors(done.findings)
    assert (done.outcome, finding.rule, finding.pointer) == (Outcome.INVALID, "another-connector", f"/data/{at}")


def test_the_case_of_an_id_makes_no_other_connector(tmp_path: Path) -> None:
    store = MemoryStore()
    uploaded(store, connector(tmp_path / "old"))
    same = changed("data.definitionId", "0F0C3A5E-0000-4000-8000-000000000001")

    assert uploaded(store, connector(tmp_path / "new", "1.5.0", same)).outcome is Outcome.UPLOADED
