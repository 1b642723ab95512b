"""The parts of a metadata.yaml. A closed one refuses what it does not know; an open one keeps it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt
from pydantic.alias_generators import to_camel

from python.registry.metadata.kinds import Date, Url, VersionNumber

__all__ = [
    "AbInternal",
    "AllowedHosts",
    "BreakingChange",
    "Closed",
    "Commit",
    "ConnectorBuildOptions",
    "ConnectorIpcOptions",
    "ConnectorTestSuite",
    "DataChannel",
    "ExternalDocumentationUrl",
    "Generated",
    "JobRequirements",
    "Metrics",
    "NormalizationConfig",
    "Open",
    "PypiPackage",
    "PythonComponents",
    "Releases",
    "RemoteRegistries",
    "Requirements",
    "ResourceRequirements",
    "RolloutConfiguration",
    "ScopedImpact",
    "SecretStore",
    "SourceFile",
    "Subtype",
    "SuggestedStreams",
    "TestConnection",
    "TestSecret",
]

_PERCENT_MAX = 100
_DELAY_MINUTES_MIN = 10  # as often as Airbyte's platform looks

Subtype: TypeAlias = Literal["api", "database", "datalake", "file", "custom", "message_queue", "unknown", "vectorstore"]


class Closed(BaseModel):
    """An object that has the members named, in Airbyte's spelling, and no others."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=False)


class Open(BaseModel):
    """An object that has the members named, in Airbyte's spelling, and may have others."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", frozen=True, validate_by_name=False)


class ConnectorBuildOptions(Closed):
    """How its image is built."""

    base_image: str | None = None


class SecretStore(Closed):
    """Where a secret of its tests is kept."""

    alias: str | None = None
    type: Literal["GSM"] | None = None


class TestSecret(Closed):
    """A secret that its tests need."""

    __test__ = False  # pytest takes classes of this name for its own
    name: str
    file_name: str | None = None
    secret_store: SecretStore


class TestConnection(Closed):
    """A connection of Airbyte's own that live tests use."""

    __test__ = False  # same
    name: str
    id: str


class ConnectorTestSuite(Closed):
    """One of its test suites, and what it needs."""

    suite: Literal["unitTests", "integrationTests", "acceptanceTests", "liveTests"]
    test_secrets: list[TestSecret] | None = None
    test_connections: list[TestConnection] | None = None


class ExternalDocumentationUrl(Closed):
    """A page of what it connects to."""

    title: str
    url: Url
    type: (
        Literal[
            "api_deprecations",
            "api_reference",
            "api_release_history",
            "authentication_guide",
            "data_model_reference",
            "developer_community",
            "migration_guide",
            "openapi_spec",
            "other",
            "permissions_scopes",
            "rate_limits",
            "sql_reference",
            "status_page",
        ]
        | None
    ) = None
    requires_login: StrictBool | None = False


class AllowedHosts(Open):
    """The hosts that it may ask: none where the list is empty, any where there is no list."""

    hosts: list[str] | None = None


class SuggestedStreams(Open):
    """The streams that a user should begin with."""

    streams: list[str] | None = None


class NormalizationConfig(Open):
    """The image that normalizes what a destination stored."""

    normalization_repository: str
    normalization_tag: str
    normalization_integration_type: str


class Requirements(Closed):
    """What one job may use, in Kubernetes' units."""

    model_config = ConfigDict(alias_generator=None)

    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None


class JobRequirements(Closed):
    """What jobs of one type may use."""

    job_type: Literal[
        "get_spec",
        "check_connection",
        "discover_schema",
        "sync",
        "reset_connection",
        "connection_updater",
        "replicate",
    ]
    resource_requirements: Requirements


class ResourceRequirements(Closed):
    """What its jobs may use."""

    default: Requirements | None = None
    job_specific: list[JobRequirements] | None = None


class ScopedImpact(Closed):
    """Which streams a breaking change is about."""

    scope_type: Literal["stream"]
    impacted_scopes: Annotated[list[str], Field(min_length=1)]


class BreakingChange(Closed):
    """What breaks with one version, and until when users may stay with the one before."""

    upgrade_deadline: Date
    message: Annotated[str, Field(min_length=1)]
    deadline_action: Literal["auto_upgrade", "disable"] | None = None
    migration_documentation_url: Url | None = None
    scoped_impact: list[ScopedImpact] | None = None


class RolloutConfiguration(Closed):
    """How a release candidate is given to ever more users."""

    enable_progressive_rollout: StrictBool | None = False
    initial_percentage: Annotated[StrictInt, Field(ge=0, le=_PERCENT_MAX)] | None = 0
    max_percentage: Annotated[StrictInt, Field(ge=0, le=_PERCENT_MAX)] | None = 50
    advance_delay_minutes: Annotated[StrictInt, Field(ge=_DELAY_MINUTES_MIN)] | None = 10


class Releases(Closed):
    """What users are told of its versions."""

    rollout_configuration: RolloutConfiguration | None = None
    breaking_changes: Annotated[dict[VersionNumber, BreakingChange], Field(min_length=1)] | None = None
    migration_documentation_url: Url | None = None


class AbInternal(Open):
    """Airbyte's own grades."""

    sl: Literal[0, 100, 200, 300] | None = None
    ql: Literal[0, 100, 200, 300, 400, 500, 600] | None = None
    is_enterprise: StrictBool | None = False
    require_version_increments_in_pull_requests: StrictBool | None = True


class Commit(Open):
    """The last commit that changed the file, as upload found it."""

    model_config = ConfigDict(alias_generator=None)

    commit_sha: str | None = None
    commit_timestamp: str | None = None
    commit_author: str | None = None
    commit_author_email: str | None = None


class SourceFile(Open):
    """The file in a bucket that an entry was made of."""

    model_config = ConfigDict(alias_generator=None)

    metadata_etag: str | None = None
    metadata_file_path: str | None = None
    metadata_bucket_name: str | None = None
    metadata_last_modified: str | None = None
    registry_entry_generated_at: str | None = None


class Metrics(Open):
    """How much it is used, and how well, by platform. Whoever measures says what is in it."""

    all: dict[str, Any] | None = None
    cloud: dict[str, Any] | None = None
    oss: dict[str, Any] | None = None


class PythonComponents(Open):
    """The sum of its components.zip."""

    required: StrictBool | None = None
    sha256: str | None = None


class Generated(Open):
    """What tools have written, not people."""

    git: Commit | None = None
    source_file_info: Annotated[SourceFile | None, Field(alias="source_file_info")] = None
    metrics: Metrics | None = None
    sbom_url: str | None = None
    python_components: PythonComponents | None = None


class PypiPackage(Closed):
    """Its package on the Python package index."""

    enabled: StrictBool
    package_name: str


class RemoteRegistries(Closed):
    """Where else it is published."""

    pypi: PypiPackage | None = None


class DataChannel(Closed):
    """How it gives records to the platform."""

    version: str
    supported_serialization: list[Literal["JSONL", "PROTOBUF"]]
    supported_transport: list[Literal["STDIO", "SOCKET"]]


class ConnectorIpcOptions(Closed):
    """How it talks with the platform."""

    data_channel: DataChannel
