from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk.manifest_files import manifest_at

WITH_SPEC = "version: 6.0.0\nspec: {type: Spec, connection_specification: {title: Own}}\n"


def test_a_file_and_its_folder_are_the_same_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(WITH_SPEC)

    assert manifest_at(tmp_path) == manifest_at(tmp_path / "manifest.yaml")
    assert manifest_at(tmp_path).content["version"] == "6.0.0"


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "shop.yml").write_text(WITH_SPEC)

    assert manifest_at(tmp_path / "shop.yml").path == tmp_path / "shop.yml"


def test_components_lie_beside_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(WITH_SPEC)
    assert manifest_at(tmp_path).components is None

    (tmp_path / "components.py").write_text("")

    assert manifest_at(tmp_path).components == tmp_path / "components.py"


@pytest.mark.parametrize("name", ["spec.yaml", "spec.yml", "spec.json"])
def test_a_spec_may_lie_beside_the_manifest(tmp_path: Path, name: str) -> None:
    schema = {"title": "Beside"}
    written = {"documentationUrl": "https://x.test", "connectionSpecification": schema, "advanced_auth": {}}
    (tmp_path / "manifest.yaml").write_text("version: 6.0.0")
    (tmp_path / name).write_text(json.dumps(written))

    assert manifest_at(tmp_path).content["spec"] == {
        "type": "Spec",
        "documentation_url": "https://x.test",
        "connection_specification": {"title": "Beside"},
        "advanced_auth": {},
    }


def test_the_manifest_s_own_spec_goes_first(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(WITH_SPEC)
    (tmp_path / "spec.json").write_text('{"connectionSpecification": {"title": "Beside"}}')

    assert manifest_at(tmp_path).content["spec"] == {"type": "Spec", "connection_specification": {"title": "Own"}}


def test_without_any_spec_every_config_is_taken_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "manifest.yaml").write_text("version: 6.0.0")

    with caplog.at_level(logging.WARNING):
        spec = manifest_at(tmp_path).content["spec"]

    assert spec == {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}}
    assert "any config is taken" in caplog.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 6.0.0\nstreams: [a, b\ncheck: {}\n", r"manifest.yaml, line 3, column 6: "),
        ("a: 1\n\tb: 2\n", r"manifest.yaml, line 2, column 1: "),
        ("", r"manifest.yaml is empty, want a mapping$"),
        ("- a\n", r"manifest.yaml is list, want a mapping$"),
    ],
)
def test_yaml_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "manifest.yaml").write_text(text)

    with pytest.raises(ConnectorError, match=told):
        manifest_at(tmp_path)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_bytes(b"a: \xff\xfe\x00")

    with pytest.raises(ConnectorError, match=r"manifest.yaml cannot be read: .*invalid"):
        manifest_at(tmp_path)


def test_a_folder_without_manifest_and_a_path_to_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match=r"is no connector: want a folder with manifest.yaml$"):
        manifest_at(tmp_path)
    with pytest.raises(ConnectorError, match=r"absent.yaml is no connector: want a manifest, or a folder"):
        manifest_at(tmp_path / "absent.yaml")
