from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python.protocol import capture, codec, derive, flow, materialize
from python.protocol.capture import Captured, Checkpoint, Open, Opened, SourcedSchema, Spec, SpecResponse
from python.protocol.errors import DocumentError, LocalProtocolError, RemoteProtocolError
from python.protocol.wire import Int64
from tests.protocol.strategies import messages

CODECS = {
    "capture requests": (codec.CAPTURE_REQUESTS, capture.REQUESTS),
    "capture responses": (codec.CAPTURE_RESPONSES, capture.RESPONSES),
    "derive requests": (codec.DERIVE_REQUESTS, derive.REQUESTS),
    "derive responses": (codec.DERIVE_RESPONSES, derive.RESPONSES),
    "materialize requests": (codec.MATERIALIZE_REQUESTS, materialize.REQUESTS),
    "materialize responses": (codec.MATERIALIZE_RESPONSES, materialize.RESPONSES),
}
KINDS = [(used, kind) for used, kinds in CODECS.values() for kind in kinds.values()]
NAMES = [f"{title}: {name}" for title, (_, kinds) in CODECS.items() for name in kinds]

response = codec.CAPTURE_RESPONSES.decode
request = codec.CAPTURE_REQUESTS.decode


@pytest.mark.parametrize(("used", "kind"), KINDS, ids=NAMES)
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_what_is_encoded_decodes_to_itself(used: codec.Codec[Any], kind: type, data: st.DataObject) -> None:
    message = data.draw(messages(kind))

    line = used.encode(message)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert used.decode(line[:-1]) == message


@pytest.mark.parametrize(("used", "kind"), KINDS, ids=NAMES)
def test_a_name_is_that_of_its_kind(used: codec.Codec[Any], kind: type) -> None:
    assert used.encode(_simplest(kind)).startswith(b'{"%b":' % used.name(kind).encode())


def _simplest(kind: type[msgspec.Struct]) -> msgspec.Struct:
    required = [field.name for field in msgspec.structs.fields(kind) if field.required]
    return kind(**dict.fromkeys(required, msgspec.Raw(b"{}")))


def refused(decode: Callable[[bytes], object], line: bytes, rule: int) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(line)
    assert caught.value.rule == rule, caught.value
    return str(caught.value)


def rule_of_refusal(line: bytes) -> int | None:
    try:
        response(line)
    except RemoteProtocolError as error:
        return error.rule
    return None


class TestRequests:
    def test_unknown_members_are_ignored_at_every_level(self) -> None:
        line = (
            b'{"open":{"capture":{"name":"a","createdAt":"now","bindings":[{"new":[{}]}]},"sealedConfig":{}},'
            b'"$internal":"AA=="}'
        )

        opened = request(line)

        assert isinstance(opened, Open)
        assert opened.capture.name == "a"
        assert len(opened.capture.bindings) == 1

    def test_internal_beside_the_most_frequent_kind_is_ignored(self) -> None:
        assert request(b'{"$internal":"AA==","spec":{"connectorType":"LOCAL"}}') == Spec(connector_type="LOCAL")

    def test_omitted_members_are_zero(self) -> None:
        opened = request(b'{"open":{"capture":{"bindings":[{}]},"range":{"keyEnd":4294967295}}}')

        assert isinstance(opened, Open)
        assert opened.range is not None
        assert opened.range.key_begin == 0
        assert opened.capture.interval_seconds == 0
        assert opened.capture.bindings[0].backfill == 0
        assert bytes(opened.capture.bindings[0].resource_config) == b"{}"

    @pytest.mark.parametrize(
        "line",
        [
            b'{"open":{"capture":null,"range":null,"version":"1"}}',
            b'{"open":{"capture":{"bindings":[{"collection":null}]}}}',
            b'{"open":{"capture":{"shardTemplate":null}},"apply":null}',
        ],
    )
    def test_null_stands_for_an_absent_message(self, line: bytes) -> None:
        assert isinstance(request(line), Open)

    def test_null_state_is_kept_as_the_json_value_it_is(self) -> None:
        opened = request(b'{"open":{"state":null}}')

        assert isinstance(opened, Open)
        assert bytes(opened.state) == b"null"

    def test_a_null_scalar_is_refused(self) -> None:
        refused(request, b'{"open":{"version":null}}', 7)

    def test_raw_json_survives_a_second_attempt_digit_by_digit(self) -> None:
        state = b'{"rate":1.50,"a_b":[123456789012345678901,null]}'

        opened = request(b'{"open":{"capture":null,"state":%b}}' % state)

        assert isinstance(opened, Open)
        assert bytes(opened.state) == state

    def test_errors_do_not_repeat_a_request_which_may_hold_secrets(self) -> None:
        assert "hunter2" not in refused(request, b'{"open":{"capture":{"config":"hunter2"},"version":7}}', 4)

    def test_64_bit_integers_are_read_from_text_and_number(self) -> None:
        for clock in (b'"18446744073709551615"', b"18446744073709551615"):
            read = codec.DERIVE_REQUESTS.decode(b'{"read":{"uuid":{"node":"1","clock":' + clock + b"}}}")

            assert isinstance(read, derive.Read)
            assert read.uuid == flow.UUIDParts(node=Int64(1), clock=Int64(2**64 - 1))


