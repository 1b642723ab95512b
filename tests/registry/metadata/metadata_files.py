"""Metadata files for tests: one that is right, and changes to it."""

from __future__ import annotations

from typing import Any

import yaml

RIGHT = """\
metadataSpecVersion: "1.0"
data:
  name: Weather
  definitionId: 0f0c3a5e-0000-4000-8000-000000000001
  connectorType: source
  connectorSubtype: api
  dockerRepository: airbyte/source-weather
  dockerImageTag: 1.4.0
  license: MIT
  documentationUrl: https://docs.airbyte.com/integrations/sources/weather
  githubIssueLabel: source-weather
  releaseStage: alpha
  releaseDate: 2024-02-01
  tags:
    - language:python
  registryOverrides:
    oss:
      enabled: true
    cloud:
      enabled: false
"""

REMOVE = object()


def changed(at: str, value: Any = REMOVE, text: str = RIGHT) -> bytes:
    """`text` with another value at the dotted path `at`, or without one."""
    document = yaml.safe_load(text)
    *path, last = at.split(".")
    within = document
    for name in path:
        within = within.setdefault(name, {})
    if value is REMOVE:
        del within[last]
    else:
        within[last] = value
    return yaml.safe_dump(document, sort_keys=False).encode()
