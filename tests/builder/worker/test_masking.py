from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import time
import urllib.parse
from typing import Any

import pytest

from python.builder.worker.masking import Masker

SECRET = 'c4n4ry/+ "Zoë"&%-9f3a77'
SPEC = {
    "type": "Spec",
    "connection_specification": {
        "type": "object",
        "properties": {
            "host": {"type": "string"},
            "shade": {"type": "string", "airbyte_secret": True},
            "login": {
                "oneOf": [
                    {"properties": {"kind": {"const": "a"}, "colour": {"airbyte_secret": True}}},
                    {"$ref": "#/$defs/other"},
                ],
            },
            "list": {"type": "array", "items": {"properties": {"hidden": {"airbyte_secret": True}}}},
        },
        "$defs": {"other": {"properties": {"kind": {"const": "b"}, "tint": {"airbyte_secret": True}}}},
    },
}


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


SPELLINGS = {
    "as it is": SECRET,
    "in a longer word": f"x{SECRET}y",
    "in a path": urllib.parse.quote(SECRET),
    "in a query": urllib.parse.quote(SECRET, safe=""),
    "in a form": urllib.parse.urlencode({"q": SECRET}),
    "with lower case escapes": re.sub("%..", lambda match: match[0].lower(), urllib.parse.quote(SECRET, safe="")),
    "quoted twice": urllib.parse.quote(urllib.parse.quote(SECRET, safe=""), safe=""),
    "in JSON": json.dumps({"q": SECRET}),
    "in JSON as UTF-8": json.dumps({"q": SECRET}, ensure_ascii=False),
    "in JSON in JSON": json.dumps(json.dumps({"q": SECRET})),
    "as Python writes it": repr({"q": SECRET}),
    "in capital letters": SECRET.upper(),
    "in HTML": html.escape(SECRET),
    "in hex": SECRET.encode().hex(),
    "in upper case hex": SECRET.encode().hex().upper(),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in base64 after one": base64.b64encode(b"u:" + SECRET.encode()).decode(),
    "in base64 after two": base64.b64encode(b"us:" + SECRET.encode() + b"!").decode(),
    "in base64 after three": base64.b64encode(b"usr:" + SECRET.encode() + b"!!").decode(),
}


TRICKY = "Zq9/xk+77==lw&P\\Q(z) 'é'"
ESCAPED = {
    "PHP": json.dumps(TRICKY).replace("/", "\\/"),
    ".NET": TRICKY.replace("\\", "\\\\").replace("+", r"\u002B").replace("&", r"\u0026").replace("é", r"\u00E9"),
    "Go": json.dumps(TRICKY).replace("&", r"\u0026"),
    "requests": urllib.parse.quote(TRICKY, safe="!#$%&'()*+,/:;=?@[]~"),
    "a query of a browser": urllib.parse.quote(TRICKY, safe="()'/"),
    "XML": TRICKY.replace("&", "&amp;").replace("'", "&apos;"),
    "HTML": TRICKY.replace("&", "&amp;").replace("/", "&#x2F;").replace("'", "&#039;").replace("é", "&eacute;"),
    "HTML in HTML": html.escape(html.escape(TRICKY)),
    "HTML in JSON of PHP": json.dumps(html.escape(TRICKY)).replace("/", "\\/"),
    "JSON in a query": urllib.parse.quote(json.dumps(TRICKY)),
    "JSON in JSON in JSON": json.dumps(json.dumps(json.dumps(TRICKY).replace("/", "\\/"))),
    "each letter for JSON": "".join(f"\\u{ord(each):04X}" for each in TRICKY),
    "each letter for a URL": "".join(f"%{byte:02x}" for byte in TRICKY.encode()),
    "each letter for HTML": "".join(f"&#{ord(each)};" for each in TRICKY),
    "some letters": TRICKY.replace("q", "%71").replace("x", r"\u0078").replace("l", "&#108;"),
    "what Python shows of it": ascii(TRICKY)[1:-1],
    "a title": TRICKY.title(),
}


@pytest.mark.parametrize("text", ESCAPED.values(), ids=ESCAPED)
def test_a_secret_is_masked_whichever_of_its_characters_are_escaped(text: str) -> None:
    masker = Masker(SPEC, {"shade": TRICKY})

    assert re.sub(r'"|%22|\\', "", masker.text(f"<{text}>")) == "<****>"
    assert masker.mask({"a": [{"b": text}]}) != {"a": [{"b": text}]}