class TestResponses:
    def test_snake_case_is_accepted_at_every_typed_level(self) -> None:
        line = b'{"sourced_schema":{"schema_json":{"my_key":1.5},"binding":1}}'

        assert response(line) == SourcedSchema(binding=1, document_schema=msgspec.Raw(b'{"my_key":1.5}'))

    def test_snake_case_reaches_into_lists_and_maps_but_leaves_field_names_alone(self) -> None:
        line = (
            b'{"validated":{"bindings":[{"resource_path":["a"],"ser_policy":null,'
            b'"constraints":{"my_field":{"type":"FIELD_OPTIONAL","folded_field":"MY_FIELD"}}}]}}'
        )

        validated = codec.MATERIALIZE_RESPONSES.decode(line)

        assert isinstance(validated, materialize.Validated)
        assert validated.bindings[0].resource_path == ("a",)
        assert validated.bindings[0].constraints == {
            "my_field": materialize.Constraint(type="FIELD_OPTIONAL", folded_field="MY_FIELD")
        }

    def test_null_stands_for_an_absent_message(self) -> None:
        assert response(b'{"checkpoint":{"state":null}}') == Checkpoint()

    @pytest.mark.parametrize(
        ("line", "rule"),
        [
            (b"", 2),
            (b"  ", 2),
            (b"hello", 1),
            (b"[1]", 4),
            (b'"opened"', 4),
            (b"17", 4),
            (b'{"opened":{}', 1),
            (b'{"opened":{}} {}', 1),
            (b'{"captured":{"doc":{"a":NaN}}}', 1),
            (b'{"checkpoint":{"state":{"updated":"\xff"}}}', 12),
            (b'{"checkpoint":{"state":{"updated":"\x01"}}}', 1),
            (b'{"captured":{"doc":' + b"[" * 5000 + b"]" * 5000 + b"}}", 1),
            (b'{"opened":{"unknown":' + b"[" * 5000 + b"]" * 5000 + b"}}", 1),
            (b"{}", 4),
            (b'{"bogus":{}}', 4),
            (b'{"opened":null}', 4),
            (b'{"opened":{},"checkpoint":{}}', 4),
            (b'{"captured":{"doc":{}},"checkpoint":{}}', 4),
            (b'{"opened":[]}', 4),
            (b'{"opened":{"explicit":true}}', 5),
            (b'{"captured":{"binding":0,"doc":{},"_meta":{}}}', 5),
            (b'{"captured":{"binding":0,"doc":{}},"$internal":"AA=="}', 10),
            (b'{"captured":{"binding":0,"binding":1,"doc":{}}}', 6),
            (b'{"captured":{"doc":{"a":1},"doc":{}}}', 6),
            (b'{"captured":{"doc":{}},"captured":{"doc":{}}}', 6),
            (b'{"opened":{},"opened":{}}', 6),
            (b'{"opened":{"explicitAcknowledgements":true,"explicitAcknowledgements":false}}', 6),
            (b'{"checkpoint":{"state":{"updated":{},"mergePatch":true,"mergePatch":true}}}', 6),
            (b'{"sourcedSchema":{"documentSchema":{},"schema_json":{}}}', 6),
            (b'{"validated":{"bindings":[{"resourcePath":["a"],"resourcePath":["b"]}]}}', 6),
            (b'{"captured":{"binding":null,"doc":{}}}', 7),
            (b'{"opened":{"explicitAcknowledgements":null}}', 7),
            (b'{"applied":{"actionDescription":null}}', 7),
            (b'{"captured":{"binding":"x","doc":{}}}', 11),
            (b'{"captured":{"binding":true,"doc":{}}}', 11),
            (b'{"spec":{"protocol":3032023}}', 18),
            (b'{"discovered":{"bindings":[{"recommendedName":"a"}]}}', 31),
            (b'{"captured":{"binding":0}}', 50),
            (b'{"checkpoint":{"state":{"mergePatch":true}}}', 54),
        ],
    )  # fmt: skip
    def test_a_breach_is_refused_with_its_rule(self, line: bytes, rule: int) -> None:
        refused(response, line, rule)

    def test_duplicate_keys_are_found_however_the_line_is_spaced(self) -> None:
        assert response(b'{ "captured": {"doc": {"a": 1}} }') == Captured(doc=msgspec.Raw(b'{"a": 1}'))
        refused(response, b'{ "captured": {"doc": {"a": 1}, "doc": {}} }', 6)

    def test_a_document_in_which_numbers_are_long_is_passed_on_as_it_is(self) -> None:
        doc = b'{"n": %b}' % (b"9" * 5000)

        assert response(b'{"captured":{"doc":%b}}' % doc) == Captured(doc=msgspec.Raw(doc))

    def test_a_long_number_elsewhere_is_passed_on_as_it_is(self) -> None:
        line = b'{"checkpoint":{"state":{"updated":%b}}}' % (b"9" * 5000)

        checkpoint = response(line)

        assert isinstance(checkpoint, Checkpoint)
        assert checkpoint.state is not None
        assert bytes(checkpoint.state.updated) == b"9" * 5000

    def test_no_depth_of_nesting_escapes_as_another_error(self) -> None:
        lines = [b'{"checkpoint":{"state":{"updated":%b%b}}}' % (b"[" * n, b"]" * n) for n in range(100, 1300, 10)]

        assert {rule_of_refusal(line) for line in lines} == {None, 1}

    def test_an_error_shows_the_start_of_a_long_line(self) -> None:
        sentence = refused(response, b'{"opened":{"x":"%b"}}' % (b"y" * 1000), 5)

        assert "`x`" in sentence
        assert sentence.count("y") < 200
        assert "…" in sentence

    def test_a_number_beyond_every_decimal_is_refused_where_only_a_second_attempt_could_help(self) -> None:
        refused(response, b'{"sourced_schema":{"schema_json":1e99999999999999999999}}', 1)


