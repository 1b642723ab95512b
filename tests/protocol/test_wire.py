from __future__ import annotations

import msgspec
import pytest

from python.protocol.wire import ABSENT, Duration, FromConnector, FromRuntime, Int64, decode_hook, encode_hook


class Times(FromRuntime, frozen=True, kw_only=True):
    clock: Int64 = Int64(0)
    lasts: Duration = Duration(0)


decoder = msgspec.json.Decoder(Times, dec_hook=decode_hook)
encoder = msgspec.json.Encoder(enc_hook=encode_hook)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"clock":"18446744073709551615"}', Times(clock=Int64(2**64 - 1))),
        (b'{"clock":"-1"}', Times(clock=Int64(-1))),
        (b'{"lasts":"300s"}', Times(lasts=Duration(300))),
        (b'{"lasts":"62.25s"}', Times(lasts=Duration(62.25))),
        (b'{"lasts":"-0.000000001s"}', Times(lasts=Duration(-1e-9))),
    ],
)
def test_flows_own_scalars_are_text(text: bytes, message: Times) -> None:
    assert decoder.decode(text) == message
    assert encoder.encode(message) == text


def test_numbers_are_read_as_64_bit_integers_too() -> None:
    assert decoder.decode(b'{"clock":17}') == Times(clock=Int64(17))


@pytest.mark.parametrize(
    "text",
    [
        b'{"clock":"x"}',
        b'{"clock":1.5}',
        b'{"clock":true}',
        b'{"clock":" 1"}',
        b'{"clock":"1_0"}',
        b'{"lasts":"300"}',
        b'{"lasts":300}',
        b'{"lasts":"nans"}',
        b'{"lasts":"1e3s"}',
    ],
)
def test_other_spellings_are_refused_by_their_place(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected `(Int64|Duration)`, got .* - at `\$\.(clock|lasts)`"):
        decoder.decode(text)


def test_what_has_no_place_on_the_wire_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="a message holds a set, which has no place on the wire"):
        encode_hook({1})


def test_the_runtimes_unknown_members_are_ignored_and_a_connectors_refused() -> None:
    class Ours(FromConnector, frozen=True, kw_only=True):
        pass

    assert decoder.decode(b'{"new":1}') == Times()
    with pytest.raises(msgspec.ValidationError, match="unknown field `new`"):
        msgspec.json.decode(b'{"new":1}', type=Ours)


def test_what_is_absent_is_false() -> None:
    assert not ABSENT
