"""What each route is asked and answers, for checking requests and for the OpenAPI page. Unknown members are ignored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

__all__ = [
    "Anything",
    "Capabilities",
    "Check",
    "Configured",
    "Context",
    "Discover",
    "Export",
    "Findings",
    "FullResolve",
    "HealthRead",
    "Import",
    "Imported",
    "InvalidInputExceptionInfo",
    "InvalidInputProperty",
    "KnownExceptionInfo",
    "Lint",
    "ListStreams",
    "Manifest",
    "ManifestFullResolve",
    "ManifestRead",
    "ManifestTestRead",
    "Migrated",
    "Ok",
    "Read",
    "ReadMany",
    "ReadOfMany",
    "ReadOfOne",
    "Refusal",
    "Resolved",
    "Rows",
    "StreamReadRead",
    "StreamReadRequest",
    "StreamUrl",
    "StreamsListRead",
    "Tool",
]

_Manifest = Annotated[
    dict[str, Any] | str,
    Field(description="The manifest as an object, or (our own) as YAML text: then findings have line and column."),
]


class Context(BaseModel):
    """For whom the request is: told to nobody, but that `project_id` may choose a CDK."""

    workspace_id: str | None = None
    project_id: str | None = None


class Manifest(BaseModel):
    """A manifest to resolve. `lint`, `deadline` are our own."""

    manifest: _Manifest
    form_generated_manifest: bool = Field(
        default=False, description="Taken, and without effect: both forms are read alike."
    )
    workspace_id: str | None = None
    project_id: str | None = None
    context: Context | None = None
    lint: bool = Field(
        default=True, description="Refuse a manifest with errors before the CDK sees it; false: only log them."
    )
    deadline: float | None = Field(None, gt=0, description="Seconds until the answer is what there is so far.")


class Configured(Manifest):
    """A manifest with values for its spec."""

    config: dict[str, Any]


class ListStreams(Configured):
    """A manifest whose streams are wanted."""


class FullResolve(Configured):
    """A manifest whose generated streams are wanted, too. More than 100 is answered with 400, as ever."""

    stream_limit: int | None = Field(None, ge=1)


class ManifestFullResolve(Configured):
    """The same in manifest_server."""

    stream_limit: int = Field(100, ge=1, le=100)


class Read(Configured):
    """What every test read takes. `record` and `replay` are our own."""

    state: list[Any] | None = None
    custom_components_code: str | None = None
    record: str | None = Field(None, description="Name of a recording to make below the server's --recordings folder.")
    replay: str | None = Field(None, description="Name of a recording to answer from, without a network.")


class StreamReadRequest(Read):
    """A test read. Limits beyond 5,000 records, 20 pages, 20 slices are answered with 400, as ever."""

    stream: str | None = None
    record_limit: int | None = Field(None, ge=1)
    page_limit: int | None = Field(None, ge=1)
    slice_limit: int | None = Field(None, ge=1)


class ManifestTestRead(Read):
    """The same in manifest_server."""

    stream_name: str
    record_limit: int = Field(100, ge=1, le=5000)
    page_limit: int = Field(5, ge=1, le=20)
    slice_limit: int = Field(5, ge=1, le=20)


class ReadMany(Read):
    """A test read of several streams; without `streams`, of all that the manifest names."""

    streams: list[str] | None = Field(None, min_length=1, max_length=100)
    record_limit: int = Field(100, ge=1, le=5000)
    page_limit: int = Field(5, ge=1, le=20)
    slice_limit: int = Field(5, ge=1, le=20)


class Tool(BaseModel):
    """A manifest to look at, not to run."""

    manifest: _Manifest
    project_id: str | None = None


class Lint(Tool):
    """A manifest to look for mistakes in; `spec` is the connection specification beside it, where it has none."""

    spec: dict[str, Any] | None = None


class Import(BaseModel):
    """A manifest as it comes: one text, several files by path, or a zip in base64. Exactly one of them."""

    manifest: str | None = None
    files: dict[str, str] | None = None
    zip: str | None = None
    flatten_config: bool = False
    values: dict[str, Any] | None = Field(None, description="Test values, to be made flat as well.")
    project_id: str | None = None


class Export(BaseModel):
    """A manifest to make a connector's folder of."""

    manifest: str = Field(description="YAML text: comments and order are kept.")
    name: str = Field(description="Name of the connector, such as source-x.")
    form: str = Field("headwater", description="headwater, airbyte-manifest-only or airbyte-python.")
    custom_components_code: str | None = None


class Anything(BaseModel):
    """A request that is not read."""


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
