"""What the store of S3 alone does; what it promises with all stores is in test_contract.py."""

from __future__ import annotations

import pytest

from python.registry.store import StoreError, open_store

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_told_by_its_listing_and_by_a_read() -> None:
    store = open_store("s3://nobodys", {})

    with pytest.raises(StoreError, match="s3://nobodys: there is no such bucket"):
        list(store.list())
    with pytest.raises(StoreError, match="s3://nobodys: there is no such bucket"):
        store.get("registries/current.json")
