"""What routes are asked: requests are checked against these. Unknown members are ignored, as ever."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

__all__ = [
    "Anything",
    "Configured",
    "Context",
    "Export",
    "FullResolve",
    "Import",
    "Lint",
    "ListStreams",
    "Manifest",
    "ManifestFullResolve",
    "ManifestTestRead",
    "Read",
    "ReadMany",
    "StreamReadRequest",
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
    config: dict[str, Any] = Field({}, description="Test values: only those that are no secrets are kept.")
    recording: str | None = Field(None, description="Name of a recording: the connector's tests answer from it.")
    lint: bool = True
    deadline: float | None = Field(None, gt=0)
    project_id: str | None = None


class Anything(BaseModel):
    """A request that is not read."""
