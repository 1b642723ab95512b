from __future__ import annotations

import io
import json
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.builder.server.export_process import Ask, exported
from python.protocol.errors import HeadwaterError
from tests.builder.server.served import Client

TEMPLATE = resources.files("python.builder.server").joinpath("template.yaml").read_text(encoding="utf-8")
CUSTOM = TEMPLATE.replace("type: DpathExtractor, ", "type: CustomRecordExtractor, class_name: os.system, ")


def names(raw: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(raw)).namelist()


@pytest.mark.slow
def test_a_manifest_becomes_a_connectors_folder_with_its_bindings(client: Client) -> None:
    answer = client.post("/v1/builder/export", {"manifest": TEMPLATE, "name": "source-x"})
    spec = yaml.safe_load(zipfile.ZipFile(io.BytesIO(answer.raw)).read("source-x/test.flow.yaml"))

    assert answer.headers["content-type"] == "application/zip"
    assert "source-x.zip" in answer.headers["content-disposition"]
    assert [each["resource"]["stream"] for each in spec["captures"]["acmeCo/source-x"]["bindings"]] == ["items"]


@pytest.mark.slow
def test_what_is_wrong_with_the_manifest_is_told(client: Client) -> None:
    answer = client.post("/v1/builder/export", {"manifest": "version: 6.0.0", "name": "source-x"})

    assert answer.status == 400
    assert "DeclarativeSource needs `check`" in answer.body["message"]


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ({"name": "../etc"}, "no name for a connector"),
        ({"form": "docker"}, "want one of headwater, airbyte-manifest-only"),
        ({"recording": "x"}, "--recordings"),
        ({"deadline": 601}, "exceeds maximum of 600"),
    ],
)
def test_what_cannot_be_ordered_is_refused_at_once(client: Client, member: dict[str, Any], said: str) -> None:
    answer = client.post("/v1/builder/export", {"manifest": TEMPLATE, "name": "source-x", **member})

    assert answer.status == 400
    assert said in answer.body["message"]


@pytest.mark.slow
def test_an_export_keeps_its_deadline(client: Client) -> None:
    ask = {"manifest": TEMPLATE, "name": "source-x", "deadline": 0.05}

    assert client.post("/v1/builder/export", ask).body["details"] == {"kind": "deadline"}


def test_airbytes_layouts_are_made_too() -> None:
    made = exported(Ask(text=CUSTOM, name="source-x", form="airbyte-manifest-only", lint=False))

    assert {"source-x/metadata.yaml", "source-x/manifest.yaml"} <= set(names(made))


@pytest.mark.slow
@pytest.mark.parametrize("allowed", [False, True])
def test_custom_code_is_run_for_an_export_only_where_it_is_allowed(tmp_path: Path, allowed: bool) -> None:
    mark = tmp_path / "run"
    code = f"""
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor

open({str(mark)!r}, "w").close()


class Own(DpathExtractor): ...
"""
    own = "source_declarative_manifest.components.Own"
    text = TEMPLATE.replace("type: DpathExtractor, ", f"type: CustomRecordExtractor, class_name: {own}, ")
    ask = Ask(text=text, name="source-x", form="headwater", components=code, allow_custom_code=allowed)
    made = zipfile.ZipFile(io.BytesIO(exported(ask)))

    assert mark.exists() is allowed
    assert (b"bindings: []" in made.read("source-x/test.flow.yaml")) is not allowed


def test_what_an_export_could_not_do_is_told_beside_the_folder() -> None:
    text = CUSTOM.replace("https://api.example.com", "{{ response.next }}")
    old = text.replace("type: DeclarativeSource", "type: DeclarativeSource\nold: {$options: {a: b}}")
    archive = zipfile.ZipFile(io.BytesIO(exported(Ask(text=old, name="source-x", form="headwater", lint=False))))
    told = json.loads(archive.read("export.json"))

    place = "/streams/0/retriever/record_selector/extractor"
    assert told["problem"] == f"it has a custom component at {place}, and this server runs no custom code"
    assert told["version"] == "0.0.1"
    assert "*" in told["hosts"]
    assert {
        "kind": "done",
        "what": "written as since airbyte-cdk 0.29",
        "at": "/old/$parameters",
        "line": 4,
    }.items() <= (told["notes"][0].items())


def test_no_secret_is_exported() -> None:
    made = exported(
        Ask(text=CUSTOM, name="source-x", form="headwater", lint=False, config={"api_key": "canary-key-value"})
    )
    archive = zipfile.ZipFile(io.BytesIO(made))

    assert not [name for name in archive.namelist() if b"canary" in archive.read(name)]


def test_errors_stop_an_export() -> None:
    with pytest.raises(HeadwaterError, match=r"manifest\.yaml:"):
        exported(Ask(text=TEMPLATE + "stray: 1\n", name="source-x", form="headwater"))
