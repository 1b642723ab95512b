"""`metadata_service`, as its help says: what it prints, and its exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python.cli.metadata_service_commands import metadata_service
from python.registry.service import uploading
from tests.registry.metadata.metadata_files import RIGHT, changed
from tests.registry.service.folders import breaking, candidate, connector

NAME = "airbyte/source-weather"
NARROWED = {"connectionSpecification": {"type": "object", "properties": {"key": {"type": "integer"}}}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("METADATA_BUCKET", "GCS_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(metadata_service, [str(each) for each in arguments])


def test_validate_says_of_each_file_what_is_wrong() -> None:
    connector(Path("right"))
    connector(Path("wrong"), text=changed("data.name"))

    done = run("validate", "right", "wrong/metadata.yaml")

    assert done.exit_code == 1
    assert done.stdout == "right: valid\n"
    assert done.stderr.splitlines() == [
        "wrong/metadata.yaml:2:1: error: /data/name: name is missing. Write name: what people call it. [missing]",
        "wrong/metadata.yaml: 1 error",
    ]


def test_validate_speaks_json() -> None:
    connector(Path("wrong"), text=changed("data.name"))

    (line,) = run("validate", "wrong", "--json").stdout.splitlines()

    said = json.loads(line)
    assert (said["valid"], said["findings"][0]["pointer"], said["findings"][0]["line"]) == (False, "/data/name", 2)


def test_the_lenient_are_only_warned() -> None:
    connector(Path("c"), text=changed("data.more", 1))

    assert run("validate", "c").exit_code == 1
    assert run("validate", "c", "--lenient").exit_code == 0


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"a: b: c", b"[]"])
def test_nonsense_is_told_in_a_sentence(content: bytes) -> None:
    Path("metadata.yaml").write_bytes(content)

    done = run("validate", "metadata.yaml")

    assert (done.exit_code, done.stderr.startswith("metadata.yaml:")) == (1, True)


def test_a_file_that_is_not_there_is_told() -> None:
    for command in (["validate", "nothing"], ["upload", "nothing", "bucket"], ["upgrade", "nothing"]):
        done = run(*command)

        assert (done.exit_code, "nothing: No such file or directory" in done.stderr) == (1, True)


def test_upload_has_a_status_for_each_outcome() -> None:
    old, new = connector(Path("old")), connector(Path("new"), "1.5.0", spec=NARROWED)
    (other := connector(Path("other"))).joinpath("README.md").write_text("# Other\n")
    mended = connector(Path("mended"), "2.0.0", breaking("2.0.0"), spec=NARROWED)

    statuses = [run("upload", each, "./bucket").exit_code for each in (old, old, other, new, mended)]

    assert statuses == [0, 5, 3, 4, 0]


def test_what_breaks_is_printed() -> None:
    run("upload", connector(Path("old")), "./bucket")

    done = run("upload", connector(Path("new"), "1.5.0", spec=NARROWED), "./bucket")

    assert "new/metadata.yaml:8:3: error: /data/dockerImageTag: config `/key`: `string` → `integer`" in done.stderr
    assert "not uploaded: it breaks what users have, and does not tell" in done.stdout


def test_the_bucket_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    connector(Path("c"))

    assert run("upload", "c").exit_code == 2
    monkeypatch.setenv("METADATA_BUCKET", "./bucket")
    assert run("upload", "c").exit_code == 0
    assert run("yank", NAME, "1.4.0", "--reason", "x").exit_code == 0


def test_the_page_may_be_given_before_the_bucket_as_airbyte_has_it() -> None:
    connector(Path("c")).joinpath("README.md").unlink()
    page = Path("docs/integrations/sources/weather.md")
    page.parent.mkdir(parents=True)
    page.write_text("# Weather\n")

    assert run("upload", "c/metadata.yaml", "docs", "./bucket").exit_code == 0
    assert Path(f"bucket/metadata/{NAME}/1.4.0/doc.md").read_text() == "# Weather\n"
    assert run("upload", "c/metadata.yaml", page, "./bucket").exit_code == 5


def test_a_bucket_that_cannot_be_reached_has_a_status_of_its_own() -> None:
    connector(Path("c"))
    Path("file").write_text("")

    assert run("upload", "c", "./file").exit_code == 6
    assert run("upload", "c", "azure://x").exit_code == 6


def test_credentials_may_be_in_a_file() -> None:
    connector(Path("c"))
    Path("key.json").write_text("{}")

    done = run("upload", "c", "gs://bucket", "-sa", "key.json")

    assert (done.exit_code, "GCS_CREDENTIALS is not the JSON" in done.stderr) == (6, True)


@pytest.mark.parametrize("name", ["promote", "promote_release_candidate", "promote-release-candidate"])
def test_commands_are_known_by_airbytes_names_with_underscores_or_dashes(name: str) -> None:
    run("upload", candidate(Path("c"), "1.5.0-rc.1"), "./bucket")

    assert run(name, NAME, "1.5.0-rc.1", "./bucket").exit_code == 0
    assert run(name, NAME, "1.5.0-rc.1", "./bucket").exit_code == 5
    assert run(name, NAME, "1.5.0-rc.2", "./bucket").exit_code == 1


def test_promote_tells_of_registries_that_stay_pinned_below_the_release() -> None:
    folder = candidate(Path("c"), "1.5.0-rc.1")
    pinned = changed("data.registryOverrides.oss.dockerImageTag", "1.4.0", (folder / "metadata.yaml").read_text())
    (folder / "metadata.yaml").write_bytes(pinned)
    run("upload", folder, "./bucket")

    done = run("promote", NAME, "1.5.0-rc.1", "./bucket")

    assert done.exit_code == 0
    assert f"{NAME}:1.5.0: warning: /data/registryOverrides/oss/dockerImageTag: oss is pinned to 1.4.0" in done.stderr


def test_rollback_yank_and_unyank() -> None:
    run("upload", candidate(Path("c"), "1.5.0-rc.1"), "./bucket")

    assert run("rollback", NAME, "1.5.0-rc.1", "./bucket").exit_code == 0
    assert run("rollback", NAME, "1.5.0-rc.1", "./bucket").exit_code == 5
    assert run("unyank", NAME, "1.5.0-rc.1", "./bucket").exit_code == 0
    assert run("unyank", NAME, "1.5.0-rc.1", "./bucket").exit_code == 5
    assert run("yank", NAME, "1.5.0-rc.1", "./bucket").exit_code == 2  # a reason is wanted
    assert run("yank", NAME, "9.0.0", "./bucket", "--reason", "x").exit_code == 1


def test_diff_tells_what_differs_between_a_version_and_a_file() -> None:
    run("upload", connector(Path("old")), "./bucket")
    connector(Path("new"), "1.5.0", spec=NARROWED)

    done = run("diff", f"{NAME}:1.4.0", "new", "./bucket")

    assert done.stdout.splitlines()[0] == '/data/dockerImageTag: "1.4.0" → "1.5.0"'
    assert "major  config-type-changed" in done.stdout
    said = json.loads(run("diff", f"{NAME}:1.4.0", "new", "./bucket", "--json").stdout)
    assert said["metadata"] == [{"pointer": "/data/dockerImageTag", "old": "1.4.0", "new": "1.5.0"}]


def test_diff_with_a_version_that_is_not_there() -> None:
    connector(Path("c"))

    assert run("diff", f"{NAME}:1.4.0", "c", "./bucket").exit_code == 1


def test_upgrade_writes_the_old_form_anew() -> None:
    Path("old.yaml").write_text(RIGHT.replace("registryOverrides", "registries"))
    Path("new.yaml").write_text(RIGHT)

    assert run("upgrade", "old.yaml", "new.yaml").exit_code == 0
    assert Path("old.yaml").read_text() == RIGHT
    assert run("upgrade", "old.yaml", "new.yaml").exit_code == 5


def test_a_pre_release_is_uploaded_under_its_tag() -> None:
    connector(Path("c"))

    assert run("upload", "c", "./bucket", "--prerelease", "1.4.1-preview.g1").exit_code == 0
    assert run("upload", "c", "./bucket", "--prerelease", "dev").exit_code == 1
    assert sorted(path.name for path in Path(f"bucket/metadata/{NAME}").iterdir()) == ["1.4.1-preview.g1"]


def test_help_explains_the_statuses() -> None:
    done = run("--help")

    assert "4  something breaks, and breakingChanges does not tell" in done.stdout


def test_json_tells_of_files_that_cannot_be_read_too() -> None:
    connector(Path("right"))

    done = run("validate", "--json", "nothing", "right")

    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.exit_code, [each["valid"] for each in said]) == (1, [False, True])
    assert "No such file or directory" in said[0]["findings"][0]["message"]


@pytest.mark.parametrize("command", [["yank", "--reason", "x"], ["unyank"], ["rollback"], ["promote"]])
@pytest.mark.parametrize(
    ("repository", "version", "told"),
    [
        (NAME, "latest", "latest is no semantic version"),
        ("../x", "1.4.0-rc.1", "is no name of an image"),
        (NAME, "1.4.0-rc.1", f"has no such version; of {NAME} it has 1.4.0"),
        (f"{NAME}s", "1.4.0-rc.1", f"has no such version, and nothing of {NAME}s"),
    ],
)
def test_a_version_that_is_none_is_told_and_nothing_is_done(
    command: list[str], repository: str, version: str, told: str
) -> None:
    run("upload", connector(Path("c")), "./bucket")
    held = sorted(Path("bucket").rglob("*"))

    done = run(*command, repository, version, "./bucket")

    assert (done.exit_code, told in done.stderr) == (1, True)
    assert sorted(Path("bucket").rglob("*")) == held


def test_an_empty_name_of_a_bucket_is_not_the_folder_where_one_is() -> None:
    connector(Path("c"))

    done = run("upload", "c", "")

    assert (done.exit_code, "the bucket is empty" in done.stderr) == (6, True)


def test_a_reason_says_something() -> None:
    run("upload", connector(Path("c")), "./bucket")

    assert run("yank", NAME, "1.4.0", "./bucket", "--reason", " ").exit_code == 2
    assert not list(Path("bucket").rglob("version-yank.yml"))


def test_upgrade_keeps_modes_and_links_and_leaves_nothing_behind() -> None:
    Path("there").mkdir()
    Path("there/old.yaml").write_text(RIGHT.replace("registryOverrides", "registries"))
    Path("there/old.yaml").chmod(0o600)
    Path("link.yaml").symlink_to("there/old.yaml")

    assert run("upgrade", "link.yaml").exit_code == 0
    assert Path("link.yaml").is_symlink()
    assert (Path("there/old.yaml").read_text(), Path("there/old.yaml").stat().st_mode & 0o777) == (RIGHT, 0o600)
    assert [path.name for path in Path("there").iterdir()] == ["old.yaml"]


def test_upgrade_tells_of_what_it_cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    Path("old.yaml").write_text(RIGHT.replace("registryOverrides", "registries"))
    monkeypatch.setattr(Path, "write_bytes", refused)

    done = run("upgrade", "old.yaml")

    assert (done.exit_code, "old.yaml: cannot be written: Read-only file system" in done.stderr) == (1, True)


def test_diff_takes_copies_and_candidates() -> None:
    run("upload", connector(Path("old")), "./bucket")
    run("upload", candidate(Path("new"), "1.5.0-rc.1"), "./bucket")

    assert run("diff", f"{NAME}:latest", f"{NAME}:1.4.0", "./bucket").stdout.startswith("metadata: nothing differs\n")
    assert run("diff", f"{NAME}:latest", f"{NAME}:release_candidate", "./bucket").exit_code == 0


def test_an_interruption_says_that_nothing_is_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uploading, "upload", interrupted)
    done = run("upload", connector(Path("c")), "./bucket")

    assert (done.exit_code, "nothing half done" in done.stderr) == (130, True)


@pytest.mark.parametrize("missing", ["click", "pydantic", "semver"])
def test_tools_that_are_not_installed_are_named(missing: str) -> None:
    code = f"import sys; sys.modules['{missing}'] = None; from python.cli.metadata_service import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "validate", "c"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == (
        f"metadata_service: the tools for registries are not installed ({missing} is missing: "
        "pip install 'headwater[registry]')\n"
    )
