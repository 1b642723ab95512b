from __future__ import annotations

import msgspec
import pytest

from python.protocol import capture, derive, materialize
from python.protocol.flow import PROTOCOL_VERSION

# The JSON names of the protocol reference, sections 3 to 5: each kind with its members.
PROTOCOLS = {
    capture: (
        {
            "spec": "connectorType config",
            "discover": "connectorType config name",
            "validate": "name connectorType config bindings lastCapture lastVersion",
            "apply": "capture version lastCapture lastVersion state",
            "open": "capture version range state",
            "acknowledge": "checkpoints",
        },
        {
            "spec": "protocol configSchema resourceConfigSchema documentationUrl oauth2 resourcePathPointers",
            "discovered": "bindings",
            "validated": "bindings",
            "applied": "actionDescription state",
            "opened": "explicitAcknowledgements",
            "captured": "binding doc",
            "sourcedSchema": "binding documentSchema",
            "checkpoint": "state",
            "backfillBegin": "binding",
            "backfillComplete": "binding",
        },
    ),
    derive: (
        {
            "spec": "connectorType config",
            "validate": "connectorType config collection transforms shuffleKeyTypes projectRoot importMap "
            "lastCollection lastVersion",
            "open": "collection version range state",
            "read": "transform uuid shuffle doc",
            "flush": "",
            "startCommit": "runtimeCheckpoint",
            "reset": "",
        },
        {
            "spec": "protocol configSchema resourceConfigSchema documentationUrl oauth2",
            "validated": "transforms generatedFiles",
            "opened": "",
            "published": "doc",
            "flushed": "state",
            "startedCommit": "state",
        },
    ),
    materialize: (
        {
            "spec": "connectorType config",
            "validate": "name connectorType config bindings lastMaterialization lastVersion",
            "apply": "materialization version lastMaterialization lastVersion state",
            "open": "materialization version range state",
            "load": "binding key keyPacked",
            "flush": "",
            "store": "binding key keyPacked values valuesPacked doc exists delete",
            "startCommit": "runtimeCheckpoint",
            "acknowledge": "statePatches",
        },
        {
            "spec": "protocol configSchema resourceConfigSchema documentationUrl oauth2",
            "validated": "bindings",
            "applied": "actionDescription state",
            "opened": "runtimeCheckpoint disableLoadOptimization",
            "loaded": "binding doc",
            "flushed": "state",
            "startedCommit": "state",
            "acknowledged": "state",
        },
    ),
}
# Of what stands in lists: the type, and its members.
PARTS = {
    capture.ValidateBinding: "resourceConfig collection backfill",
    capture.DiscoveredBinding: "recommendedName resourceConfig documentSchema key disable resourcePath isFallbackKey",
    capture.ValidatedBinding: "resourcePath",
    derive.ValidateTransform: "name collection shuffleLambdaConfig lambdaConfig backfill",
    derive.ValidatedTransform: "readOnly",
    derive.Shuffle: "key packed hash",
    materialize.ValidateBinding: "resourceConfig collection fieldConfig backfill groupBy",
    materialize.ValidatedBinding: "constraints resourcePath deltaUpdates serPolicy caseInsensitiveFields",
    materialize.Constraint: "type reason foldedField",
}


def members(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda module: module.__name__)
def test_requests_and_responses_have_flows_json_names(protocol: object) -> None:
    requests, responses = PROTOCOLS[protocol]  # type: ignore[index] # a module is its own key

    assert {name: members(kind) for name, kind in protocol.REQUESTS.items()} == {  # type: ignore[attr-defined] # same
        name: set(text.split()) for name, text in requests.items()
    }
    assert {name: members(kind) for name, kind in protocol.RESPONSES.items()} == {  # type: ignore[attr-defined] # same
        name: set(text.split()) for name, text in responses.items()
    }


@pytest.mark.parametrize("part", PARTS, ids=lambda kind: kind.__name__)
def test_parts_have_flows_json_names(part: type[msgspec.Struct]) -> None:
    assert members(part) == set(PARTS[part].split())


@pytest.mark.parametrize("kind", [capture.SpecResponse, derive.SpecResponse])
def test_a_spec_response_carries_the_protocol_version(
    kind: type[capture.SpecResponse | derive.SpecResponse],
) -> None:
    empty = msgspec.Raw(b"{}")

    assert kind.of(config_schema=empty, resource_config_schema=empty).protocol == PROTOCOL_VERSION
