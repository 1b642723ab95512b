from __future__ import annotations

from python.builder.server.streams import stream_names


def test_names_are_found_behind_references() -> None:
    manifest = {
        "definitions": {"a": {"name": "first"}, "b": {"$ref": "#/definitions/c"}, "c": {"name": "second"}},
        "streams": ["#/definitions/a", {"$ref": "#/definitions/b"}, {"name": 5}, {}],
    }

    assert stream_names(manifest) == ["first", "second"]


def test_a_manifest_without_streams_names_none() -> None:
    assert stream_names({}) == []
