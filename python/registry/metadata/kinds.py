"""Kinds of text that metadata holds: each is a string that was checked, and stays as it was written."""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
import uuid
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

__all__ = ["Date", "ImageName", "ImageTag", "Url", "Uuid", "VersionNumber"]

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d+)?/)?"
IMAGE_NAME = rf"^{_HOST}{_COMPONENT}(?:/{_COMPONENT})*$"
IMAGE_TAG = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
_COUNT = "(?:0|[1-9][0-9]{0,17})"  # as semantic versioning has numbers; Airbyte's pattern takes 01, too
VERSION_NUMBER = rf"^{_COUNT}\.{_COUNT}\.{_COUNT}$"
NAME_CHARS_MAX = 255  # of an image, as registries allow; of a file, too

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _text(known: Callable[[str], object], wanted: str) -> BeforeValidator:
    def check(value: Any) -> Any:  # noqa: ANN401 -- whatever the file says
        text = value.isoformat() if type(value) is dt.date else value  # as other readers of YAML have days
        try:
            right = isinstance(text, str) and known(text)
        except ValueError:
            right = False
        if not right:
            raise ValueError(f"want {wanted}")
        return text

    return BeforeValidator(check)


def _is_url(text: str) -> bool:
    parts = urllib.parse.urlsplit(text)
    return bool(parts.scheme in ("http", "https") and parts.hostname and not set(text) & set(" \t\n<>\"'"))


def _is_date(text: str) -> bool:
    return bool(_DATE.fullmatch(text) and dt.date.fromisoformat(text))


def _is_uuid(text: str) -> bool:
    return str(uuid.UUID(text)) == text.lower()


Url: TypeAlias = Annotated[
    str, _text(_is_url, "a URL, as https://example.com/page"), WithJsonSchema({"type": "string", "format": "uri"})
]

Date: TypeAlias = Annotated[
    str,
    _text(_is_date, "a day, as 2026-11-21"),
    WithJsonSchema({"type": "string", "format": "date"}),
]

Uuid: TypeAlias = Annotated[
    str,
    _text(_is_uuid, "a UUID, as 6371b14b-bc68-4236-bfbd-468e8df8e968"),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]

ImageName: TypeAlias = Annotated[
    str, StringConstraints(pattern=IMAGE_NAME, max_length=NAME_CHARS_MAX), Field(examples=["airbyte/source-faker"])
]
"""The name of an image without its tag; also the path of its versions in a bucket, so nothing that leads elsewhere."""

ImageTag: TypeAlias = Annotated[str, StringConstraints(pattern=IMAGE_TAG), Field(examples=["1.4.0", "2.0.0-rc.1"])]

VersionNumber: TypeAlias = Annotated[str, StringConstraints(pattern=VERSION_NUMBER)]
