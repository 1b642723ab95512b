"""Interpolations made flat in all their forms, and everything around them left alone."""

from __future__ import annotations

import pytest

from python.builder.manifests.flattening import Plan, flat_properties, flat_values, plan
from python.builder.manifests.rewriting import flattened, renamed

SPEC = {
    "type": "object",
    "required": ["credentials", "url"],
    "properties": {
        "url": {"type": "string"},
        "credentials": {
            "title": "Authentication",
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "deep": {"type": "object", "properties": {"er": {"type": "string"}}},
            },
        },
        "options": {"type": "object"},
    },
}


@pytest.fixture
def made() -> Plan:
    return plan({}, SPEC)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{{ config['credentials']['id'] }}", "{{ config['credentials_id'] }}"),
        ('{{ config["credentials"]["id"] }}', '{{ config["credentials_id"] }}'),
        ("{{ config.credentials.id }}", "{{ config['credentials_id'] }}"),
        ("{{ config['credentials'].id }}", "{{ config['credentials_id'] }}"),
        ('{{ config.credentials["id"] }}', '{{ config["credentials_id"] }}'),
        ("{{ config.get('credentials', {}).get('id', 'none') }}", "{{ config.get('credentials_id', 'none') }}"),
        ("{{ config.get('credentials')['id'] }}", "{{ config.get('credentials_id') }}"),
        ("{{ config.credentials.deep.er | upper }}", "{{ config['credentials_deep_er'] | upper }}"),
        ("{{ config.credentials.id.split(',')[0] }}", "{{ config['credentials_id'].split(',')[0] }}"),
        ("{{ config.credentials.id[0] }}", "{{ config['credentials_id'][0] }}"),
        ("{% if config.credentials.id %}a{% endif %}", "{% if config['credentials_id'] %}a{% endif %}"),
        ("{{ config.credentials.token }}", "{{ config['credentials_token'] }}"),
        ("Bearer {{config.credentials.id}}\n", "Bearer {{config['credentials_id']}}\n"),
    ],
)
def test_every_form_of_a_nested_way_becomes_flat(made: Plan, before: str, after: str) -> None:
    assert flattened(before, made.of) == after


@pytest.mark.parametrize(
    "text",
    [
        "{{ config['url'] }}",
        "{{ config.options.any }}",
        "{{ record.config.credentials.id }}",
        "{{ 'config.credentials.id' }}",
        "config.credentials.id",
        "{# config.credentials.id #}",
        "{{ config[credentials]['id'] }}",
        "{{ config.url.strip() }}",
    ],
)
def test_what_is_no_nested_way_stays(made: Plan, text: str) -> None:
    assert flattened(text, made.of) == text


def test_a_variable_is_renamed_where_it_is_one() -> None:
    assert renamed("{{ options['a'] ~ x.options ~ 'options' }} options", "options", "parameters") == (
        "{{ parameters['a'] ~ x.options ~ 'options' }} options"
    )


def test_the_specification_becomes_flat_in_order_with_what_is_required(made: Plan) -> None:
    properties, required = flat_properties(SPEC, made)

    assert list(properties) == ["url", "credentials_id", "credentials_deep_er", "options"]
    assert required == ["url", "credentials_id"]


def test_alternatives_become_a_choice_and_what_all_of_them_need_stays_required() -> None:
    key = {"properties": {"kind": {"const": "key"}, "secret": {"type": "string"}}, "required": ["kind", "secret"]}
    oauth = {
        "properties": {"kind": {"const": "oauth"}, "secret": {"type": "string"}, "id": {}},
        "required": ["kind", "id"],
    }
    spec = {"required": ["auth"], "properties": {"auth": {"type": "object", "title": "How", "oneOf": [key, oauth]}}}

    properties, required = flat_properties(spec, plan({}, spec))

    assert properties["auth_kind"] == {"type": "string", "title": "How", "enum": ["key", "oauth"], "default": "key"}
    assert (list(properties), required) == (["auth_kind", "auth_secret", "auth_id"], ["auth_kind"])


def test_test_values_become_flat_with_what_the_specification_does_not_know(made: Plan) -> None:
    values = {"url": "u", "credentials": {"id": "i", "deep": {"er": 1}, "token": "t"}, "options": {"a": 1}}

    assert flat_values(values, made) == {
        "url": "u",
        "credentials_id": "i",
        "credentials_deep_er": 1,
        "credentials_token": "t",
        "options": {"a": 1},
    }


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ({"a": "{{ config['credentials'] | tojson }}"}, "config.credentials is used as a whole here"),
        ({"a": "{{ config['credentials'][record.key] }}"}, "config.credentials is used as a whole here"),
        ({"a": "{{ config | tojson }}"}, "the whole config is used here"),
        ({"configs_pointer": ["credentials"]}, "config.credentials is used as a whole here"),
    ],
)
def test_what_is_used_as_a_whole_stays_nested_and_is_told(manifest: dict[str, object], why: str) -> None:
    made = plan(manifest, SPEC)

    assert made.leaves == {}
    assert made.kept["credentials"][1] == why


def test_a_flat_name_that_is_taken_keeps_the_config_nested() -> None:
    made = plan({}, {**SPEC, "properties": {**SPEC["properties"], "credentials_id": {}}})  # type: ignore[dict-item] # a dict

    assert made.kept["credentials"][1] == "the config has another input that is called credentials_id"
