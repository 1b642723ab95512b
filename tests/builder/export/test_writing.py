from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from python.builder.export.order import ExportError, Form, Order
from python.builder.export.writing import Written, written
from tests.builder.export.made import MANIFEST, order, with_stream


def git(folder: Path, *arguments: str) -> None:
    own = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, env=own)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-m", "x")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    return tmp_path


def export(home: Path, ordered: Order | None = None, *, force: bool = False) -> Written:
    return written(ordered or order(), home / "source-shop", force=force)


def tree(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: content for name, content in found.items() if not name.startswith(".git/")}


def test_a_new_folder_has_all_files_and_nothing_is_beside_it(home: Path) -> None:
    done = export(home)

    assert sorted(path.name for path in home.iterdir()) == [".git", "source-shop"]
    assert {*tree(home / "source-shop")} == {*done.added}
    assert (done.changed, done.removed) == ((), ())


def test_the_same_export_again_changes_nothing(home: Path) -> None:
    export(home)
    before = tree(home)
    done = export(home)

    assert tree(home) == before
    assert (done.added, done.changed, done.removed) == ((), (), ())
    assert not done.draft.revision.new


def test_the_next_version_replaces_what_is_made_and_keeps_what_people_wrote(home: Path) -> None:
    export(home)
    folder = home / "source-shop"
    (folder / "README.md").write_text("mine")
    (folder / "unit_tests").mkdir()
    (folder / "unit_tests" / "test_it.py").write_text("mine")
    commit(home)
    done = export(home, order(with_stream("items")))

    assert done.changed == ("CHANGELOG.md", "VERSION", "docs/shop.md", "manifest.yaml", "metadata.yaml")
    assert (folder / "README.md").read_text() == "mine"
    assert (folder / "unit_tests" / "test_it.py").read_text() == "mine"
    assert (folder / "VERSION").read_text() == "0.0.2\n"


@pytest.fixture
def old(home: Path) -> Path:
    """A connector in the layout of old: a package with a spec file and schemas."""
    folder = home / "source-shop"
    package = folder / "source_shop"
    files = {
        "main.py": "",
        "setup.py": "",
        "Dockerfile": "",
        "unit_tests/test_source.py": "",
        "integration_tests/acceptance.py": "",
        "source_shop/__init__.py": "",
        "source_shop/source.py": "",
        "source_shop/helpers.py": "",
        "source_shop/spec.yaml": yaml.safe_dump(
            {"connectionSpecification": yaml.safe_load(MANIFEST)["spec"]["connection_specification"]}
        ),
        "source_shop/schemas/orders.json": '{"type": "object", "properties": {"id": {"$ref": "shared/id.json"}}}',
        "source_shop/schemas/shared/id.json": '{"type": "integer"}',
        "source_shop/manifest.yaml": re.sub(
            r"    schema_loader:\n(?:      .*\n)+", "", MANIFEST[: MANIFEST.index("metadata:")]
        ),
        "metadata.yaml": "data:\n  dockerImageTag: 1.4.0\n  allowedHosts: {hosts: []}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert package.is_dir()
    commit(home)
    return folder


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        (Form.HEADWATER, set()),
        (Form.MANIFEST_ONLY, set()),
        (Form.PYTHON, {"main.py", "source_shop/__init__.py", "source_shop/source.py", "source_shop/run.py"}),
    ],
    ids=lambda each: each.value if isinstance(each, Form) else "",
)
def test_of_an_older_layout_goes_what_the_guide_says(form: Form, kept: set[str], home: Path, old: Path) -> None:
    done = export(home, order(form=form))
    left = {name for name in tree(old) if name.endswith(".py")}

    assert left == {"unit_tests/test_source.py", "integration_tests/acceptance.py", *kept}
    assert not [name for name in tree(old) if "schemas" in name or name.endswith("spec.yaml")]
    assert not (old / "source_shop" / "schemas").exists()
    assert "source_shop/helpers.py" in done.removed
    assert yaml.safe_load((old / "metadata.yaml").read_text())["data"]["dockerImageTag"] == "1.5.0"


