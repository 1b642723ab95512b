"""The parts of configs that SQL materializations share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["Advanced", "DeltaUpdates", "FeatureFlags", "HardDelete", "Resource", "SchemaName", "TableName"]

TableName = Annotated[
    str,
    Meta(title="Table", description="The table to store to.", extra_json_schema={"x-collection-name": True}),
]
SchemaName = Annotated[
    str,
    Meta(
        title="Schema",
        description="The schema of the table, in place of the endpoint's default one.",
        extra_json_schema={"x-schema-name": True},
    ),
]
DeltaUpdates = Annotated[
    bool,
    Meta(
        title="Delta Updates",
        description="Add each document as a row of its own, in place of keeping one row a key.",
        extra_json_schema={"x-delta-updates": True},
    ),
]
HardDelete = Annotated[
    bool,
    Meta(
        title="Hard Delete",
        description="Delete the rows of deleted documents. Otherwise they stay, with `d` in the column _meta/op.",
    ),
]
FeatureFlags = Annotated[
    str,
    Meta(
        title="Feature Flags",
        description="Names of feature flags, separated by commas; `no_` before a name turns it off.",
    ),
]


class Advanced(Struct, frozen=True, kw_only=True):
    """Settings that few need."""

    feature_flags: FeatureFlags = ""


class Resource(Struct, frozen=True, kw_only=True):
    """The table of a binding."""

    table: TableName
    schema: SchemaName = ""
    delta_updates: DeltaUpdates = False