@pytest.mark.parametrize("before", ["", "joe:", "jo:", "j:"])
def test_a_short_password_is_masked_inside_of_base64_wherever_it_stands(before: str) -> None:
    encoded = base64.b64encode(f"{before}abc1234".encode()).decode()

    shown = Masker(SPEC, {"shade": "abc1234"}).text(f"q={encoded}").partition("****")

    assert shown[1]
    assert len(shown[0] + shown[2]) <= len("q=") + len(base64.b64encode(before.encode())) + 4


def test_a_secret_of_backslashes_takes_no_time_to_be_found_nearly() -> None:
    secret = "a\\n" * 60 + "!"
    started = time.process_time()

    Masker(SPEC, {"shade": secret}).text(("a" + "\\" * 15 + "n") * 400)

    assert time.process_time() - started < 2  # what tries each way to share backslashes never ends


def left_of(text: str) -> bool:
    """Whether `text` still has the secret, in any form that could be read back."""
    forms = [text, urllib.parse.unquote(urllib.parse.unquote_plus(text)), html.unescape(text), text.replace("\\", "")]
    for word in text.replace('"', " ").split():
        for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
            with contextlib.suppress(ValueError):
                forms.append(decode(word).decode(errors="replace"))
    return any(part in form for form in forms for part in (SECRET, SECRET.upper(), SECRET[:12], SECRET[-12:]))


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_marked_secret_is_masked_however_it_is_written(spelling: str) -> None:
    masker = Masker(SPEC, {"shade": SECRET})

    assert left_of(spelling)
    assert not left_of(masker.text(f"it was {spelling} here"))
    assert not left_of(json.dumps(masker.mask({"a": [spelling], spelling: 1}), ensure_ascii=False))


@pytest.mark.parametrize(
    "config",
    [
        {"shade": SECRET},
        {"login": {"kind": "a", "colour": SECRET}},
        {"login": {"kind": "b", "tint": SECRET}},
        {"login": {"kind": "a", "tint": SECRET}},
        {"list": [{}, {"hidden": SECRET}]},
        {"login": {"kind": "a", "colour": {"deep": [SECRET]}}},
    ],
)
def test_secrets_are_marked_at_any_depth_and_in_any_branch(config: dict[str, Any]) -> None:
    assert Masker(SPEC, config).text(SECRET) == "****"
    assert Masker(SPEC["connection_specification"], config).text(SECRET) == "****"


HIDDEN = {"type": "string", "airbyte_secret": True}
SCHEMA = {"type": "object", "properties": {"shade": HIDDEN}}
REFERRING: dict[str, dict[str, Any]] = {
    "spec": {"spec": {"$ref": "#/definitions/x"}, "x": {"type": "Spec", "connection_specification": SCHEMA}},
    "spec as a text alone": {"spec": "#/definitions/x", "x": {"connection_specification": SCHEMA}},
    "schema": {"spec": {"connection_specification": {"$ref": "#/definitions/x"}}, "x": SCHEMA},
    "property": {
        "spec": {"connection_specification": {"properties": {"shade": {"$ref": "#/definitions/x"}}}},
        "x": HIDDEN,
    },
    "properties": {
        "spec": {"connection_specification": {"properties": {"$ref": "#/definitions/x"}}},
        "x": {"shade": HIDDEN},
    },
    "mark": {
        "spec": {"connection_specification": {"properties": {"shade": {"airbyte_secret": "#/definitions/x"}}}},
        "x": True,
    },
    "branches": {"spec": {"connection_specification": {"oneOf": "#/definitions/x"}}, "x": [SCHEMA]},
    "item of a list": {"spec": {"connection_specification": {"$ref": "#/definitions/x/0"}}, "x": [SCHEMA]},
    "name with a slash": {"spec": {"$ref": "#/definitions/x/a/b"}, "x": {"a/b": {"connection_specification": SCHEMA}}},
    "what refers on": {
        "spec": {"$ref": "#/definitions/x"},
        "x": {"$ref": "#/y"},
        "y": {"connection_specification": SCHEMA},
    },
    "own definitions": {
        "spec": {"connection_specification": {"properties": {"shade": {"$ref": "#/$defs/a"}}, "$defs": {"a": HIDDEN}}}
    },
}


@pytest.mark.parametrize("manifest", REFERRING.values(), ids=REFERRING)
def test_references_of_a_specification_are_followed_within_the_manifest(manifest: dict[str, Any]) -> None:
    made = {**manifest, "definitions": {"x": manifest.get("x")}}

    assert Masker(made, {"shade": SECRET}).text(SECRET) == "****"


