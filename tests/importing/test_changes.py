from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from python.importing.changes import Connector, changed, connectors, touched
from python.importing.repository import GitError, Repository

ROOT = Path(__file__).parent.parent.parent
KNOWN = [
    Connector("derive-d", "derive", "v1", ""),
    Connector("materialize-m", "materialize", "v1", ""),
    Connector("source-airbyte", "capture", "v2", "shim_airbyte_cdk"),
    Connector("source-native", "capture", "v1", ""),
    Connector("source-singer", "capture", "v1", "shim_singer_sdk", ("upstream/tap-x", "source-native/shared")),
]
EVERY = {each.name for each in KNOWN}
CAPTURES = {"source-airbyte", "source-native", "source-singer"}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("source-native/VERSION", {"source-native"}),
        ("source-airbyte/tests/snapshots/spec.json", {"source-airbyte"}),
        ("source-unknown/VERSION", set()),
        ("python/shim_airbyte_cdk/shim.py", {"source-airbyte"}),
        ("python/shim_singer_sdk/pipe.py", {"source-singer"}),
        ("python/shim_common/keys.py", CAPTURES),
        ("python/capture.py", CAPTURES),
        ("python/capture_requests.py", CAPTURES),
        ("python/derive_transforms.py", {"derive-d"}),
        ("python/materialize_loop.py", {"materialize-m"}),
        ("python/materialize_sql/planner.py", {"materialize-m"}),
        ("python/protocol/wire.py", EVERY),
        ("python/Dockerfile", EVERY),
        ("python/shell/README.md", set()),
        ("pyproject.toml", EVERY),
        ("build-local.sh", EVERY),
        (".dockerignore", EVERY),
        ("upstream/tap-x/tap_x/streams.py", {"source-singer"}),
        ("upstream/tap-xy/setup.py", set()),
        ("source-native/shared/code.py", {"source-native", "source-singer"}),
        (".github/workflows/connector.yaml", EVERY),
        (".github/workflows/nightly.yaml", set()),
        ("python/runner/run.py", set()),
        ("python/cli/commands.py", set()),
        ("docs/protocol.md", set()),
        ("tests/test_capture.py", set()),
        ("README.md", set()),
    ],
)
def test_a_change_touches_what_is_made_of_it(path: str, names: set[str]) -> None:
    assert {each.name for each in touched(KNOWN, [path])} == names


def test_connectors_come_in_order_and_once() -> None:
    assert touched(KNOWN, ["source-singer/a", "source-airbyte/a", "source-airbyte/b"]) == [KNOWN[2], KNOWN[4]]


def test_the_repository_s_connectors_are_found_with_what_they_are_made_with() -> None:
    found = {each.name: each for each in connectors(ROOT)}

    assert found["source-faker"] == Connector("source-faker", "capture", "v1", "shim_airbyte_cdk")
    assert found["source-inventory"].shim == "shim_airbyte_cdk"  # a manifest
    assert found["source-classic"].shim == "shim_singer_sdk"
    assert found["materialize-sqlite"].type == "materialize"
    assert found["derive-sales"] == Connector("derive-sales", "derive", "v1", "")


def test_local_packages_are_those_of_the_lock(tmp_path: Path) -> None:
    folder = tmp_path / "source-x"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    sources = [
        'virtual = "."',
        'editable = "../"',
        'editable = "../up/tap"',
        'directory = "inner"',
        'path = "../z.whl"',
    ]
    sources += ['registry = "https://index.example/simple"', 'editable = "../../elsewhere"']
    (folder / "uv.lock").write_text("".join(f"[[package]]\nsource = {{ {each} }}\n" for each in sources))

    (found,) = connectors(tmp_path)

    assert found.packages == ("up/tap", "source-x/inner", "z.whl")


def test_a_change_is_what_differs_from_where_the_branch_began(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    (tmp_path / "first").write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    git("checkout", "-b", "feature")
    (tmp_path / "committed").write_text("1")
    git("add", ".")
    git("commit", "-m", "second")
    (tmp_path / "first").write_text("2")
    (tmp_path / "new and ü").write_text("3")
    git("checkout", "main", "--", ".")
    (tmp_path / "first").write_text("2")

    assert sorted(changed(Repository(tmp_path), "main")) == ["committed", "first", "new and ü"]


def test_a_revision_that_is_none_is_told(tmp_path: Path) -> None:
    subprocess.run(["git", "init"], cwd=tmp_path, check=True, capture_output=True)

    with pytest.raises(GitError, match="nowhere"):
        changed(Repository(tmp_path), "nowhere")
