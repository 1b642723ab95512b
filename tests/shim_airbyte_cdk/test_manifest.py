from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from python.protocol import capture as wire
from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk import manifest_check, manifest_components
from python.shim_airbyte_cdk.manifest import ManifestDelegate, manifest_capture
from tests.conversing import Ended, converse

SOURCE = "airbyte_cdk.sources.declarative.concurrent_declarative_source"
SPEC = {"type": "Spec", "connection_specification": {"title": "Shop Spec", "properties": {"url": {"type": "string"}}}}


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    manifest_components.register(None, {})


def manifest(**stream: Any) -> dict[str, Any]:
    own = {
        "type": "DeclarativeStream",
        "name": "items",
        "primary_key": "id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": "{{ config['url'] }}", "path": "/x"},
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
        **stream,
    }
    check = {"type": "CheckStream", "stream_names": ["items"]}
    return {"version": "6.0.0", "check": check, "streams": [own], "spec": SPEC}


def written(folder: Path, content: Any = None, components: str = "") -> Path:
    (folder / "manifest.yaml").write_text(yaml.safe_dump(content or manifest()))
    if components:
        (folder / "components.py").write_text(components)
    return folder


def spec(folder: Path) -> wire.SpecResponse:
    (found,) = manifest_capture(folder).answer(wire.Spec())
    assert isinstance(found, wire.SpecResponse)
    return found


def test_spec_is_the_manifest_s(tmp_path: Path) -> None:
    assert json.loads(bytes(spec(written(tmp_path)).config_schema))["title"] == "Shop Spec"


def test_discover_tells_the_manifest_s_streams(tmp_path: Path) -> None:
    shim = manifest_capture(written(tmp_path))

    (found,) = shim.answer(wire.Discover(config=msgspec.Raw(b'{"url": "https://x.test"}')))

    assert isinstance(found, wire.Discovered)
    assert [(bound.resource_path, bound.key) for bound in found.bindings] == [(("items",), ("/id",))]


def test_nothing_is_read_before_the_capture_is_asked(tmp_path: Path) -> None:
    shim = manifest_capture(tmp_path / "absent")

    with pytest.raises(ConnectorError, match="absent is no connector"):
        list(shim.answer(wire.Spec()))


def test_each_request_gets_a_source_of_its_own_that_knows_what_it_is_asked_with(tmp_path: Path) -> None:
    models: Any = importlib.import_module("airbyte_cdk.models")
    delegate = ManifestDelegate(written(tmp_path))
    state = models.AirbyteStateMessageSerializer.load(
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": "items"}, "stream_state": {"at": 1}},
        }
    )

    first, second = (delegate(models.ConfiguredAirbyteCatalog(streams=[]), {"url": "u"}, [state]) for _ in range(2))

    assert first is not second
    source: Any = first
    assert source._config == {"url": "u"}
    assert source._connector_state_manager.get_stream_state("items", None) == {"at": 1}


def test_what_cannot_work_is_refused_at_spec_with_file_place_and_reason(tmp_path: Path) -> None:
    written(tmp_path, manifest(incremental_sync={"type": "CustomIncrementalSync", "class_name": "x.Y"}))

    with pytest.raises(ConnectorError) as refused:
        spec(tmp_path)

    assert str(refused.value) == (
        f"{tmp_path}/manifest.yaml: /streams/0/incremental_sync: unknown component type CustomIncrementalSync; "
        "airbyte-cdk 7.0 removed it: write a DatetimeBasedCursor, or install airbyte-cdk below 7"
    )


REMAP = {
    "type": "ConfigMigration",
    "description": "rename",
    "transformations": [{"type": "ConfigRemapField", "map": {"a": "b"}, "field_path": ["mode"]}],
}


def test_a_config_that_a_manifest_cannot_be_run_with_is_told_as_such(tmp_path: Path) -> None:
    rules = {"type": "ConfigNormalizationRules", "config_migrations": [REMAP]}
    written(tmp_path, {**manifest(), "spec": {**SPEC, "config_normalization_rules": rules}})

    ManifestDelegate(tmp_path)(None, {"mode": "a"}, None)
    with pytest.raises(ConnectorError, match=r"manifest\.yaml: with this config: TypeError: unhashable type"):
        ManifestDelegate(tmp_path)(None, {"mode": {"x": [1]}}, None)