class TestRuns:
    def test_messages_of_a_kind_that_comes_in_runs_are_taken_together(self) -> None:
        texts = [b"[1]", b"[2]", b"[3]"]
        lines = deque([b'{"load":{"key":%b}}' % text for text in texts] + [b'{"flush":{}}', b'{"load":{}}'])

        assert codec.MATERIALIZE_REQUESTS.decode_run(lines) == [
            materialize.Load(key=msgspec.Raw(text)) for text in texts
        ]
        assert codec.MATERIALIZE_REQUESTS.decode_run(lines) == [materialize.Flush()]
        assert list(lines) == [b'{"load":{}}']

    def test_of_other_kinds_each_message_comes_by_itself(self) -> None:
        lines = deque([b'{"captured":{"binding":0,"doc":{}}}'] * 2)

        assert codec.CAPTURE_RESPONSES.decode_run(lines) == [Captured(doc=msgspec.Raw(b"{}"))]
        assert len(lines) == 1

    @pytest.mark.parametrize(
        "line",
        [
            b'{"store":{"key":[1]},"load":null}',
            b'{"store":{"key_packed":"AA==","binding":1}}',
            b'{"store":{"key":[1]}, "unheard": 1}',
            b'{"store": {"key":[1]}}',
        ],
    )
    def test_a_line_that_is_spelled_in_another_way_is_read_amid_a_run_as_alone(self, line: bytes) -> None:
        before = b'{"store":{"key":[0]}}'
        alone = codec.MATERIALIZE_REQUESTS.decode

        run = codec.MATERIALIZE_REQUESTS.decode_run(deque([before, line]))

        assert run == [alone(before), alone(line)]

    @pytest.mark.parametrize(
        ("line", "rule"),
        [
            (b'{"loaded":{"binding":0,"doc":{},"doc":{}}}', 6),
            (b'{"loaded":{"binding":0,"doc":{},"more":1}}', 5),
            (b'{"loaded":{"binding":0}}', 50),
            (b'{"loaded":{"binding":0,"doc":', 1),
            (b'{"loaded":{"binding":0,"doc":{}}}{"loaded":{"binding":0,"doc":{}}}', 1),
        ],
    )
    def test_a_run_with_a_line_that_is_wrong_is_refused_by_that_line_s_rule(self, line: bytes, rule: int) -> None:
        right = b'{"loaded":{"binding":0,"doc":{}}}'

        refused(lambda wrong: codec.MATERIALIZE_RESPONSES.decode_run(deque([right, wrong, right])), line, rule)


