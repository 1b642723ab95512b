"""Foreign manifests taken in: packages of old, folders, zips, older dialects; and bombs refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from python.builder.manifests import cdk
from python.builder.manifests.documents import TEXT_BYTES_MAX
from python.builder.manifests.gathering import gathered, gathered_zip
from python.builder.manifests.importing import Imported, Kind, imported
from python.builder.manifests.linting import lint
from python.cli.commands import headwater
from python.protocol.errors import HeadwaterError
from python.shim_airbyte_cdk import manifest_check

pytest.importorskip("airbyte_cdk")

MANIFESTS = Path(__file__).parent.parent.parent / "manifests"

MANIFEST = """\
# A package of old.
version: "0.30.0"

definitions:
  requester:
    url_base: "https://api.example.com"  # the API
    authenticator:
      type: OAuthAuthenticator
      client_id: "{{ config['credentials']['client_id'] }}"
      client_secret: "{{ config.credentials.client_secret }}"
      refresh_token: '{{ config.get("credentials", {}).get("refresh_token") }}'
      token_refresh_endpoint: https://api.example.com/token
      refresh_token_updater: {}
  schema_loader:
    type: JsonFileSchemaLoader
    file_path: "./source_x/schemas/{{ parameters['name'] }}.json"
  items_stream:
    name: items  # its name
    primary_key: id
    $parameters:
      name: items
      path: /items
    schema_loader: {$ref: "#/definitions/schema_loader"}
    retriever:
      record_selector:
        extractor: {type: DpathExtractor, field_path: []}
      requester:
        $ref: "#/definitions/requester"

streams:
  - "#/definitions/items_stream"

check:
  stream_names:
    - items
"""
SPEC = """\
documentationUrl: https://docs.example
connectionSpecification:
  type: object
  required: [credentials]
  properties:
    credentials:
      type: object
      required: [client_id]
      properties:
        client_id: {type: string}
        client_secret: {type: string, airbyte_secret: true}
        refresh_token: {type: string, airbyte_secret: true}