@pytest.mark.parametrize("spec", ["text", 5, [1], {"connection_specification": "text"}, {"$ref": "#/spec"}, "#/spec"])
def test_a_specification_that_is_none_marks_nothing_and_breaks_nothing(spec: Any) -> None:
    masker = Masker({"spec": spec}, {"shade": "harmless-value-1", "password": "not-so-harmless"})

    assert masker.text("harmless-value-1 not-so-harmless") == "harmless-value-1 ****"


@pytest.mark.parametrize(
    "name", ["password", "client_secret", "apiKey", "X-Api-Key", "refresh_token", "privateKey", "token", "API_TOKEN"]
)
def test_what_has_the_name_of_a_secret_is_one_whatever_the_specification_says(name: str) -> None:
    assert Masker(None, {"a": {name: SECRET}}).text(SECRET) == "****"


@pytest.mark.parametrize("name", ["token_url", "next_page_token", "primary_key", "monkey", "auth_type", "author"])
def test_what_only_sounds_alike_is_no_secret(name: str) -> None:
    masker = Masker(None, {name: "harmless-value-1"})

    assert masker.mask({name: "harmless-value-1"}) == {name: "harmless-value-1"}


@pytest.mark.parametrize("secret", ["a", "1", "true", "abc", "admin", "2024", "Test"])
def test_a_value_too_short_or_too_common_destroys_nothing(secret: str) -> None:
    masker = Masker(SPEC, {"shade": secret})
    result = {"records": [{"id": 1, "name": "a true admin of abc in 2024", "ok": True}]}

    assert masker.mask(result) == result


@pytest.mark.parametrize("secret", ["a", "1", "true", "abc", "admin", "2024", "Test"])
def test_a_value_too_short_is_masked_in_the_place_of_a_secret(secret: str) -> None:
    masker = Masker(SPEC, {"shade": secret})

    assert masker.mask({"headers": {"X-Api-Key": secret}}) == {"headers": {"X-Api-Key": "****"}}


def test_a_short_secret_is_masked_as_a_word_alone() -> None:
    assert Masker(SPEC, {"shade": "test9"}).text("test9 latest9 (test9)") == "**** latest9 (****)"


def test_a_number_that_is_a_secret_is_masked_as_text_and_as_a_number() -> None:
    masker = Masker(SPEC, {"shade": 40817810})

    assert masker.mask({"a": 40817810, "b": "is 40817810", "c": 408178101}) == {
        "a": "****",
        "b": "is ****",
        "c": 408178101,
    }


def test_a_longer_secret_goes_before_one_that_begins_like_it() -> None:
    masker = Masker(SPEC, {"shade": "abcdefgh1", "password": "abcdefgh1-and-more"})

    assert masker.text("abcdefgh1-and-more abcdefgh1") == "**** ****"


@pytest.mark.parametrize(
    ("header", "value", "masked"),
    [
        ("Authorization", "Bearer s", "Bearer ****"),
        ("authorization", f"Basic {basic('me', 'pw')}", "Basic ****"),
        ("Authorization", "SSWS 00abc", "SSWS ****"),
        ("Authorization", "justakey", "****"),
        ("X-Metabase-Session", "57b3c8", "****"),
        ("X-Amz-Security-Token", "abc", "****"),
        ("Cookie", "sid=abc; theme=dark", "sid=****; theme=****"),
        ("Set-Cookie", "sid=abc; Path=/; Max-Age=31536000", "sid=****; Path=/; Max-Age=31536000"),
        ("X-Next-Page-Token", "page2", "page2"),
        ("WWW-Authenticate", "Bearer realm", "Bearer realm"),
        ("X-RateLimit-Key", "abc", "abc"),
        ("Content-Type", "application/json", "application/json"),
    ],
)
def test_headers_that_authenticate_are_masked_by_their_place(header: str, value: str, masked: str) -> None:
    assert Masker(None, {}).mask({"headers": {header: value}}) == {"headers": {header: masked}}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sent Authorization: Bearer ab12cd34ef", "sent Authorization: Bearer ****"),
        (f"with Basic {basic('user', 'password1')}.", "with Basic ****."),
        ("https://me:hunter2@host/x", "https://me:****@host/x"),
        ("GET /x?api_key=ab1&page=2", "GET /x?api_key=****&page=2"),
        ("/x?sig=abc&next_page_token=p2", "/x?sig=****&next_page_token=p2"),
        ('{"access_token": "xy", "page_token": "p"}', '{"access_token": "****", "page_token": "p"}'),
        (r"{\"refresh_token\": \"xy\", \"a\": 1}", r"{\"refresh_token\": \"****\", \"a\": 1}"),
        ("{'client_secret': 'it is', 'a': 1}", "{'client_secret': '****', 'a': 1}"),
        ("client_id=a&client_secret=b%2Fc&x=1", "client_id=a&client_secret=****&x=1"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----****-----END PRIVATE KEY-----",
        ),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "jwt ****"),
    ],
)
def test_a_text_shows_by_its_own_words_what_is_a_secret(text: str, masked: str) -> None:
    assert Masker(None, {}).text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "api_key: field required",
        "Bearer token required",
        "basic authentication is used",
        "a basic html5-tutorial: see https://example.com:8080/a@b",
        "'password' is a required property",
        "the key: value pairs, monkey=banana",
        "api_token: {{ config['api_key'] }}",
    ],
)
def test_a_sentence_about_secrets_stays(text: str) -> None:
    assert Masker(None, {}).text(text) == text


