from __future__ import annotations

import pytest

from python.builder.export.pages import documentation, icon, with_row
from python.builder.export.revising import Revision
from tests.builder.export.made import DATE, MANIFEST, facts, order

ROW = Revision(tag="1.1.0", version="v1", date=DATE, lines=("A | b.", "Two."))


def test_a_row_is_put_on_top_in_the_columns_that_the_table_has() -> None:
    page = (
        "# X\n\n<details>\n\n| Date | Version | Subject |\n|:-----|:--|:--|\n| 2024-01-01 | 1.0.0 | a |\n\n</details>\n"
    )

    assert with_row(page, ROW) == page.replace("| 2024-01-01", f"| {DATE} | 1.1.0 | A \\| b. Two. |\n| 2024-01-01")


def test_a_page_without_a_table_gets_one() -> None:
    assert with_row("# X\n", ROW).endswith(
        "## Changelog\n\n| Version | Date | Pull Request | Subject |\n| :--- | :--- | :--- | :--- |\n"
        f"| 1.1.0 | {DATE} |  | A \\| b. Two. |\n"
    )


def test_what_is_no_new_version_has_no_row() -> None:
    same = Revision(tag="1.1.0", version="v1", date=DATE, lines=(), new=False)

    assert with_row("# X\n", same) == "# X\n"


def test_cells_hold_whatever_a_manifest_says() -> None:
    text = MANIFEST.replace("name: orders", 'name: "or|ders\\n x"')

    assert "| or\\|ders x | id |" in documentation(order(), facts(text), ROW)


@pytest.mark.parametrize(("name", "letters"), [("source-shop", "S"), ("source-big-data", "BD"), ("source---", "")])
def test_an_icon_has_the_first_letters_and_a_colour_of_its_own(name: str, letters: str) -> None:
    assert f">{letters}</text>" in icon(name)
    assert icon(name) == icon(name) != icon(f"{name}x")
