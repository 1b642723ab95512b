from __future__ import annotations

import pytest

from python.protocol import capture, flow
from python.protocol.errors import RemoteProtocolError
from python.protocol.spelling import camel_case, canonical


@pytest.mark.parametrize(
    ("proto", "name"),
    [
        ("config_json", "config"),
        ("state_json", "state"),
        ("resource_config_json", "resourceConfig"),
        ("config_schema_json", "configSchema"),
        ("resource_config_schema_json", "resourceConfigSchema"),
        ("document_schema_json", "documentSchema"),
        ("doc_json", "doc"),
        ("key_json", "key"),
        ("values_json", "values"),
        ("updated_json", "updated"),
        ("write_schema_json", "writeSchema"),
        ("read_schema_json", "readSchema"),
        ("ack_template_json", "ackTemplate"),
        ("default_json", "default"),
        ("lambda_config_json", "lambdaConfig"),
        ("shuffle_lambda_config_json", "shuffleLambdaConfig"),
        ("field_config_json_map", "fieldConfig"),
        ("fields_json_map", "fields"),
        ("access_token_headers_json_map", "accessTokenHeaders"),
        ("access_token_response_json_map", "accessTokenResponseMap"),
        ("refresh_token_response_json_map", "refreshTokenResponseMap"),
        ("schema_json", "documentSchema"),
        ("oauth2", "oauth2"),
        ("r_clock_begin", "rClockBegin"),
        ("sourced_schema", "sourcedSchema"),
    ],
)
def test_the_json_name_of_a_proto_field(proto: str, name: str) -> None:
    assert camel_case(proto) == name
    assert camel_case(name) == name


def test_typed_levels_are_renamed_and_raw_json_is_not() -> None:
    value = {"bindings": [{"recommended_name": "a", "resource_config_json": {"my_key": {"other_key": None}}}]}

    assert canonical(value, capture.Discovered) == {
        "bindings": [{"recommendedName": "a", "resourceConfig": {"my_key": {"other_key": None}}}]
    }


def test_nulls_are_dropped_for_messages_alone() -> None:
    value = {"state": None, "action_description": None, "unknown": None}

    assert canonical(value, capture.Applied) == {"actionDescription": None, "unknown": None}


def test_maps_keep_their_keys() -> None:
    value = {"provider": "p", "access_token_headers": {"my_header": None}}

    assert canonical(value, flow.OAuth2 | None) == {"provider": "p", "accessTokenHeaders": {"my_header": None}}


def test_two_spellings_of_one_member_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match=r"'documentSchema' comes twice in one object, once as 'schema_json'"):
        canonical({"documentSchema": {}, "schema_json": {}}, capture.SourcedSchema)


@pytest.mark.parametrize("value", [None, 1, "text", [], {}])
def test_values_of_other_types_are_left_to_the_decoder(value: object) -> None:
    assert canonical(value, int) == value
