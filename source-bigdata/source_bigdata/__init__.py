"""Big Data: an Airbyte source that makes deterministic data of any size, with no network and no credentials."""

from source_bigdata.source import SourceBigdata

__all__ = ["SourceBigdata"]
