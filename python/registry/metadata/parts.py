"""The parts of a metadata.yaml. A closed one refuses what it does not know; an open one keeps it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt
from pydantic.alias_generators import to_camel

from python.registry.metadata.kinds import Date, Url, VersionNumber

__all__ = [
    "AbInternal",
    "AllowedHosts",
    "BreakingChange",
    "Closed",
    "ConnectorBuildOptions",
    "ConnectorIpcOptions",
    "ConnectorTestSuite",
    "DataChannel",
    "ExternalDocumentationUrl",
    "JobRequirements",
    "NormalizationConfig",
    "Open",
    "PypiPackage",
    "Releases",
    "RemoteRegistries",
    "Requirements",
    "ResourceRequirements",
    "RolloutConfiguration",
    "ScopedImpact",
    "SecretStore",
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
    requires_login: StrictBool = False


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

    enable_progressive_rollout: StrictBool = False
    initial_percentage: Annotated[StrictInt, Field(ge=0, le=_PERCENT_MAX)] = 0
    max_percentage: Annotated[StrictInt, Field(ge=0, le=_PERCENT_MAX)] = 50
    advance_delay_minutes: Annotated[StrictInt, Field(ge=_DELAY_MINUTES_MIN)] = 10


class Releases(Closed):
    """What users are told of its versions."""

    rollout_configuration: RolloutConfiguration | None = None
    breaking_changes: Annotated[dict[VersionNumber, BreakingChange], Field(min_length=1)] | None = None
    migration_documentation_url: Url | None = None


class AbInternal(Open):
    """Airbyte's own grades."""

    model_config = ConfigDict(alias_generator=to_camel)

    sl: Literal[0, 100, 200, 300] | None = None
    ql: Literal[0, 100, 200, 300, 400, 500, 600] | None = None
    is_enterprise: StrictBool = False
    require_version_increments_in_pull_requests: StrictBool = True


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
