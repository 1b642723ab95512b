from __future__ import annotations

from pathlib import Path

from python.builder.server.describing import description

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "builder-openapi.json"


def test_the_description_of_the_routes_is_what_they_are() -> None:
    """After a change: `make docs`."""
    assert PAGE.read_text(encoding="utf-8") == description()
