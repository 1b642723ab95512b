from __future__ import annotations

from pathlib import Path

import pytest

from python.builder.worker.execution import run_entrypoint

RECORD = '{"type": "RECORD", "record": {"stream": "a", "data": {"n": %d}, "emitted_at": 0}}'
TRACE = '{"type": "TRACE", "trace": {"type": "ERROR", "error": {"message": "broken"}, "emitted_at": 0}}'


def script(folder: Path, text: str) -> str:
    path = folder / "entrypoint.py"
    path.write_text(text)
    return str(path)


def test_the_last_record_is_the_answer_whatever_else_is_printed(tmp_path: Path) -> None:
    lines = [RECORD % 1, '{"type": "LOG"}', "RECORD noise", TRACE, RECORD % 2]

    printed = run_entrypoint(script(tmp_path, "".join(f"print('''{line}''')\n" for line in lines)), [])

    assert printed.record == {"stream": "a", "data": {"n": 2}, "emitted_at": 0}


def test_without_a_record_the_trace_is_the_error(tmp_path: Path) -> None:
    printed = run_entrypoint(script(tmp_path, f"print('''{TRACE}''', end='')"), [])

    assert printed.record is None
    assert printed.error == {"message": "broken"}


def test_an_entrypoint_has_its_arguments_its_name_and_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("N = 7")
    text = "import sys, neighbour\nif __name__ == '__main__':\n    "
    path = script(tmp_path, text + "print('" + RECORD.replace("%d", "%s") + "' % len(sys.argv[1:]))")

    printed = run_entrypoint(path, ["read", "--config"])

    assert printed.record is not None
    assert printed.record["data"] == {"n": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the entrypoint ended without an answer"),
        ("raise SystemExit(2)", "ended with 2 and no answer"),
        ("import sys\nsys.stderr.write('usage: x')\nsys.exit(2)", "usage: x"),
        ("raise ValueError('bad')", "ValueError: bad"),
    ],
)
def test_an_entrypoint_without_an_answer_is_told_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    assert told in run_entrypoint(script(tmp_path, text), []).died
