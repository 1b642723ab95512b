from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from python.registry.metadata.schema import text
from tests.registry.metadata.metadata_files import RIGHT, changed

PAGE = Path(__file__).parents[3] / "docs" / "metadata-schema.json"
HINT = "run: make docs"


def test_the_schema_in_docs_is_what_the_models_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), HINT


def value(data: bytes) -> Any:
    """The file as JSON has it: days are text."""
    return json.loads(json.dumps(yaml.safe_load(data), default=str))


def test_the_schema_takes_and_refuses_what_the_models_do() -> None:
    schema = jsonschema.Draft202012Validator(json.loads(text()))
    right = value(RIGHT.encode())

    assert [each.message for each in schema.iter_errors(right)] == []
    assert not schema.is_valid(value(changed("data.name")))
    assert not schema.is_valid({**right, "more": 1})
