"""What STYLE's rules 6 to 11 say of the code, checked. import-linter checks who may import whom."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "python").rglob("*.py"))
SPINE = [path for path in MODULES if path.parent.name == "protocol"]

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40  # from `def` to the last line, docstring included
PARAMETERS_MAX = 5  # without self and cls
NESTING_MAX = 3

FORBIDDEN_IN_THE_SPINE = re.compile(
    r"open|print|input|breakpoint|exec|eval|__import__"  # the world
    r"|.*\.(now|utcnow|today|sleep)|time\..*"  # the clock
    r"|random\..*|secrets\..*|uuid\.uuid[14]|os\..*|sys\..*"  # chance and environment
)
FORBIDDEN_IMPORTS_IN_THE_SPINE = {
    *("os", "sys", "io", "pathlib", "subprocess", "socket", "shutil", "tempfile", "signal", "threading", "asyncio"),
    *("time", "random", "secrets", "logging", "warnings", "multiprocessing", "select", "fcntl", "atexit"),
}

# What may be called while a module is imported: it gives a value, and changes nothing elsewhere.
ALLOWED_AT_IMPORT = re.compile(
    r"([a-z_]+\.)*_?[A-Z]\w*"  # a type makes a value
    r"|_[a-z]\w*"  # a function of the module's own
    r"|frozenset|tuple|dict|range|type|ord|chr|vars|getattr|dict\.fromkeys|str\.maketrans|dataclass|field"
    r"|re\.compile|msgspec\.(field|json\.(De|En)coder)|pointer\.join|logging\.makeLogRecord"
    r"|'.*'\.split|\{.*\}\.items|\w+\.(split|upper)"  # text and tables, spelled out
    r"|operator\.attrgetter"  # a function, made of names
    r"|logging\.getLogger"  # a name; decision 0007 says why this is no logger
    r"|_[A-Z]\w*\.add_\w+",  # on a type of the module's own
    re.DOTALL,
)
# Commands are declared by click's decorators; nothing imports them but the command line.
ALLOWED_IN_COMMANDS = re.compile(r"click\.\w+|\w+\.(command|group)")
# So are assets, by Dagster's (decision 0150); nothing imports them but Dagster.
ALLOWED_IN_ORCHESTRATOR = re.compile(
    r"dg\.(asset|multi_asset|multi_asset_check|sensor|schedule|run_failure_sensor|define_asset_job|AssetSelection\.assets)"
)

by_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
in_the_spine = pytest.mark.parametrize("path", SPINE, ids=lambda path: path.stem)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    own = [each for each in named if each.arg not in ("self", "cls")]
    return len(own) + (node.args.vararg is not None) + (node.args.kwarg is not None)


_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def nesting(node: ast.AST, *, of_elif: bool = False) -> int:
    """The depth of blocks in blocks below `node`; an `elif` stands beside its `if`, an inner function begins anew."""
    depth = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        depth = max(depth, nesting(child, of_elif=is_elif))
    return depth + (isinstance(node, _BLOCKS) and not of_elif)


def calls_at_import(path: Path) -> Iterator[str]:
    """Each call that importing the module makes: not those in the bodies of functions."""
    waiting: list[ast.AST] = [parsed(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            continue
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            waiting.extend([*node.decorator_list, *defaults])
        elif not isinstance(node, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


@in_the_spine
def test_the_spine_touches_neither_world_nor_clock(path: Path) -> None:
    calls = {ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)}

    assert not sorted(call for call in calls if FORBIDDEN_IN_THE_SPINE.fullmatch(call))


@in_the_spine
def test_the_spine_imports_nothing_that_could(path: Path) -> None:
    imported = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert not imported & FORBIDDEN_IMPORTS_IN_THE_SPINE


@by_module
def test_no_module_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES_MAX


@by_module
def test_no_function_is_too_long(path: Path) -> None:
    assert {node.name: lines(node) for node in functions(path) if lines(node) > FUNCTION_LINES_MAX} == {}


@by_module
def test_no_function_takes_too_much(path: Path) -> None:
    assert {node.name: parameters(node) for node in functions(path) if parameters(node) > PARAMETERS_MAX} == {}


@by_module
def test_no_function_is_nested_too_deeply(path: Path) -> None:
    assert {node.name: nesting(node) for node in functions(path) if nesting(node) > NESTING_MAX} == {}


@by_module
def test_no_module_shadows_the_standard_library(path: Path) -> None:
    """Such a module would be found in place of the library's when the package's folder is on the path."""
    assert path.stem == "__init__" or path.stem not in sys.stdlib_module_names


@by_module
def test_importing_does_nothing(path: Path) -> None:
    of_folder = {"cli": [ALLOWED_IN_COMMANDS], "orchestrator": [ALLOWED_IN_ORCHESTRATOR]}
    allowed = [ALLOWED_AT_IMPORT, *of_folder.get(path.parent.name, [])]
    calls = sorted(set(calls_at_import(path)))

    assert not [call for call in calls if not any(pattern.fullmatch(call) for pattern in allowed)]


def test_the_lists_of_what_is_forbidden_forbid_something() -> None:
    assert all(FORBIDDEN_IN_THE_SPINE.fullmatch(call) for call in ("open", "dt.datetime.now", "time.time", "print"))
    assert not any(FORBIDDEN_IN_THE_SPINE.fullmatch(call) for call in ("self.open", "pointer.join", "reopen"))
    assert not any(ALLOWED_AT_IMPORT.fullmatch(call) for call in ("os.getenv", "open", "logging.basicConfig", "setup"))


def test_the_limits_see_what_they_limit() -> None:
    source = """
def f(self, a, b, *c, d, **e):
    if a:
        for b in c:
            with d:
                try:
                    pass
                except ValueError:
                    pass
    elif b:
        pass
"""
    node = next(each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.FunctionDef))

    assert (lines(node), parameters(node), nesting(node)) == (10, 5, 4)