def test_what_broke_since_the_older_layout_is_found_through_its_schema_files(home: Path, old: Path) -> None:
    done = export(home, order(MANIFEST.replace("id: {type: integer}", "id: {type: string}")))

    assert done.draft.revision.tag == "2.0.0"
    assert len(done.draft.revision.breaking) == 1
    assert "`/id`" in done.draft.revision.breaking[0]


@pytest.mark.parametrize("name", ["source_shop/source.py", "source_shop/new.py", "metadata.yaml"])
def test_edits_that_git_does_not_have_are_not_lost(name: str, home: Path, old: Path) -> None:
    path = old / name
    path.write_text((path.read_text() if path.exists() else "") + "# an edit\n")
    before = tree(home)

    with pytest.raises(
        ExportError, match=rf"{name} would be replaced or removed, and git does not have .* say --force"
    ):
        export(home)
    assert tree(home) == before
    export(home, force=True)
    assert not (old / "source_shop").exists()


def test_where_there_is_no_git_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    written(order(), tmp_path / "source-shop")

    with pytest.raises(ExportError, match=r"manifest\.yaml"):
        written(order(with_stream("items")), tmp_path / "source-shop")


def test_what_is_ignored_and_the_environment_stay(home: Path, old: Path) -> None:
    (old / ".gitignore").write_text("secrets\n.venv\n")
    commit(home)
    for name in ("secrets", ".venv"):
        (old / name).mkdir()
        (old / name / "config.json").write_text("{}")
    export(home)

    assert (old / "secrets" / "config.json").is_file()
    assert (old / ".venv" / "config.json").is_file()


@contextlib.contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, call: int) -> Iterator[None]:
    """Within, the rename number `call` fails, as on a full disk."""
    calls = iter(range(100))
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if next(calls) == call:
            raise OSError(28, "No space left on device", str(self))
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        yield


@pytest.mark.parametrize("call", [0, 1])
def test_where_a_folder_cannot_be_put_in_place_the_old_one_is(
    call: int, home: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(home)

    with failing(monkeypatch, call), pytest.raises(ExportError, match="cannot be written: No space left on device"):
        export(home)
    assert tree(home) == before


def test_what_a_killed_export_left_is_put_right_by_the_next_one(home: Path, old: Path) -> None:
    old.rename(home / ".source-shop.old")
    (home / ".source-shop.new").mkdir()
    (home / ".source-shop.new" / "half").touch()
    done = export(home)

    assert done.draft.revision.tag == "1.5.0"
    assert sorted(path.name for path in home.iterdir()) == [".git", "source-shop"]
    assert not (old / "half").exists()


def test_in_a_checkout_of_airbyte_the_page_is_where_all_pages_are(home: Path) -> None:
    connectors, pages = home / "airbyte-integrations" / "connectors", home / "docs" / "integrations" / "sources"
    connectors.mkdir(parents=True)
    pages.mkdir(parents=True)
    folder = connectors / "source-shop"
    written(order(form=Form.MANIFEST_ONLY), folder)
    commit(home)
    written(order(with_stream("items"), form=Form.MANIFEST_ONLY), folder)

    assert not (folder / "docs").exists()
    assert (pages / "shop.md").read_text().count("| 0.0.") == 2


@pytest.mark.parametrize("link", [None, "nowhere", "elsewhere"])
def test_what_is_no_folder_of_its_own_is_not_replaced(link: str | None, home: Path) -> None:
    place = home / "source-shop"
    (home / "elsewhere").mkdir()
    place.touch() if link is None else place.symlink_to(link)

    with pytest.raises(ExportError, match="is there, and no folder of its own"):
        export(home)
    assert place.is_file() or place.is_symlink()


def test_a_connector_without_a_manifest_is_not_replaced(home: Path) -> None:
    (home / "source-shop").mkdir()
    (home / "source-shop" / "__main__.py").touch()

    with pytest.raises(ExportError, match=r"has no manifest\.yaml"):
        export(home, force=True)


def test_a_place_with_another_name_or_without_a_parent_is_refused(home: Path) -> None:
    with pytest.raises(ExportError, match="has to be called so"):
        written(order(), home / "shop")
    with pytest.raises(ExportError, match="is no folder: make it first"):
        written(order(), home / "none" / "source-shop")


def test_two_exports_do_not_mix(home: Path) -> None:
    held = os.open(home, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ExportError, match="another export"):
        export(home)
    os.close(held)
    export(home)
