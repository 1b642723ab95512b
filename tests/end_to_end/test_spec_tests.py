"""`headwater test` on the derivations of this repository: their tests pass, and fail where they should."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conversing import ROOT

pytestmark = pytest.mark.slow
HEADWATER = str(Path(sys.executable).parent / "headwater")


def run(source: Path) -> subprocess.CompletedProcess[str]:
    command = [HEADWATER, "test", "--source", str(source)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def changed(folder: Path, name: str, before: str, after: str) -> Path:
    """A copy of a derivation's spec in which `after` stands where `before` stood first."""
    text = (ROOT / name / "test.flow.yaml").read_text()
    assert before in text
    (folder / name).mkdir()
    (folder / "source-faker").mkdir()
    shutil.copy(ROOT / "source-faker" / "test.flow.yaml", folder / "source-faker")
    (folder / name / "test.flow.yaml").write_text(text.replace(before, after, 1))
    return folder / name / "test.flow.yaml"


@pytest.mark.parametrize(
    ("name", "test"), [("derive-contacts", "acmeCo/contacts/test"), ("derive-sales", "acmeCo/sales/test")]
)
def test_the_tests_of_a_derivation_pass(name: str, test: str) -> None:
    done = run(Path(name) / "test.flow.yaml")

    assert (done.returncode, done.stdout) == (0, f"PASS {test}\n1 passed, 0 failed\n"), done.stderr


def test_another_expectation_fails_with_the_places_that_differ(tmp_path: Path) -> None:
    source = changed(
        tmp_path, "derive-sales", "{make: Saab, purchases: 1, revenue: 200}", "{make: Skoda, purchases: 1}"
    )
    done = run(source)

    line = 1 + source.read_text().splitlines().index("    - verify:")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"FAIL acmeCo/sales/test: {source}:{line}: acmeCo/sales is not as expected",
        '  ["Skoda"] is missing: want {"make":"Skoda","purchases":1}',
        '  ["Saab"] is not expected: got {"make":"Saab","purchases":1,"revenue":200.0}',
        "0 passed, 1 failed",
    ]


def test_a_connector_that_derives_something_else_fails(tmp_path: Path) -> None:
    source = changed(tmp_path, "derive-contacts", "minAge: 18", "minAge: 40")
    done = run(source)

    assert done.returncode == 1
    assert "acmeCo/contacts is not as expected (Ada alone is a contact.)" in done.stdout
    assert "[1] is missing: want " in done.stdout
