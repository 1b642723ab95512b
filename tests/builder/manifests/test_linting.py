"""What the linter says of small wrong manifests, one for each rule, and that it says nothing of right ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from python.builder.manifests import cdk
from python.builder.manifests.findings import Finding, Severity, as_json, as_table, worst
from python.builder.manifests.gathering import gathered
from python.builder.manifests.linting import lint

pytest.importorskip("airbyte_cdk")

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
CORPUS = sorted((HERE / "corpus").glob("*.yaml"))
RIGHT = sorted([*(ROOT / "tests" / "manifests").glob("*/manifest.yaml"), *ROOT.glob("source-*/manifest.yaml")])

# Where (line:column), how bad, which rule, the pointer, and the nearest valid name.
EXPECTED: dict[str, list[str]] = {
    "a-date-is-no-text": ["31:11 error type /streams/0/retriever/paginator/page_token_option/field_name"],
    "a-list-in-place-of-an-object": ["23:9 error type /streams/0/retriever/record_selector/extractor"],
    "alias-of-nothing": ["16:11 error alias /"],
    "aliases-that-multiply": ["7:47 error size /"],
    "circular-reference": ["11:28 error circular-reference /definitions/requester/error_handler/$ref"],
    "component-in-the-wrong-place": [
        "24:17 error unknown-component /streams/0/retriever/record_selector/extractor/type"
    ],
    "component-without-type": ["32:9 error component-without-type /streams/0/retriever/paginator/pagination_strategy"],
    "deprecated-component": ["36:7 warning deprecated /streams/0/schema_loader/type"],
    "deprecated-field": ["9:5 warning deprecated /definitions/requester/url_base"],
    "duplicate-key": ["5:18 error unknown-stream /check/stream_names/0", "17:5 error duplicate-key /streams/0/name"],
    "duplicate-stream": ["16:5 error duplicate-stream /streams/0/name"],
    "empty": ["- error type /"],
    "flat-config": ["13:35 error flat-config /definitions/requester/authenticator/api_token"],
    "gone-variable": ["9:34 error unknown-variable /definitions/requester/url stream_interval"],
    "inline-schema": ["40:16 error inline-schema /streams/0/schema_loader/schema/properties/id/type"],
    "interpolation-syntax": ["13:7 error interpolation-syntax /definitions/requester/authenticator/api_token"],
    "missing-definition": [
        "7:3 warning unused-definition /definitions/requester",
        "20:19 error missing-definition /streams/0/retriever/requester",
    ],
    "missing-field": ["23:9 error required /streams/0/retriever/record_selector/extractor"],
    "missing-spec": ["1:1 warning missing-spec /"],
    "missing-streams": ["1:1 error required /", "14:1 error unknown-field /x"],
    "newer-version": ["1:1 error version /version"],
    "no-object": ["- error type /"],
    "no-version-at-all": ["1:1 error version /version"],
    "not-interpolated": ["26:45 warning not-interpolated /streams/0/retriever/record_selector/record_filter/condition"],
    "not-yaml": ["6:12 error yaml /"],
    "old-dialect-options": ["16:5 error old-dialect /streams/0/$options"],
    "old-dialect-reference": [
        "7:3 warning unused-definition /definitions/requester",
        "20:7 error type /streams/0/retriever/requester",
        "20:7 error old-dialect /streams/0/retriever/requester",
    ],
    "out-of-bounds": ["3:69 error type /concurrency_level/max_concurrency"],
    "range-is-no-macro": ["9:34 error unknown-macro /definitions/requester/url"],
    "references-that-multiply": ["11:37 error size /definitions/s6/error_handlers"],
    "removed-component": ["35:30 error unknown-component /streams/0/incremental_sync/type"],
    "too-deep": ["1:103 error depth /"],
    "two-documents": ["14:1 error yaml /"],
    "unknown-component": [
        "33:17 error unknown-component /streams/0/retriever/paginator/pagination_strategy/type PageIncrement"
    ],
    "unknown-config-key-with-get": [
        "13:34 warning unknown-config-key /definitions/requester/authenticator/api_token token",
        "49:7 warning unused-config-key /spec/connection_specification/properties/token",
    ],
    "unknown-config-key": [
        "13:30 error unknown-config-key /definitions/requester/authenticator/api_token token",
        "49:7 warning unused-config-key /spec/connection_specification/properties/token",
    ],
    "unknown-field-of-a-closed-component": ["2:1 error unknown-field /versions"],
    "unknown-field-of-an-open-component": ["17:5 warning unknown-field /streams/0/primary_kee primary_key"],
    "unknown-field": ["10:5 warning unknown-field /definitions/requester/http_methd http_method"],
    "unknown-filter": ["13:40 error unknown-filter /definitions/requester/authenticator/api_token base64encode"],
    "unknown-key-field": ["17:23 warning unknown-key-field /streams/0/primary_key/1 name"],
    "unknown-macro": ["9:34 error unknown-macro /definitions/requester/url now_utc"],
    "unknown-stream": ["5:18 error unknown-stream /check/stream_names/0 members"],
    "unknown-tag": ["16:11 error yaml /"],
    "unknown-test": ["13:58 error unknown-test /definitions/requester/authenticator/api_token string"],
    "unknown-variable": ["9:34 error unknown-variable /definitions/requester/url stream_partition"],
    "unused-config-key": ["48:7 warning unused-config-key /spec/connection_specification/properties/start"],
    "unused-definition": ["7:3 warning unused-definition /definitions/decoder"],
    "wrong-type": ["31:11 error type /streams/0/retriever/paginator/page_token_option/field_name"],
    "wrong-word": ["30:11 error enum /streams/0/retriever/paginator/page_token_option/inject_into"],
}


def found(path: Path) -> list[Finding]:
    taken = gathered(path)
    return lint(taken.text, cdk.installed(), taken.connection_specification)


def line(each: Finding) -> str:
    place = f"{each.line}:{each.column}" if each.line else "-"
    return " ".join(filter(None, (place, each.severity.value, each.rule, each.at or "/", each.nearest)))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_wrong_manifest_is_told_where_and_why(path: Path) -> None:
    assert [line(each) for each in found(path)] == EXPECTED[path.stem]


def test_each_wrong_manifest_is_expected_to_be_wrong() -> None:
    assert set(EXPECTED) == {path.stem for path in CORPUS}
    assert all(EXPECTED.values())


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.parent.name)
def test_a_manifest_that_runs_raises_no_alarm(path: Path) -> None:
    assert [line(each) for each in found(path) if each.rule != "deprecated"] == []


def test_a_decoded_manifest_has_pointers_and_no_lines() -> None:
    manifest = {"type": "DeclarativeSource", "version": "6.0.0", "check": {"type": "CheckStream", "stream_names": []}}
    [needs, specless] = lint(manifest, cdk.installed())

    assert (needs.message, needs.line) == ("a manifest needs `streams` or `dynamic_streams`", None)
    assert (specless.rule, specless.severity) == ("missing-spec", Severity.WARNING)


def test_a_decoded_manifest_of_any_depth_is_refused_in_a_sentence() -> None:
    deep: dict[str, object] = {}
    for _ in range(5_000):
        deep = {"a": deep}

    [each] = lint(deep, cdk.installed())

    assert each.rule == "depth"


def test_a_component_that_a_cdk_does_not_have_yet_is_told_with_its_version() -> None:
    ours = cdk.installed()
    definitions = {name: value for name, value in ours.definitions.items() if name != "NoPagination"}
    paginator = {"anyOf": [{"$ref": "#/definitions/DefaultPaginator"}]}
    retriever = definitions["SimpleRetriever"]
    definitions["SimpleRetriever"] = {**retriever, "properties": {**retriever["properties"], "paginator": paginator}}
    older = cdk.Cdk(version="0.1.0", schema={**ours.schema, "definitions": definitions})
    text = (HERE / "corpus" / "unused-definition.yaml").read_text(encoding="utf-8")

    [each] = [
        each
        for each in lint(text.replace("type: DefaultPaginator", "type: NoPagination"), older)
        if each.rule == "unknown-component"
    ]

    assert each.message == "airbyte-cdk 0.1.0 has no component NoPagination; want DefaultPaginator"


def test_a_finding_tells_what_came_and_what_is_allowed() -> None:
    [each] = found(HERE / "corpus" / "wrong-word.yaml")

    assert (each.component, each.got) == ("RequestOption", "request_paramter")
    assert each.want == ("request_parameter", "header", "body_data", "body_json")


def test_a_table_has_a_line_that_editors_jump_to_for_each_finding() -> None:
    told = as_table("manifest.yaml", found(HERE / "corpus" / "unknown-field.yaml"))

    assert told.splitlines() == [
        (
            "manifest.yaml:10:5: /definitions/requester/http_methd: warning: HttpRequester has no field `http_methd`,"
            " and airbyte-cdk ignores it; did you mean http_method? [unknown-field]"
        ),
        "manifest.yaml: 0 errors, 1 warning",
    ]


def test_json_has_every_member_of_a_finding() -> None:
    told = as_json("m.yaml", "7.0.0", found(HERE / "corpus" / "a-date-is-no-text.yaml"))

    assert '"cdk_version":"7.0.0"' in told
    assert '"got":"2024-01-01","want":["text"]' in told


def test_errors_are_worse_than_warnings() -> None:
    error = Finding(rule="a", severity=Severity.ERROR, at="", message="")
    warning = Finding(rule="a", severity=Severity.WARNING, at="", message="")

    assert [worst([warning, error]), worst([warning]), worst([])] == [Severity.ERROR, Severity.WARNING, None]


def with_url(url: str, more: str = "") -> str:
    text = (HERE / "corpus" / "unused-definition.yaml").read_text(encoding="utf-8")
    return text.replace("  decoder: {type: JsonDecoder}\n", "").replace("{{ config['url'] }}/members", url) + more


@pytest.mark.parametrize(
    "url",
    [
        "{{ config['url'] }}{% for each in ['a'] %}{{ loop.index }}{{ each }}{% endfor %}",
        "{% set base = config.url.strip('/') %}{{ base }}",
        "{{ config.get('url', 'x').split(',')[0] | default('y') }}",
        "{{ (config['url'] or now_utc().strftime('%Y')) ~ max(1, 2) ~ stream_slice['a'] }}",
        "{{ config['url'] if config.url is defined and config.url is not none else '' }}",
        "{{ config['url'] | hash('md5') | upper ~ parameters.path ~ next_page_token['next_page_token'] }}",
        "{{ config['__injected'] }}{{ config.url }}",
    ],
)
def test_an_expression_that_the_cdk_renders_raises_no_alarm(url: str) -> None:
    assert [line(each) for each in lint(with_url(url), cdk.installed())] == []


def test_an_open_specification_allows_every_key() -> None:
    text = with_url("{{ config.url }}{{ config['other'] }}").replace(
        "required: [url", "additionalProperties: true\n    required: [url"
    )

    assert lint(text, cdk.installed()) == []


def test_an_input_that_a_rule_of_the_specification_names_is_used() -> None:
    rules = "  config_normalization_rules:\n    type: ConfigNormalizationRules\n    validations:\n"
    rules += "      - type: DpathValidator\n        field_path: [url]\n"
    strategy = "        validation_strategy: {type: ValidateAdheresToSchema, base_schema: {type: string}}\n"

    assert lint(with_url("https://x.example", rules + strategy), cdk.installed()) == []


def test_streams_with_names_of_parameters_are_not_held_against_the_check() -> None:
    text = with_url("{{ config.url }}").replace("    name: members", "    name: \"{{ parameters['name'] }}\"", 1)

    assert lint(text, cdk.installed()) == []
