"""Orders of a small manifest, to be changed by each test."""

from __future__ import annotations

from typing import Any

from python.builder.export.facts import Facts, facts_of
from python.builder.export.order import Order
from python.builder.manifests import cdk
from python.builder.manifests.linting import opened, read

DATE = "2026-11-21"

MANIFEST = """\
# The shop's own API.
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [orders]}

definitions:
  requester:
    type: HttpRequester
    url: "https://{{ config['shop'] }}.example.com/v1"  # each shop has its own
    authenticator: {type: BearerAuthenticator, api_token: "{{ config['token'] }}"}

streams:
  - type: DeclarativeStream
    name: orders
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/requester", path: orders}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
      paginator:
        type: DefaultPaginator
        pagination_strategy: {type: OffsetIncrement, page_size: 10}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, total: {type: number}}}

metadata:
  autoImportSchema: {orders: true}

# What a user fills in.
spec:
  type: Spec
  connection_specification:
    type: object
    required: [shop, token]
    properties:
      shop: {type: string, title: Shop}
      token: {type: string, title: Token, airbyte_secret: true}
"""

STREAM = """\
  - type: DeclarativeStream
    name: {name}
    retriever:
      type: SimpleRetriever
      requester: {{$ref: "#/definitions/requester", path: {name}}}
      record_selector: {{type: RecordSelector, extractor: {{type: DpathExtractor, field_path: []}}}}

metadata:
"""


def order(text: str = MANIFEST, name: str = "source-shop", **members: Any) -> Order:
    """An order that starts nothing."""
    return Order(**{"text": text, "name": name, "cdk": cdk.installed(), "date": DATE, "ask": False, **members})


def facts(text: str = MANIFEST) -> Facts:
    return facts_of(read(opened(text), cdk.installed()))


def with_stream(name: str, text: str = MANIFEST) -> str:
    return text.replace("metadata:\n", STREAM.format(name=name), 1)
