"""What the pages say is true: their Python runs, their commands exist, their links lead somewhere."""

from __future__ import annotations

import itertools
import re
import shlex
import sys
import types
from pathlib import Path
from typing import NamedTuple

import click
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    page
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("*-*/*.md"),
        *ROOT.glob("python/**/*.md"),
    ]
    if ".venv" not in page.parts
]
COMMANDS = re.compile(r"^\$ (.*)$", re.MULTILINE)
SEPARATORS = ("|", "&&", ";", ">", "#")


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w+)[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [Block(page, text.count("\n", 0, each.start()) + 2, each[1], each[2]) for each in found]


BLOCKS = [block for page in PAGES for block in blocks(page)]
WITH_PYTHON = sorted({block.page for block in BLOCKS if block.language == "python"})
SHELL = [block for block in BLOCKS if block.language in ("console", "bash", "sh", "shell")]
PATHS = [str(path.relative_to(ROOT)) for path in PAGES]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs_from_its_first_block_to_its_last(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of one page are one program, as its reader reads them."""
    if "airbyte" in page.read_text(encoding="utf-8"):
        pytest.importorskip("airbyte_cdk")
    for connector in ROOT.glob("*-*/"):
        monkeypatch.syspath_prepend(str(connector))
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for block in blocks(page):
        if block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            exec(code, vars(module))  # noqa: S102 -- our own pages


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_of_a_page_exists_with_its_options(block: Block) -> None:
    for command in commands(block):
        check(command)


def commands(block: Block) -> list[list[str]]:
    """The commands of a block, in words: after a prompt in `console`, every line elsewhere; pipes are cut."""
    text = block.text.replace("\\\n", " ")
    lines = COMMANDS.findall(text) if block.language == "console" else text.splitlines()
    found: list[list[str]] = []
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, "|"]:
            if word.startswith(SEPARATORS):
                found.append(words)
                words = []
            else:
                words.append(word)
    return [words for words in found if words]


def check(words: list[str]) -> None:
    program, *rest = words
    if program == "headwater":
        _check_headwater(rest)
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert not [word for word in rest if "=" not in word and word not in targets]
    elif program in ("python", "python3") and rest[:1] == ["-m"]:
        module = ROOT / rest[1].replace(".", "/") / "__main__.py"
        assert rest[1] in ("pip", "pytest") or module.exists()
    elif program in ("python", "python3", "source", "bash") and rest:
        assert (ROOT / rest[0]).exists(), words
    elif "/" in program:
        assert (ROOT / program).exists(), words


def _check_headwater(words: list[str]) -> None:
    from python.cli.commands import headwater

    command: click.Command = headwater
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
    known = {option for each in command.params if isinstance(each, click.Option) for option in each.opts}
    named = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert named <= known | {"--help", "-h", "--version"}, words
    for option, value in itertools.pairwise(words):
        if option == "--source":
            assert (ROOT / value).exists() or not value.startswith("source-"), words


def test_the_readme_names_every_command() -> None:
    from python.cli.commands import headwater

    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [name for name in headwater.commands if f"headwater {name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=PATHS)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]

    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_decision_says_why_and_what_follows() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [re.match(r"\d{4}-", path.name) for path in decisions]
    assert all(numbers)
    assert len({number[0] for number in numbers if number}) == len(decisions)

    for path in decisions:
        headings = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_commands_are_found_in_pipes_and_after_continuations() -> None:
    text = "$ headwater raw spec --source a.yaml \\\n    --capture x | jq .protocol\nprinted\n$ make demo  # a remark\n"

    assert commands(Block(ROOT / "README.md", 1, "console", text)) == [
        ["headwater", "raw", "spec", "--source", "a.yaml", "--capture", "x"],
        ["jq", ".protocol"],
        ["make", "demo"],
    ]


@pytest.mark.parametrize(
    "line", ["headwater fly", "headwater run --sauce x", "make haste", "python -m source-nowhere", "python/gone.sh"]
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(AssertionError):
        check(line.split())
