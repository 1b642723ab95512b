from __future__ import annotations

import dagster as dg
import pytest

from python.protocol.errors import HeadwaterError
from python.registry.orchestrator.resources import NoticeResource, RegistryResource, resources_from, sentences
from python.registry.store import ConflictError, PathError, StoreError


def test_the_environment_says_what_the_bucket_is() -> None:
    found = resources_from({"METADATA_BUCKET": "memory:", "METADATA_CDN_BASE_URL": "https://example.com/files/"})

    registry = found["registry"]
    assert isinstance(registry, RegistryResource)
    assert registry.store().address == "memory:"
    assert registry.options().base_url == "https://example.com/files"


def test_the_webhook_stays_the_name_of_a_variable() -> None:
    secret = "https://chat.example.com/secret"
    found = resources_from({"NIGHTLY_REPORT_SLACK_WEBHOOK_URL": secret})

    assert secret not in repr(found)
    assert secret not in str(dg.Definitions(resources=found).get_repository_def().get_top_level_resources())


def test_without_a_webhook_nobody_is_told() -> None:
    assert NoticeResource().tell("hello") is False


@pytest.mark.parametrize(
    ("error", "is_tried_again"),
    [
        (StoreError("out of reach"), True),
        (ConflictError("registries/current.json", "nothing there"), False),
        (PathError("..", "want no dots"), False),
        (HeadwaterError("a rollback holds"), False),
    ],
)
def test_only_a_bucket_out_of_reach_is_tried_again(error: HeadwaterError, is_tried_again: bool) -> None:
    with pytest.raises(dg.Failure, match=str(error).split(":")[0]) as told, sentences():
        raise error

    assert told.value.allow_retries is is_tried_again
    assert told.value.__cause__ is None
