"""The worker runs in interpreters that are not ours: Python 3.9, standard library, what airbyte_cdk itself needs."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).parents[3] / "python" / "builder" / "worker"
OF_THE_CDK = {"jinja2", "requests", "urllib3"}


@pytest.mark.parametrize("path", sorted(WORKER.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_of_the_worker_is_written_for_python_3_9_and_imports_nothing_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 9))

    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0}
    own = {each.stem for each in WORKER.glob("*.py")}
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - OF_THE_CDK - own
    assert foreign == set()
