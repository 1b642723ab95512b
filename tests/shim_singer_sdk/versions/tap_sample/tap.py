# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, ANN204 -- the SDK's own names for types differ between versions
# The SDK is not installed where types are checked; each version's own environment has it.
"""A tap with a stream of every kind that the Singer SDK has, of data in memory."""

from __future__ import annotations

import datetime as dt
import sys
import time
import uuid
from decimal import Decimal

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.helpers._batch import BatchConfig

print("printed by the tap's import")

MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 678900, tzinfo=dt.timezone.utc)


class Sample(Stream):
    """Rows of numbers; `rows` is their count, `after` the bookmark."""

    primary_keys = ["id"]
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("text", th.StringType),
    ).to_dict()

    @property
    def count(self):
        return self.config["rows"]

    def get_records(self, context):
        print(f"printed while reading {self.name}")
        for number in range(self.count):
            if self.config.get("fails_at") == number and self.name == self.config.get("fails_in"):
                raise ConnectionError(f"refused with {self.config['secret']}")
            if number >= self.config.get("slow_from", number + 1):
                time.sleep(0.01)
            yield self.row(number)

    def row(self, number):
        return {"id": number, "text": f"{self.name} {number}"}


class Values(Sample):
    """Values that JSON has no type for, or that floats lose; without a key."""

    name = "values"
    primary_keys = []
    schema = th.PropertiesList(
        th.Property("decimal", th.NumberType),
        th.Property("big", th.IntegerType),
        th.Property("float", th.NumberType),
        th.Property("moment", th.DateTimeType),
        th.Property("day", th.DateType),
        th.Property("bytes", th.StringType),
        th.Property("uuid", th.StringType),
        th.Property("object", th.ObjectType(th.Property("a", th.ArrayType(th.NumberType)))),
        th.Property("nothing", th.StringType),
    ).to_dict()

    def row(self, number):
        return {
            "decimal": Decimal("1.10") + number,
            "big": 2**64 + number,
            "float": 0.1 * number,
            "moment": MOMENT + dt.timedelta(seconds=number),
            "day": MOMENT.date(),
            "bytes": b"\x00\xff",
            "uuid": uuid.UUID(int=number),
            "object": {"a": [Decimal("1E-400"), number]},
            "nothing": None,
            "unknown": "is not in the schema",
        }


class Sorted(Sample):
    """What is new, in order."""

    name = "sorted"
    replication_key = "id"
    is_sorted = True

    def get_records(self, context):
        after = self.get_starting_replication_key_value(context)
        for row in super().get_records(context):
            if after is None or row["id"] >= after:
                yield row


class Unsorted(Sorted):
    """What is new, in no order."""

    name = "unsorted"
    is_sorted = False

    def get_records(self, context):
        yield from sorted(super().get_records(context), key=lambda row: row["id"] * 7 % 11)


class Logged(Sample):
    """What a database's log says, deletions included; the tap moves its bookmark itself."""

    name = "logged"
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType), th.Property("_sdc_deleted_at", th.DateTimeType)
    ).to_dict()

    def __init__(self, tap):
        super().__init__(tap)
        self.forced_replication_method = "LOG_BASED"

    def row(self, number):
        return {"id": number // 2, "_sdc_deleted_at": MOMENT if number == self.count - 1 else None}

    def get_records(self, context):
        after = self.stream_state.get("position", -1)
        for number in range(after + 1, self.count):
            self.position = number
            yield self.row(number)

    def _increment_stream_state(self, latest_record, *, context=None):
        self.stream_state["position"] = self.position


class Parents(Sample):
    """Each row has children."""

    name = "parents"

    def get_child_context(self, record, context):
        return {"parent": record["id"]}


class Children(Sample):
    """The children of a parent, each with a bookmark."""

    name = "children"
    parent_stream_type = Parents
    primary_keys = ["parent", "id"]
    replication_key = "id"
    is_sorted = True
    schema = th.PropertiesList(
        th.Property("parent", th.IntegerType), th.Property("id", th.IntegerType), th.Property("text", th.StringType)
    ).to_dict()

    @property
    def count(self):
        return self.config.get("children", 2)

    def get_records(self, context):
        after = self.get_starting_replication_key_value(context)
        for number in range(self.count):
            if after is None or number >= after:
                yield {"parent": context["parent"], "id": number, "text": "child"}


class Growing(Sorted):
    """What is new, and has children. From 1 on: SDKs of old take a bookmark of 0 for none."""

    name = "growing"

    def row(self, number):
        return super().row(number + 1)

    def get_records(self, context):
        after = self.get_starting_replication_key_value(context)
        yield from (row for row in super().get_records(context) if row["id"] != after)

    def get_child_context(self, record, context):
        return {"parent": record["id"]}


class Leaves(Sample):
    """The children of what is new; without a key."""

    name = "leaves"
    parent_stream_type = Growing
    primary_keys = []
    schema = th.PropertiesList(th.Property("parent", th.IntegerType), th.Property("text", th.StringType)).to_dict()

    def get_records(self, context):
        for number in range(2):
            failing = self.config.get("fails_in") == self.name and self.config.get("fails_at") == context["parent"]
            yield {"parent": context["parent"], "text": None if failing else f"{self.name} {number}"}


class Buds(Leaves):
    """The same with a key, which a record may lack."""

    name = "buds"
    primary_keys = ["parent", "text"]


class Partitioned(Sample):
    """Regions of their own, each with a bookmark."""

    name = "partitioned"
    primary_keys = ["region", "id"]
    replication_key = "id"
    is_sorted = True
    partitions = [{"region": "north"}, {"region": "south"}]
    schema = th.PropertiesList(th.Property("region", th.StringType), th.Property("id", th.IntegerType)).to_dict()

    def get_records(self, context):
        after = self.get_starting_replication_key_value(context)
        for number in range(0 if after is None else after, self.count):
            yield {"region": context["region"], "id": number}


class Batched(Sample):
    """Comes as files."""

    name = "batched"

    def get_batch_config(self, config):
        return BatchConfig.from_dict(
            {
                "encoding": {"format": "jsonl", "compression": "gzip"},
                "storage": {"root": self.config["batches"], "prefix": "batch-"},
            }
        )


class TapSample(Tap):
    """The tap. `streams` are the names of the streams it has."""

    name = "tap-sample"
    config_jsonschema = th.PropertiesList(
        th.Property("rows", th.IntegerType, default=3, description="How many rows a stream has."),
        th.Property("children", th.IntegerType),
        th.Property("secret", th.StringType, secret=True),
        th.Property("password", th.StringType),
        th.Property("batches", th.StringType),
        th.Property("streams", th.ArrayType(th.StringType)),
        th.Property("fails_in", th.StringType),
        th.Property("fails_at", th.IntegerType),
        th.Property("slow_from", th.IntegerType),
    ).to_dict()

    def discover_streams(self):
        kinds = [Values, Sorted, Unsorted, Logged, Parents, Children, Growing, Leaves, Buds]
        kinds += [Partitioned, Batched]
        wanted = self.config.get("streams") or [kind.name for kind in kinds]
        self.logger.warning("100%% of %s, and 100% of nothing")
        self.logger.warning("the secret is %s, the password %s", self.config.get("secret"), self.config.get("password"))
        print("the password is", self.config.get("password"))
        sys.stdout.flush()
        return [kind(self) for kind in kinds if kind.name in wanted]
