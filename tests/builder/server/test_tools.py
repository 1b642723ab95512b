from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.cli.manifesting import Import, checked, linted, taken_in
from tests.builder.server.served import Client

MANIFESTS = Path(__file__).parent.parent.parent / "manifests"
WRONG = MANIFESTS / "pages" / "manifest.yaml"


def test_lint_says_what_the_command_says(client: Client) -> None:
    text = WRONG.read_text(encoding="utf-8").replace("HttpRequester", "HttpRequestor")
    path = client.post("/v1/builder/lint", {"manifest": text}).body
    beside = WRONG.parent.parent / "pages"

    assert path["findings"][0]["nearest"] == "HttpRequester"
    assert beside.is_dir()


@pytest.mark.parametrize("name", ["pages", "cursor", "substreams", "custom", "dynamic"])
def test_lint_and_check_are_the_commands_over_http(client: Client, tmp_path: Path, name: str) -> None:
    source = tmp_path / "manifest.yaml"
    source.write_text((MANIFESTS / name / "manifest.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    lint = json.loads(linted(source, None, strict=False, as_json=True)[0])
    check = json.loads(checked(source, None, as_json=True)[0])
    ask = {"manifest": source.read_text(encoding="utf-8")}

    told = client.post("/v1/builder/lint", ask).body
    assert told == {**lint, "file": "manifest.yaml"}
    reported = client.post("/v1/builder/check", ask).body
    assert reported["features"] == check["features"]


def test_import_is_the_command_over_http(client: Client, tmp_path: Path) -> None:
    files = {
        "manifest.yaml": "version: 6.0.0\ntype: DeclarativeSource\ncheck: {type: CheckStream, stream_names: [x]}\n"
        "streams: []\n# kept\n",
        "spec.yaml": "connectionSpecification:\n  type: object\n  properties: {a: {type: string}}\n",
        "components.py": "X = 1\n",
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
            archive.writestr(f"source-x/{name}", text)
    taken_in(Import(source=tmp_path, to=tmp_path / "out" / "manifest.yaml"), as_json=True)
    wanted = (tmp_path / "out" / "manifest.yaml").read_text(encoding="utf-8")

    of_files = client.post("/v1/builder/import", {"files": files}).body
    of_zip = client.post("/v1/builder/import", {"zip": base64.b64encode(held.getvalue()).decode()}).body
    assert (of_files["manifest"], of_zip["manifest"]) == (wanted, wanted)
    assert of_zip["components"] == "X = 1\n"
    assert "# kept" in wanted


def test_nested_config_is_made_flat_with_its_values(client: Client) -> None:
    manifest: dict[str, Any] = yaml.safe_load(WRONG.read_text(encoding="utf-8"))
    manifest["spec"] = {
        "type": "Spec",
        "connection_specification": {
            "type": "object",
            "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
        },
    }
    ask = {"manifest": yaml.safe_dump(manifest), "flatten_config": True, "values": {"a": {"b": "c"}}}

    assert client.post("/v1/builder/import", ask).body["values"] == {"a_b": "c"}


@pytest.mark.parametrize(
    "ask",
    [
        {},
        {"manifest": "a: 1", "files": {}},
        {"zip": "not base64!"},
        {"zip": base64.b64encode(b"no zip").decode()},
        {"files": {"spec.yaml": "a: 1"}},
        {"files": {"../manifest.yaml": "a: 1"}},
        {"manifest": "- 1"},
        {"manifest": "{"},
    ],
)
def test_what_cannot_be_imported_is_refused_in_a_sentence(client: Client, ask: dict[str, Any]) -> None:
    answer = client.post("/v1/builder/import", ask)

    assert answer.status == 400
    assert answer.body["message"]


def test_a_report_needs_a_manifest(client: Client) -> None:
    assert client.post("/v1/builder/check", {"manifest": "- 1"}).status == 400
