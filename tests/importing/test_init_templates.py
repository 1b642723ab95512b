from __future__ import annotations

import ast

import pytest

from python.importing.scaffold.templates import rendered, sentence, wanted, wrapped


def reason(*gaps: str, problem: str = "", discovers: bool = False) -> str:
    (statement,) = ast.parse(wanted("source-x", gaps, problem, discovers=discovers)).body
    assert isinstance(statement, ast.Assign)
    return str(ast.literal_eval(statement.value))


def test_a_template_wants_each_of_its_names() -> None:
    assert rendered("VERSION", {}) == "v1\n"
    with pytest.raises(KeyError):
        rendered("main_native.py", {"module": "source_x"})


def test_the_reason_of_a_mark_says_what_to_do() -> None:
    assert reason("/a", "/b", discovers=True) == (
        "fill in /a, /b in source-x/test.flow.yaml; "
        "then take this mark away, and run `pytest source-x --snapshot-update`"
    )
    assert "run `headwater raw discover --source source-x/test.flow.yaml`" in reason("/a")


def test_the_reason_is_python_whatever_a_connector_said() -> None:
    said = "C:\\new \"x\" 'y' " + "z" * 200

    assert reason(problem=said).startswith(f"mend source-x/test.flow.yaml ({said}); run")


def test_a_long_complaint_is_cut_and_one_line() -> None:
    assert sentence("a\n  b") == "a b"
    assert len(sentence("x" * 5000)) == 301


def test_a_page_s_lines_are_short_and_its_code_stays_on_one() -> None:
    page = wrapped(f"# x\n\n{'word ' * 22}`python -m source-x --long`.\n")

    assert max(map(len, page.splitlines())) <= 120
    assert "\n`python -m source-x --long`.\n" in page
