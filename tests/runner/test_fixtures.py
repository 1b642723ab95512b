"""Files of documents for a preview."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from python.protocol.errors import HeadwaterError
from python.runner import fixtures
from python.runner.fixtures import transactions_in
from python.runner.problems import CatalogError
from python.runner.stop import Stop


def read(folder: Path, text: str) -> list[list[tuple[str, str, int]]]:
    path = folder / "fixture.jsonl"
    path.write_text(text)
    found = list(transactions_in(str(path), Stop()))
    assert all(given.where.file == path for transaction in found for given in transaction)
    return [[(given.collection, given.doc.decode(), given.where.line) for given in each] for each in found]


def test_commits_end_transactions_and_the_end_of_the_file_does_too(tmp_path: Path) -> None:
    text = '["a/b",{"n":1}]\n\n ["a/c", {"n": 2}] \n{"commit":true}\n{"commit":true}\n["a/b",{"n":3}]'

    assert read(tmp_path, text) == [[("a/b", '{"n":1}', 1), ("a/c", '{"n": 2}', 3)], [], [("a/b", '{"n":3}', 6)]]


def test_a_last_commit_begins_no_further_transaction(tmp_path: Path) -> None:
    assert read(tmp_path, '["a/b",{}]\n{"commit":true}\n') == [[("a/b", "{}", 1)]]
    assert read(tmp_path, "") == []


@pytest.mark.parametrize(
    "text", ['[[["a/b",{"n":1}],["a/b",{"n":2}]],[]]', '[\n [["a/b",{"n":\n1}], ["a/b",{"n":2}]],\n[]]']
)
def test_an_array_of_transactions_is_the_older_form(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == [[("a/b", '{"n":1}', 1), ("a/b", '{"n":2}', 1)], []]


def test_an_array_may_be_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "[]") == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('["a/b",{}]\n["a/b"]', ':2: Expected `array` of length 2; want ["collection",{document}], or {"commit":true}'),
        ('{"comit":true}', ":1: Object contains unknown field `comit`; want"),
        ('{"commit":false}', ":1: commit is false; want"),
        ("[[1]]", ":1: Expected `array`, got `int` - at `$[0][0]`; want an array of transactions; or in lines, want"),
        ("nonsense", ":1: JSON is malformed: invalid character (byte 4); want"),
    ],
)
def test_what_is_no_fixture_is_told_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CatalogError) as caught:
        read(tmp_path, text)

    assert f"fixture.jsonl{sentence}" in str(caught.value)


def test_a_line_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures, "LINE_BYTES_MAX", 10)

    with pytest.raises(CatalogError, match=r"fixture.jsonl:2: is longer than 10 bytes"):
        read(tmp_path, '["a/b",{}]\n["a/b",{"n":1}]')


@pytest.mark.parametrize(
    ("path", "sentence"), [("gone", r"gone: No such file"), (".", r"\.: Is a directory"), ("/proc/self/mem", "mem: ")]
)
def test_what_cannot_be_read_is_told(tmp_path: Path, path: str, sentence: str) -> None:
    with pytest.raises(HeadwaterError, match=f"--fixture .*{sentence}.*; give a file of documents, or - for stdin"):
        next(transactions_in(str(tmp_path / path) if path != "." else path, Stop()))


def test_a_file_that_ends_amid_a_document_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"fixture.jsonl:2: Input data was truncated; want"):
        read(tmp_path, '["a/b",{"n":1}]\n["a/b",{"n"')


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\x02\x01\x00\n\xff\xfe")
    with pytest.raises(CatalogError, match=r"binary:1: JSON is malformed: .*; want \["):
        list(transactions_in(str(tmp_path / "binary"), Stop()))


def test_a_stop_ends_a_stream_amid_a_transaction(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    stop = Stop()
    found = transactions_in(str(tmp_path / "fifo"), stop)
    with open(tmp_path / "fifo", "r+b", buffering=0) as writer:  # noqa: PTH123 -- opened so, it does not wait for a reader
        writer.write(b'["a/b",{}]\n{"commit":true}\n["a/b",{}]\n["a/')
        assert len(next(found)) == 1
        stop.ask()

        assert list(found) == []
