"""metadata.yaml as typed models: every field of ConnectorMetadataDefinitionV0, each closed or open as Airbyte has it.

A member that a file leaves out is None; one that it writes as null is taken as left out. `as_json` gives back what the
file said, by Airbyte's names. `metadata.parts` has the models of the parts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, ValidationInfo

from python.registry.metadata.kinds import Date, ImageName, ImageTag, Url, Uuid
from python.registry.metadata.parts import (
    AbInternal,
    AllowedHosts,
    Closed,
    ConnectorBuildOptions,
    ConnectorIpcOptions,
    ConnectorTestSuite,
    ExternalDocumentationUrl,
    Generated,
    NormalizationConfig,
    Releases,
    RemoteRegistries,
    ResourceRequirements,
    Subtype,
    SuggestedStreams,
)

__all__ = ["ConnectorData", "ConnectorMetadata", "RegistryOverrides", "RegistrySettings"]


class RegistrySettings(Closed):
    """Whether a connector is in one registry, and what it says of itself there, in place of what it says elsewhere."""

    enabled: StrictBool
    name: str | None = None
    docker_repository: ImageName | None = None
    docker_image_tag: ImageTag | None = None
    supports_dbt: StrictBool | None = None
    supports_normalization: StrictBool | None = None
    license: str | None = None
    documentation_url: Url | None = None
    connector_subtype: Subtype | None = None
    allowed_hosts: AllowedHosts | None = None
    normalization_config: NormalizationConfig | None = None
    suggested_streams: SuggestedStreams | None = None
    resource_requirements: ResourceRequirements | None = None


class RegistryOverrides(Closed):
    """Which registries have a connector. One that is not named does not."""

    oss: RegistrySettings | None = None
    cloud: RegistrySettings | None = None


def _alone(given: RegistryOverrides | None, known: ValidationInfo) -> RegistryOverrides | None:
    if given is not None and known.data.get("registry_overrides") is not None:
        raise ValueError("registries is the old name of registryOverrides: want one of both")
    return given


def _listed(given: Any) -> Any:  # noqa: ANN401 -- whatever the file says
    return [] if given is None else given


class ConnectorData(Closed):
    """All that is said of one version of a connector.

    `registries` is the name that `registryOverrides` had until 2023; a file has one of both, and `overrides` is it.
    """

    name: Annotated[str, Field(min_length=1)]
    icon: str | None = None
    definition_id: Uuid
    connector_build_options: ConnectorBuildOptions | None = None
    connector_test_suites_options: list[ConnectorTestSuite] | None = None
    connector_type: Literal["destination", "source"]
    docker_repository: ImageName
    docker_image_tag: ImageTag
    supports_dbt: StrictBool | None = None
    supports_normalization: StrictBool | None = None
    license: Annotated[str, Field(min_length=1)]
    documentation_url: Url
    external_documentation_urls: list[ExternalDocumentationUrl] | None = None
    github_issue_label: str
    max_seconds_between_messages: StrictInt | None = None
    release_date: Date | None = None
    protocol_version: str | None = None
    erd_url: str | None = None
    connector_subtype: Subtype
    release_stage: Literal["alpha", "beta", "generally_available", "custom"]
    support_level: Literal["community", "certified", "archived", "enterprise"] | None = None
    tags: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list)
    registry_overrides: RegistryOverrides | None = None
    registries: Annotated[RegistryOverrides | None, AfterValidator(_alone)] = None
    allowed_hosts: AllowedHosts | None = None
    releases: Releases | None = None
    normalization_config: NormalizationConfig | None = None
    suggested_streams: SuggestedStreams | None = None
    resource_requirements: ResourceRequirements | None = None
    ab_internal: Annotated[AbInternal | None, Field(alias="ab_internal")] = None
    remote_registries: RemoteRegistries | None = None
    supports_refreshes: StrictBool | None = False
    supports_file_transfer: StrictBool | None = False
    supports_data_activation: StrictBool | None = False
    generated: Generated | None = None
    connector_ipc_options: Annotated[ConnectorIpcOptions | None, Field(alias="connectorIPCOptions")] = None
    language: str | None = None

    @property
    def overrides(self) -> RegistryOverrides:
        """Which registries have it, by whichever name the file says so; none where it is silent."""
        return self.registry_overrides or self.registries or RegistryOverrides()


class ConnectorMetadata(Closed):
    """A metadata.yaml."""

    metadata_spec_version: str
    data: ConnectorData

    def as_json(self) -> dict[str, Any]:
        """Return what the file said, as JSON has it, under today's names: `registryOverrides` alone, no nulls."""
        found: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        if "registries" in found["data"]:
            found["data"]["registryOverrides"] = found["data"].pop("registries")
        return found