class TestEncoding:
    def test_a_mapping_is_written_without_loss(self) -> None:
        line = codec.CAPTURE_RESPONSES.encode(Captured(binding=2, doc={"id": 2**70}))

        assert line == b'{"captured":{"binding":2,"doc":{"id":1180591620717411303424}}}\n'

    def test_a_mapping_is_written_without_loss_in_other_messages_too(self) -> None:
        line = codec.DERIVE_RESPONSES.encode(derive.Published(doc={"id": 2**70}))

        assert line == b'{"published":{"doc":{"id":1180591620717411303424}}}\n'

    def test_an_empty_mapping_is_a_document(self) -> None:
        assert codec.DERIVE_RESPONSES.encode(derive.Published(doc={})) == b'{"published":{"doc":{}}}\n'

    def test_an_absent_document_stays_absent(self) -> None:
        store = materialize.Store(key=msgspec.Raw(b"[1]"), exists=True, delete=True)

        assert codec.MATERIALIZE_REQUESTS.encode(store) == b'{"store":{"key":[1],"exists":true,"delete":true}}\n'

    def test_raw_json_on_several_lines_is_written_on_one(self) -> None:
        schema = msgspec.Raw(b'{\n  "type": "object"\n}')

        assert codec.CAPTURE_RESPONSES.encode(Captured(doc=schema)).count(b"\n") == 1
        assert codec.CAPTURE_RESPONSES.encode(SourcedSchema(document_schema=schema)).count(b"\n") == 1

    def test_a_document_that_is_not_json_names_its_place(self) -> None:
        with pytest.raises(DocumentError, match=r"^/a/0: nan"):
            codec.CAPTURE_RESPONSES.encode(Captured(doc={"a": [float("nan")]}))

    def test_a_message_of_another_direction_is_ours_to_mend(self) -> None:
        with pytest.raises(LocalProtocolError, match="a Spec is none of captured, checkpoint"):
            codec.CAPTURE_RESPONSES.encode(Spec())  # type: ignore[arg-type] # the mistake under test

    def test_defaults_are_omitted(self) -> None:
        assert codec.CAPTURE_RESPONSES.encode(Opened()) == b'{"opened":{}}\n'

    def test_the_protocol_version_is_not_omitted(self) -> None:
        spec = SpecResponse.of(config_schema=msgspec.Raw(b"{}"), resource_config_schema=msgspec.Raw(b"{}"))

        assert b'"protocol":3032023' in codec.CAPTURE_RESPONSES.encode(spec)
