from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import InitVar, dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.pagination_strategy import PaginationStrategy
from airbyte_cdk.sources.declarative.transformations import RecordTransformation


@dataclass
class Signer(DeclarativeAuthenticator):
    """Signs each request with its path."""

    config: Mapping[str, Any]
    parameters: InitVar[Mapping[str, Any]]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signed"] = "signed:" + request.path_url.partition("?")[0]
        return request


@dataclass
class Table(RecordExtractor):
    """Makes records of a table whose first line names the columns."""

    parameters: InitVar[Mapping[str, Any]]

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[str, Any]]:
        table = response.json()
        return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


@dataclass
class LowerNames(RecordTransformation):
    """Writes all names in small letters, in place, as the CDK wants it."""

    parameters: InitVar[Mapping[str, Any]]

    def transform(self, record: dict[str, Any], *_: Any, **__: Any) -> None:
        for name in [name for name in record if name != name.lower()]:
            record[name.lower()] = record.pop(name)


@dataclass
class WhatIsLeft(PaginationStrategy):
    """Goes on as long as the answer says that there is something left."""

    page_size: int
    parameters: InitVar[Mapping[str, Any]]

    @property
    def initial_token(self) -> Any | None:
        return None

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Any,
        last_page_token_value: Any | None,
        *_: Any,
        **__: Any,
    ) -> Any | None:
        start = int(last_page_token_value or 0) + self.page_size
        return start if response.json()["left"] else None

    def get_page_size(self) -> int | None:
        return self.page_size