def test_a_token_that_a_server_gave_is_masked_wherever_it_shows() -> None:
    masker = Masker(None, {})
    masked = masker.mask(
        {
            "auxiliary": {"response": {"body": json.dumps({"id": "d3r1ved-t0ken", "expires_in": 3600})}},
            "request": {"url": "https://host/x?k=d3r1ved-t0ken", "headers": {"X-Session": "d3r1ved-t0ken"}},
        }
    )

    assert "d3r1ved" not in json.dumps(masked)
    assert masker.text("failed with d3r1ved-t0ken") == "failed with ****"


def test_a_password_inside_of_basic_authentication_is_learned() -> None:
    masker = Masker(None, {})
    masker.learn({"headers": {"Authorization": f"Basic {basic('me', 'n0t-in-config')}"}})

    assert masker.text("n0t-in-config") == "****"


def test_ordinary_words_in_the_place_of_a_secret_are_not_learned() -> None:
    masker = Masker(None, {})

    assert masker.mask({"password": "engineering", "team": "engineering"}) == {
        "password": "****",
        "team": "engineering",
    }


def test_every_line_of_a_private_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASC\n-----END KEY-----\n"
    masker = Masker(SPEC, {"shade": key})

    assert "kiG9w0BAQEFAASC" not in masker.text("line 3: kiG9w0BAQEFAASC")
    assert "MIIEvQIBADANBgkqh" not in masker.text(key.replace("\n", ""))


def test_a_manifest_given_back_keeps_what_stands_under_names_of_secrets() -> None:
    masker = Masker(SPEC, {"shade": SECRET})
    manifest = {"authenticator": {"api_token": "typed-by-its-author-1", "description": SECRET}}

    assert masker.mask(manifest, by_place=False) == {
        "authenticator": {"api_token": "typed-by-its-author-1", "description": "****"}
    }


def test_interpolations_under_names_of_secrets_stay() -> None:
    manifest = {"api_token": "{{ config['api_key'] }}", "request_headers": {"X-Api-Key": "{{ config['k'] }}"}}

    assert Masker(None, {}).mask(manifest) == manifest


def test_a_result_without_secrets_comes_back_equal() -> None:
    result = {"a": [1, 2.5, None, True, "x", {"deep": ["Zoë", ""]}], "b": {}, "c": []}

    assert Masker(SPEC, {"shade": SECRET}).mask(result) == result


def test_what_is_nested_too_deeply_is_cut_instead_of_failing() -> None:
    value: Any = SECRET
    for _ in range(300):
        value = [value]

    assert "too deeply" in json.dumps(Masker(SPEC, {"shade": SECRET}).mask(value))


def test_a_specification_that_refers_to_itself_ends() -> None:
    schema = {"$defs": {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{(i + 1) % 40}"}] * 2} for i in range(40)}}

    Masker({**schema, "$ref": "#/$defs/d0"}, {"a": "b"})


def test_an_empty_secret_masks_nothing() -> None:
    assert Masker(SPEC, {"shade": "", "password": None}).text("anything at all") == "anything at all"


@pytest.mark.parametrize(
    "piece",
    [
        *("key:", "bearer+", "token ", "token=\\", "password", "://a:", "eyJ", "-----BEGIN PRIVATE KEY-----", "pat: "),
        *("monkey='", 'token": "', "basic AAAA", "cookie=;", "\\", "secret:   ", "İtoken"),
        *("%25", "%63", "&amp;", "&#99;", "\\u0063", "c4", "%63%34", "&#0000", "%2525"),
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    masker = Masker(SPEC, {"shade": SECRET})
    text = piece * (400_000 // len(piece))

    started = time.process_time()
    masker.text(text)

    assert time.process_time() - started < 5  # what grows with the square takes minutes