"""
ITEMS = {
    "type": "object",
    "properties": {
        "on": {"enum": ["yes", "no"]},
        "owner": {"$ref": "person.json"},
        "kind": {"$ref": "#/definitions/k"},
    },
    "definitions": {"k": {"type": "string"}},
}
FILES = {
    "source-x/source_x/manifest.yaml": MANIFEST,
    "source-x/source_x/spec.yaml": SPEC,
    "source-x/source_x/schemas/items.json": json.dumps(ITEMS),
    "source-x/source_x/schemas/shared/person.json": '{"type": "object", "properties": {"boss": {"$ref": "#"}}}',
}


def zipped(files: dict[str, str]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return raw.getvalue()


def taken(files: dict[str, str] = FILES, **options: object) -> Imported:
    return imported(gathered_zip("x.zip", zipped(files)), cdk.installed(), **options)  # type: ignore[arg-type] # flags


def notes(done: Imported, kind: Kind) -> list[str]:
    return [f"{note.at or '/'} {note.what}" for note in done.notes if note.kind is kind]


def test_a_package_of_old_becomes_one_manifest_that_the_cdk_takes() -> None:
    done = taken()
    manifest = yaml.safe_load(done.text)

    assert manifest_check.schema_problem(manifest, manifest_check.resolved(manifest)) is None
    assert [each.rule for each in lint(done.text, cdk.installed()) if each.severity.value == "error"] == []
    assert manifest["spec"]["documentation_url"] == "https://docs.example"
    assert manifest["schemas"]["items"]["properties"] == {
        "on": {"enum": ["yes", "no"]},
        "owner": {"type": "object", "properties": {"boss": {"type": "object"}}},
        "kind": {"type": "string"},
    }


def test_comments_order_and_quotes_stay() -> None:
    text = taken(flatten=True).text

    assert text.startswith('# A package of old.\nversion: "0.30.0"\n\ndefinitions:\n  requester:\n')
    assert 'url_base: "https://api.example.com"  # the API\n' in text
    assert "name: items  # its name\n" in text
    assert 'streams:\n  - "#/definitions/items_stream"\n' in text


def test_nested_config_is_told_with_its_places() -> None:
    left = notes(taken(), Kind.LEFT)

    assert [each for each in left if each.endswith("is nested")] == [
        "/definitions/requester/authenticator/client_id config.credentials.client_id is nested",
        "/definitions/requester/authenticator/client_secret config.credentials.client_secret is nested",
        "/definitions/requester/authenticator/refresh_token config.credentials.refresh_token is nested",
    ]


def test_flattening_rewrites_manifest_specification_and_values_together() -> None:
    done = taken(flatten=True, values={"credentials": {"client_id": "a", "access_token": "t"}})
    manifest = yaml.safe_load(done.text)
    authenticator = manifest["definitions"]["requester"]["authenticator"]

    assert authenticator["client_id"] == "{{ config['credentials_client_id'] }}"
    assert authenticator["refresh_token"] == '{{ config.get("credentials_refresh_token") }}'
    assert authenticator["refresh_token_updater"]["access_token_config_path"] == ["credentials_access_token"]
    assert list(manifest["spec"]["connection_specification"]["properties"]) == [
        "credentials_client_id",
        "credentials_client_secret",
        "credentials_refresh_token",
    ]
    assert manifest["spec"]["connection_specification"]["required"] == ["credentials_client_id"]
    assert done.values == {"credentials_client_id": "a", "credentials_access_token": "t"}
    assert not [each for each in notes(done, Kind.LEFT) if "nested" in each]


def test_a_recursive_schema_is_cut_and_told() -> None:
    assert "/ schemas/shared/person.json: # refers to itself: its inner part is any object now" in notes(
        taken(), Kind.LEFT
    )


def test_a_missing_schema_file_is_told_and_the_stream_left_alone() -> None:
    done = taken({name: text for name, text in FILES.items() if not name.endswith("items.json")})

    assert "/definitions/items_stream the schema file schemas/items.json of the stream items is missing" in notes(
        done, Kind.LEFT
    )
    assert "schemas:" not in done.text


def test_the_dialect_before_0_29_is_rewritten() -> None:
    old = MANIFEST.replace("$parameters", "$options").replace("parameters['name']", "options['name']")
    old = old.replace('"#/definitions/items_stream"', '"*ref(definitions.items_stream)"')

    done = taken({**FILES, "source-x/source_x/manifest.yaml": old})

    assert yaml.safe_load(done.text)["definitions"]["items_stream"]["$parameters"] == {
        "name": "items",
        "path": "/items",
    }
    assert yaml.safe_load(done.text) == yaml.safe_load(taken().text)


def test_custom_classes_of_a_package_are_named_as_a_manifest_without_one_does() -> None:
    text = MANIFEST.replace(
        "type: DpathExtractor, field_path: []", "type: CustomRecordExtractor, class_name: source_x.components.X"
    )
    code = "class X: ...\n"

    done = taken({**FILES, "source-x/source_x/manifest.yaml": text, "source-x/source_x/components.py": code})

    assert "class_name: source_declarative_manifest.components.X" in done.text
    assert done.components == code
    assert any("components.py has the class X; built in are" in each for each in notes(done, Kind.LEFT))


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*/manifest.yaml")), ids=lambda path: path.parent.name)
def test_a_manifest_that_stands_for_itself_stays_as_it_is(path: Path) -> None:
    done = imported(gathered(path), cdk.installed())

    assert {key: value for key, value in yaml.safe_load(done.text).items() if key != "spec"} == {
        key: value for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items() if key != "spec"
    }


def test_a_manifest_with_flat_config_means_the_same_to_the_cdk(tmp_path: Path) -> None:
    done = imported(gathered(MANIFESTS / "oauth"), cdk.installed(), flatten=True)
    manifest = yaml.safe_load(done.text)

    assert manifest_check.schema_problem(manifest, manifest_check.resolved(manifest)) is None
    output = manifest["spec"]["advanced_auth"]["oauth_config_specification"]["complete_oauth_output_specification"]
    assert output["properties"]["refresh_token"]["path_in_connector_config"] == ["credentials_refresh_token"]
    assert lint(done.text, cdk.installed()) == [
        each for each in lint(done.text, cdk.installed()) if each.rule == "deprecated"
    ]


def test_what_the_linter_calls_an_error_is_left_to_the_author() -> None:
    done = taken({**FILES, "source-x/source_x/manifest.yaml": MANIFEST.replace("DpathExtractor", "DpathExtracter")})

    assert any(
        each.endswith("has no component DpathExtracter; did you mean DpathExtractor?")
        for each in notes(done, Kind.LEFT)
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (zipped({"readme.md": ""}), "has no manifest.yaml"),
        (zipped({"a/manifest.yaml": "", "b/manifest.yaml": ""}), "several manifests: name one of a/manifest.yaml, b/"),
        (zipped({"../manifest.yaml": ""}), "which lies outside of it"),
        (zipped({"manifest.yaml": " " * (TEXT_BYTES_MAX + 1)}), "unpacks to more than 8,388,608 bytes"),
        (b"PK\x03\x04 no zip", "is no zip that can be read"),
        (zipped({"manifest.yaml": "a: 1", "spec.json": "{"}), "spec.json beside x.zip/manifest.yaml: line 2"),
    ],
)
def test_a_zip_that_cannot_be_taken_in_is_refused_in_a_sentence(raw: bytes, reason: str) -> None:
    with pytest.raises(HeadwaterError, match=reason.replace(".", r"\.")):
        gathered_zip("x.zip", raw)


def test_files_that_unpack_to_too_much_together_are_refused() -> None:
    large = " " * (TEXT_BYTES_MAX - 1)
    files = {"manifest.yaml": MANIFEST, **{f"schemas/{n}.json": large for n in range(9)}}

    with pytest.raises(HeadwaterError, match="it may be a bomb"):
        gathered_zip("x.zip", zipped(files))


def test_schema_files_that_multiply_are_refused() -> None:
    bomb = {f"schemas/shared/s{n}.json": json.dumps({"anyOf": [{"$ref": f"s{n + 1}.json"}] * 9}) for n in range(8)}
    files = {"manifest.yaml": MANIFEST, "spec.yaml": SPEC, **bomb, "schemas/shared/s8.json": "{}"}

    with pytest.raises(HeadwaterError, match="multiply into more than 500,000 values"):
        taken({**files, "schemas/items.json": '{"$ref": "s0.json"}'})


def test_the_command_writes_all_files_and_tells_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(FILES))
    (tmp_path / "config.json").write_text('{"credentials": {"client_id": "a"}}', encoding="utf-8")
    to, values = tmp_path / "new" / "manifest.yaml", tmp_path / "new" / "config.json"
    command = ["manifest", "import", str(tmp_path / "x.zip"), "--to", str(to), "--flatten-config"]

    done = CliRunner().invoke(
        headwater, [*command, "--values", str(tmp_path / "config.json"), "--values-to", str(values)]
    )

    assert (done.exit_code, done.output.splitlines()[-1]) == (1, f"written: {to}, {values}")
    assert json.loads(values.read_text(encoding="utf-8")) == {"credentials_client_id": "a"}
    assert sorted(each.name for each in to.parent.iterdir()) == ["config.json", "manifest.yaml"]


def test_the_command_replaces_nothing_unless_told_to(tmp_path: Path) -> None:
    to = tmp_path / "manifest.yaml"
    to.write_text("mine", encoding="utf-8")
    command = ["manifest", "import", str(MANIFESTS / "csv"), "--to", str(to)]

    refused = CliRunner().invoke(headwater, command)

    assert (refused.exit_code, to.read_text(encoding="utf-8")) == (2, "mine")
    assert "exists: name another place, or say --force" in refused.output
    assert CliRunner().invoke(headwater, [*command, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["lint", "nowhere"], 2, "headwater: nowhere cannot be read: no such file or directory"),
        (["lint", str(MANIFESTS)], 2, "has several manifests"),
        (["lint", str(MANIFESTS / "csv"), "--strict"], 1, "0 errors, 2 warnings"),
        (["lint", str(MANIFESTS / "csv"), "--cdk", "/"], 2, "/ has no airbyte-cdk"),
        (["lint", str(MANIFESTS / "csv"), "--cdk", "nowhere"], 2, "no interpreter that runs"),
        (["lint", str(MANIFESTS / "csv"), "--json"], 0, '"findings":['),
        (["check", str(MANIFESTS / "csv")], 0, "all is built in"),
        (["check", str(MANIFESTS / "custom")], 1, "4 need attention"),
        (["import", "nowhere", "--to", "x"], 2, "cannot be read"),
        (["import", str(MANIFESTS / "csv"), "--to", "x", "--values", "y"], 2, "need both"),
    ],
)
def test_a_command_tells_what_is_wrong_in_a_sentence(arguments: list[str], status: int, told: str) -> None:
    done = CliRunner().invoke(headwater, ["manifest", *arguments])

    assert done.exit_code == status
    assert told in done.output
