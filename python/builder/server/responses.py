"""What routes answer, for the OpenAPI page: nothing is checked against these, so no result is lost by them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

__all__ = [
    "Capabilities",
    "Check",
    "Discover",
    "Findings",
    "HealthRead",
    "Imported",
    "InvalidInputExceptionInfo",
    "InvalidInputProperty",
    "KnownExceptionInfo",
    "ManifestRead",
    "Migrated",
    "Ok",
    "ReadOfMany",
    "ReadOfOne",
    "Refusal",
    "Resolved",
    "Rows",
    "StreamReadRead",
    "StreamUrl",
    "StreamsListRead",
]


class Refusal(BaseModel):
    """An error of the FastAPI families."""

    detail: Any
    details: dict[str, Any] | None = None


class KnownExceptionInfo(BaseModel):
    """An error of the platform's families; `detail` stands beside where a path was of both."""

    message: str
    exceptionClassName: str | None = None  # noqa: N815 -- Airbyte's name
    exceptionStack: list[str] = []  # noqa: N815 -- same
    details: dict[str, Any] | None = None
    detail: Any = None


class InvalidInputProperty(BaseModel):
    """One thing that is wrong with a request. `invalidValue` is told of numbers only: a text may be a secret."""

    propertyPath: str  # noqa: N815 -- Airbyte's name
    invalidValue: Any = None  # noqa: N815 -- same
    message: str | None = None


class InvalidInputExceptionInfo(KnownExceptionInfo):
    """A request whose shape is wrong."""

    validationErrors: list[InvalidInputProperty] = []  # noqa: N815 -- Airbyte's name


class Resolved(BaseModel):
    """A manifest with its references followed."""

    manifest: dict[str, Any]


class Migrated(Resolved):
    """A manifest in the newest form, and each place that changed on the way."""

    changes: list[dict[str, Any]]


class StreamUrl(BaseModel):
    """Where a stream comes from."""

    name: str
    url: str


class StreamsListRead(BaseModel):
    """The streams of a manifest."""

    streams: list[StreamUrl]


class StreamReadRead(BaseModel):
    """What a test read came to. `limits_reached` is our own: records, pages, slices, seconds or bytes."""

    logs: list[dict[str, Any]]
    slices: list[dict[str, Any]]
    test_read_limit_reached: bool
    auxiliary_requests: list[dict[str, Any]] | None = None
    inferred_schema: dict[str, Any] | None = None
    inferred_datetime_formats: dict[str, str] | None = None
    latest_config_update: dict[str, Any] | None = None
    limits_reached: list[str] = []


class ManifestRead(StreamReadRead):
    """The same in manifest_server, where no member is ever missing."""


class ReadOfOne(BaseModel):
    """One of several test reads: `status` is what it would have been answered with, `read` or `error` its body."""

    stream: str
    status: int
    read: StreamReadRead | None = None
    error: KnownExceptionInfo | None = None


class ReadOfMany(BaseModel):
    """Several test reads, in the order they were asked for."""

    reads: list[ReadOfOne]


class Check(BaseModel):
    """Whether a config works."""

    success: bool
    message: str | None = None


class Discover(BaseModel):
    """The catalog of a manifest."""

    catalog: dict[str, Any]


class Findings(BaseModel):
    """What `headwater manifest lint --json` prints."""

    file: str
    cdk_version: str
    findings: list[dict[str, Any]]


class Rows(BaseModel):
    """What `headwater manifest check --json` prints."""

    file: str
    cdk_version: str
    compatible: bool


class Imported(BaseModel):
    """What `headwater manifest import` writes and prints."""

    manifest: str
    components: str | None
    values: dict[str, Any] | None
    notes: list[dict[str, Any]]


class Capabilities(BaseModel):
    """What this server may do."""

    custom_code_execution: bool


class HealthRead(BaseModel):
    """Whether the default CDK can be used. All after `capabilities` is our own."""

    available: bool
    cdk_version: str | None
    capabilities: Capabilities
    warm: bool
    why_not_warm: str | None = None
    reason: str | None = None
    cdks: list[str] = []


class Ok(BaseModel):
    """The server answers."""

    status: str
