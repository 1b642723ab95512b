from __future__ import annotations

import msgspec
import pytest

from python.protocol import flow
from python.protocol.flow import FULL_RANGE, RangeSpec
from python.protocol.state_key import key_hash

# The JSON names of the protocol reference, section 2.
MEMBERS = {
    "RangeSpec": "keyBegin keyEnd rClockBegin rClockEnd",
    "ConnectorState": "updated mergePatch",
    "CollectionSpec": "name writeSchema readSchema key uuidPtr partitionFields projections ackTemplate "
    "partitionTemplate derivation",
    "Projection": "ptr field explicit isPartitionKey isPrimaryKey inference",
    "Inference": "types string title description default secret exists numeric array",
    "CaptureSpec": "name connectorType config bindings intervalSeconds shardTemplate recoveryLogTemplate "
    "networkPorts inactiveBindings redactSalt",
    "CaptureBinding": "resourceConfig resourcePath collection backfill stateKey",
    "MaterializationSpec": "name connectorType config bindings shardTemplate recoveryLogTemplate networkPorts "
    "inactiveBindings",
    "MaterializationBinding": "resourceConfig resourcePath collection partitionSelector priority fieldSelection "
    "deltaUpdates deprecatedShuffle journalReadSuffix notBefore notAfter backfill stateKey serPolicy",
    "FieldSelection": "keys values document fieldConfig",
    "SerPolicy": "strTruncateAfter nestedObjTruncateAfter arrayTruncateAfter",
    "Derivation": "connectorType config transforms shuffleKeyTypes shardTemplate recoveryLogTemplate networkPorts "
    "inactiveTransforms redactSalt",
    "Transform": "name collection partitionSelector priority readDelaySeconds shuffleKey shuffleLambdaConfig "
    "lambdaConfig readOnly journalReadSuffix notBefore notAfter backfill",
    "UUIDParts": "node clock",
    "OAuth2": "provider authUrlTemplate accessTokenUrlTemplate accessTokenMethod accessTokenBody accessTokenHeaders "
    "accessTokenResponseMap refreshTokenUrlTemplate refreshTokenMethod refreshTokenBody refreshTokenHeaders "
    "refreshTokenResponseMap",
}


@pytest.mark.parametrize("name", MEMBERS)
def test_members_have_flows_json_names(name: str) -> None:
    fields = msgspec.structs.fields(getattr(flow, name))

    assert {field.encode_name for field in fields} == set(MEMBERS[name].split())


def test_the_protocol_version_is_the_one_that_flow_accepts() -> None:
    assert flow.PROTOCOL_VERSION == 3032023


def test_both_ends_of_a_range_are_its_own() -> None:
    shard = RangeSpec(key_begin=10, key_end=20)

    assert [shard.owns(key_hash) for key_hash in (9, 10, 20, 21)] == [False, True, True, False]


def test_the_full_range_owns_every_hash() -> None:
    assert FULL_RANGE.owns(0)
    assert FULL_RANGE.owns(2**32 - 1)
    assert FULL_RANGE.owns(key_hash("users"))
