"""Messages as airbyte_cdk's, as far as the worker looks at them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any


def record(**data: Any) -> SimpleNamespace:
    return SimpleNamespace(type=SimpleNamespace(value="RECORD"), record=SimpleNamespace(data=data))


def log(message: str, level: str = "INFO") -> SimpleNamespace:
    return SimpleNamespace(
        type=SimpleNamespace(value="LOG"), log=SimpleNamespace(message=message, level=SimpleNamespace(value=level))
    )


def exchange(url: str, *, stream: str | None = None, auxiliary: bool = False) -> SimpleNamespace:
    http = {
        "is_auxiliary": auxiliary,
        "request": {"method": "GET", "headers": {"a": "b"}, "body": {"content": ""}},
        "response": {"status_code": 200, "headers": {}, "body": {"content": "{}"}},
    }
    named = {} if stream is None else {"airbyte_cdk": {"stream": {"name": stream}}}
    return log(json.dumps({"http": http, "url": {"full": url}, **named}))


def error(message: str) -> SimpleNamespace:
    told = SimpleNamespace(message=message, internal_message="inside")
    return SimpleNamespace(type=SimpleNamespace(value="TRACE"), trace=SimpleNamespace(error=told))