def test_a_manifest_that_is_newer_than_airbyte_cdk_is_refused_at_spec(tmp_path: Path) -> None:
    written(tmp_path, {**manifest(), "version": "99.0.0"})

    with pytest.raises(
        ConnectorError, match=r"manifest.yaml: /version: the manifest is written for airbyte-cdk 99.0.0"
    ):
        spec(tmp_path)


CUSTOM = {"type": "CustomTransformation", "class_name": "source_declarative_manifest.components.Louder"}


def test_a_class_that_components_py_does_not_have_is_refused_at_spec(tmp_path: Path) -> None:
    written(tmp_path, manifest(transformations=[CUSTOM]), components="class Quieter: ...\n")

    told = r"/streams/0/transformations/0/class_name: .*components.py has no class Louder; its classes are: Quieter$"
    with pytest.raises(ConnectorError, match=told):
        spec(tmp_path)


def test_a_class_without_components_py_is_refused_at_spec(tmp_path: Path) -> None:
    written(tmp_path, manifest(transformations=[CUSTOM]))

    with pytest.raises(ConnectorError, match=r"/class_name: .* and there is none beside the manifest$"):
        spec(tmp_path)


def test_code_is_taken_from_the_manifest_s_own_folder_alone(tmp_path: Path) -> None:
    for name, code in (("a", "class Louder: ...\n"), ("b", "class Quieter: ...\n")):
        (tmp_path / name).mkdir()
        written(tmp_path / name, manifest(transformations=[CUSTOM]), components=code)
    first, second = ManifestDelegate(tmp_path / "a"), ManifestDelegate(tmp_path / "b")

    first(None, None, None)
    with pytest.raises(ConnectorError, match=r"b/components.py has no class Louder"):
        second(None, None, None)
    first(None, None, None)

    assert hasattr(sys.modules["source_declarative_manifest.components"], "Louder")


def test_code_in_a_config_is_left_to_airbyte_cdk_s_own_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRBYTE_ENABLE_UNSAFE_CODE", raising=False)
    config = msgspec.Raw(b'{"__injected_components_py": "raise SystemExit(7)"}')

    with pytest.raises(ConnectorError, match="code is not permitted in this environment"):
        list(manifest_capture(written(tmp_path)).answer(wire.Discover(config=config)))


def test_a_manifest_that_airbyte_cdk_takes_runs_as_it_is(tmp_path: Path) -> None:
    source: Any = ManifestDelegate(written(tmp_path))(None, None, None)

    assert source.resolved_manifest["streams"][0]["retriever"]["requester"]["path"] == "/x"


def test_a_manifest_that_airbyte_cdk_takes_no_more_is_migrated_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version of the CDK that has done away with what it calls deprecated today: `url_base` and `path`."""
    module = importlib.import_module(SOURCE)
    schema = module.get_declarative_component_schema()
    requester = schema["definitions"]["HttpRequester"]
    requester["properties"] = {
        name: value for name, value in requester["properties"].items() if name not in ("url_base", "path")
    }
    requester["required"] = ["type", "url"]
    monkeypatch.setattr(module, "get_declarative_component_schema", lambda: schema)
    monkeypatch.setattr(manifest_check, "component_schema", lambda: schema)

    source: Any = ManifestDelegate(written(tmp_path))(None, None, None)

    assert source.resolved_manifest["streams"][0]["retriever"]["requester"]["url"] == "{{ config['url'] }}/x"


def run(path: Path, *requests: dict[str, Any]) -> Ended:
    return converse([sys.executable, "-m", "python.shim_airbyte_cdk", str(path)], *requests)


@pytest.mark.slow
def test_the_command_serves_a_manifest_and_a_folder(tmp_path: Path) -> None:
    written(tmp_path, components="print('printed by components.py')\n")

    for path in (tmp_path, tmp_path / "manifest.yaml"):
        ended = run(path, {"spec": {}}, {"discover": {"config": {"url": "https://x.test"}}})
        assert (ended.status, ended.kinds) == (0, ["spec", "discovered"])
        assert "printed by components.py" in [log["message"] for log in ended.logs]


@pytest.mark.slow
def test_the_command_refuses_in_one_sentence_without_traceback(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text("streams: [a\nb: c\n")

    ended = run(tmp_path, {"spec": {}})

    assert (ended.status, ended.responses, len(ended.logs)) == (1, [], 1)
    assert ended.reason.startswith(f"{tmp_path}/manifest.yaml, line 2, column 2: ")
    assert "Traceback" not in ended.stderr
    assert "\n" not in ended.reason
