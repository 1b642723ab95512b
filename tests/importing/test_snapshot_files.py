from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from python.importing.comparing import compare
from python.importing.snapshot_files import SnapshotError, of_file, of_files, of_folder, of_revision, of_value
from python.protocol.flow import UUID_PLACEHOLDER

SPEC = {"configSchema": {"type": "object"}, "protocol": 3032023}
USERS = {"recommendedName": "users", "resourceConfig": {"stream": "users"}, "documentSchema": {}, "key": ["/id"]}


def files(**values: Any) -> dict[str, bytes]:
    return {f"tests/snapshots/test_x/{name}.json": json.dumps(value).encode() for name, value in values.items()}


@pytest.mark.parametrize("spec", [SPEC, {"spec": SPEC}, [SPEC], [{"spec": SPEC}]])
def test_a_spec_is_read_in_every_form(spec: Any) -> None:
    assert of_files("x", files(spec=spec)).spec == SPEC


@pytest.mark.parametrize("found", [[USERS], {"bindings": [USERS]}, {"discovered": {"bindings": [USERS]}}])
def test_bindings_are_read_in_every_form(found: Any) -> None:
    assert of_files("x", files(discover=found)).runs[""].bindings == (USERS,)


@pytest.mark.parametrize(
    ("captured", "name"),
    [
        ([{"id": 1}, {"id": 2}], ""),
        ([["acmeCo/users", {"id": 1}], ["acmeCo/users", {"id": 2}]], "acmeCo/users"),
        ({"acmeCo/users": [{"id": 1}, {"id": 2}]}, "acmeCo/users"),
        ({"acmeCo/users": ['{"id":1}', '{"id":2}']}, "acmeCo/users"),
        ([{"captured": {"doc": {"id": 1}}}, {"captured": {"binding": 0, "doc": {"id": 2}}}], "users"),
    ],
)
def test_documents_are_read_in_every_form(captured: Any, name: str) -> None:
    run = of_files("x", files(discover=[USERS], capture=captured)).runs[""]

    assert run.documents == {name: ({"id": 1}, {"id": 2})}


def test_checkpoints_make_the_state() -> None:
    messages = [
        {"opened": {}},
        {"checkpoint": {"state": {"updated": {"a": 1, "b": {"c": 2}}}}},
        {"checkpoint": {"state": {"updated": {"a": None, "b": {"d": 3}}, "mergePatch": True}}},
        {"checkpoint": {}},
    ]

    assert of_files("x", files(capture=messages)).runs[""].state == {"b": {"c": 2, "d": 3}}
    assert of_files("x", files(capture=[{"id": 1}])).runs[""].state is None


def test_each_config_has_a_run_of_its_own() -> None:
    snapshot = of_files("x", files(spec=SPEC, csv_discover=[USERS], json_lines_discover=[], json_lines_capture=[]))

    assert {name: run.bindings for name, run in snapshot.runs.items()} == {"csv": (USERS,), "json_lines": ()}


@pytest.mark.parametrize(
    "name", ["snapshots__{}__capture.stdout.json", "source_x_tests_test_snapshots__{}__capture.stdout.json"]
)
def test_the_names_of_estuary_s_repository_are_known(name: str) -> None:
    kept = {"spec": [SPEC], "discover": [USERS], "capture": [["acmeCo/users", {"id": 1}]]}
    paths = {f"tests/snapshots/{name.format(kind)}": json.dumps(value).encode() for kind, value in kept.items()}
    snapshot = of_files("x", paths)

    assert snapshot.spec == SPEC
    assert snapshot.runs[""].bindings == (USERS,)
    assert snapshot.runs[""].documents == {"acmeCo/users": ({"id": 1},)}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"tests/snapshots/spec.json": b"{"}, "x: tests/snapshots/spec.json is no JSON"),
        ({"tests/snapshots/spec.json": b"3"}, "x: spec is not what a connector answers: Expected `object`, got `int`"),
        (
            {"tests/snapshots/discover.json": b"[3]"},
            r"x: discover is not what a connector answers: Expected `object`, got `int` - at `\$\[0\]`",
        ),
        ({"tests/snapshots/capture.json": b"3"}, "x: capture has no documents"),
        ({"tests/snapshots/a/spec.json": b"{}", "tests/snapshots/b/spec.json": b'{"a":1}'}, "is another spec snapshot"),
    ],
)
def test_what_cannot_be_read_is_named(given: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(SnapshotError, match=sentence):
        of_files("x", given)


def test_a_file_holds_all_or_one_part(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for value in (SPEC, [SPEC], {"spec": SPEC}):
        path.write_text(json.dumps(value))
        assert of_file(path).spec == SPEC
    for found in ([USERS], {"discovered": {"bindings": [USERS]}}):
        path.write_text(json.dumps(found))
        assert of_file(path).runs[""].bindings == (USERS,)
    path.write_text("{}")
    with pytest.raises(SnapshotError, match="no snapshot: want an object with some of capture, discovered"):
        of_file(path)


def test_a_folder_without_snapshots_has_a_version_at_least(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("v3\n")
    snapshot = of_folder(tmp_path)

    assert (snapshot.version, snapshot.spec, snapshot.runs) == ("v3", None, {})
    assert of_value("x", {"version": "v3", "spec": {}}).version == "v3"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be read: No such file or directory"):
        of_file(tmp_path / "x.json")


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_folder_is_read_as_a_revision_has_it(tmp_path: Path) -> None:
    connector = tmp_path / "all connectors" / "source-x"
    (connector / "tests" / "snapshots").mkdir(parents=True)
    (connector / "VERSION").write_text("v1\n")
    (connector / "tests" / "snapshots" / "spec.json").write_text(json.dumps(SPEC))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    (connector / "VERSION").write_text("v2\n")

    for folder, cwd in (("all connectors/source-x", tmp_path), ("source-x/", tmp_path / "all connectors")):
        snapshot = of_revision("HEAD", folder, cwd)
        assert (snapshot.version, snapshot.spec) == ("v1", SPEC)
    with pytest.raises(SnapshotError, match="HEAD:source-y: the revision has no such folder"):
        of_revision("HEAD", "source-y", tmp_path)
    with pytest.raises(SnapshotError, match="nope:source-x: git ls-tree: fatal"):
        of_revision("nope", "source-x", tmp_path)


def test_what_headwater_snapshot_keeps_of_several_configs_is_a_run_of_each() -> None:
    meta = {"op": "u", "uuid": UUID_PLACEHOLDER}
    kept = {
        "snapshots__spec__capture.stdout.json": [{"protocol": 3032023, "configSchema": {}}],
        "snapshots__a_b_discover__capture.stdout.json": [],
        "snapshots__a_b_capture__capture.stdout.json": [["acmeCo/x", {"n": 1, "_meta": meta}]],
        "snapshots__a_b_state__capture.stdout.json": [{"bindingStateV1": {}}],
    }
    found = of_files("x", {f"tests/snapshots/{name}": json.dumps(value).encode() for name, value in kept.items()})

    assert found.spec == {"protocol": 3032023, "configSchema": {}}
    assert {*found.runs} == {"a_b"}
    assert found.runs["a_b"].documents == {"acmeCo/x": ({"n": 1, "_meta": {"op": "u"}},)}
    assert found.runs["a_b"].state == {"bindingStateV1": {}}


def test_a_value_that_is_not_kept_may_be_of_any_type() -> None:
    sides = [{"documents": {"a": [{"ts": value, "b": {"c": value}}]}} for value in ("redacted", 7)]

    assert compare(*(of_value(f"{side}", side) for side in sides)).differences == ()
