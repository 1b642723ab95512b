"""Which tasks a command is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from python.runner.loading import load_catalog
from python.runner.problems import CatalogError
from python.runner.task_choice import tasks_of
from tests.whole_spec import CAPTURE, SHELF, TOTALS, spec, write


def test_all_tasks_come_in_the_order_of_the_data_and_one_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, spec(tmp_path))
    catalog = load_catalog(tmp_path / "test.flow.yaml")

    assert [task.name for task in tasks_of(catalog, None)] == [CAPTURE, TOTALS, SHELF]
    assert [task.kind for task in tasks_of(catalog, TOTALS)] == ["derivation"]


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("{}", None, "defines nothing to run; add a capture, a derivation or a materialization"),
        ("{}", "a/b", "defines no task 'a/b'; its tasks are: none"),
    ],
)
def test_a_spec_without_the_task_is_told(tmp_path: Path, text: str, name: str | None, sentence: str) -> None:
    (tmp_path / "test.flow.yaml").write_text(text)

    with pytest.raises(CatalogError) as caught:
        tasks_of(load_catalog(tmp_path / "test.flow.yaml"), name)
    assert [problem.sentence for problem in caught.value.problems] == [sentence]
