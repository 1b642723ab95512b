"""Whatever stands in a metadata file: it is told, and what is taken says the same to every reader."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import ryaml
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from python.registry.metadata.checking import check
from python.registry.metadata.documents import write
from python.registry.metadata.findings import told
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.validators import Subject, validated
from tests.registry.metadata.test_checking import EVERYTHING

RIGHT: Any = yaml.safe_load(EVERYTHING)
PIECES = [
    b"&a ",
    b"*a",
    b"!!set ",
    b"!!bool ",
    b"<<: ",
    b"- ",
    b"? ",
    b": ",
    b"\n",
    b"\t",
    b"{",
    b"]",
    b'"',
    b"---\n",
    b"#",
]
VALUES: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1.5,
        2**70,
        float("inf"),
        "",
        "x",
        "1.0.0",
        "2.0.0-rc.1",
        "01.0.0",
        "1e3",
        "../x",
        "a:b",
        "\a",
        "\x85",
    ),
    *([], {}, [1], ["a:b"], {"a": 1}, {"1.0.0": {}}, {"oss": 1}, {"oss": {"enabled": True}}, [[[]]]),
]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in members:
        yield (*at, name)
        yield from places(each, (*at, name))


PLACES = list(places(RIGHT))


def check_told(data: bytes) -> None:
    for lenient in (False, True):
        checked = check(data, lenient=lenient)
        assert len(told("m.yaml", checked.findings).splitlines()) == len(checked.findings)
        if checked.sketch is not None:
            list(validated(Subject(metadata=checked.sketch), doubtful=checked.doubtful))
        if checked.metadata is None:
            assert checked.findings
        else:
            said = checked.metadata.as_json()
            read = ryaml.loads(write(said).decode())  # type: ignore[attr-defined]  # its stub says not so
            assert ConnectorMetadata.model_validate(read).as_json() == said


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), min_size=1, max_size=4))
def test_any_value_anywhere_is_taken_or_told(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = copy.deepcopy(RIGHT)
    for (*path, last), value in changes:
        within = document
        for name in path:
            within = within[name] if isinstance(within, (dict, list)) and name in dict(_items(within)) else None
        if isinstance(within, (dict, list)) and last in dict(_items(within)):
            within[last] = value

    check_told(yaml.safe_dump(document, allow_unicode=True).encode())


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    yield from value.items() if isinstance(value, dict) else enumerate(value)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(EVERYTHING)), st.integers(0, 9), st.sampled_from(PIECES)), max_size=6))
def test_any_text_is_taken_or_told(changes: list[tuple[int, int, bytes]]) -> None:
    data = EVERYTHING.encode()
    for place, length, piece in changes:
        data = data[:place] + piece + data[place + length :]

    check_told(data)
