"""Tables of JSON Lines, as Singer streams.

In the folder that the config names, `orders.jsonl` is a table and `orders.json` says what it is:

    {"key_properties": ["id"], "replication_key": "updated_at", "schema": {"properties": {"id": {"type": "integer"}}}}

A table with a replication key is read from its bookmark on, which is told every `state_every` records; the others are
read whole, each time as a new version.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import simplejson
import singer
from singer import Catalog, CatalogEntry, bookmarks, metadata, metrics

__all__ = ["main"]

LOGGER = singer.get_logger()
STATE_EVERY = 100

Record = dict[str, Any]


class BadTableError(Exception):
    """A table cannot be read, for a reason that its owner can mend."""


def main() -> None:
    """Do what the command line asks for, as every Singer tap does."""
    args = singer.parse_args(["path"])
    try:
        if args.discover:
            sys.stdout.write(simplejson.dumps(discover(Path(args.config["path"])), indent=2) + "\n")
        else:
            sync(args.config, args.catalog or Catalog.from_dict(args.properties), args.state)
    except BadTableError as error:
        LOGGER.critical("%s", error)
        sys.exit(1)


def discover(folder: Path) -> Record:
    """Return the catalog of the tables in `folder`."""
    if not folder.is_dir():
        raise BadTableError(f"the path {str(folder)!r} is no folder")
    return {"streams": [entry(path) for path in sorted(folder.glob("*.json"))]}


def entry(path: Path) -> Record:
    """Return the catalog entry of the table that `path` describes."""
    told = simplejson.loads(path.read_text(encoding="utf-8"))
    keys, replication_key = told.get("key_properties", []), told.get("replication_key")
    method = "INCREMENTAL" if replication_key else "FULL_TABLE"
    described = metadata.get_standard_metadata(
        schema=told["schema"],
        key_properties=keys,
        valid_replication_keys=[replication_key] if replication_key else None,
        replication_method=method,
    )
    return {
        "tap_stream_id": path.stem,
        "stream": path.stem,
        "key_properties": keys,
        "schema": told["schema"],
        "metadata": described,
    }


def sync(config: dict[str, Any], catalog: Catalog, state: dict[str, Any]) -> None:
    """Write the records of the selected tables, the one where the last sync was interrupted first."""
    LOGGER.info("Syncing %s", config["path"])
    for stream in catalog.get_selected_streams(state):
        state = singer.set_currently_syncing(state, stream.tap_stream_id)
        singer.write_state(state)
        mdata = metadata.to_map(stream.metadata)
        key = metadata.get(mdata, (), "replication-key") or next(
            iter(metadata.get(mdata, (), "valid-replication-keys") or []), None
        )
        singer.write_schema(stream.stream, stream.schema.to_dict(), stream.key_properties, [key] if key else None)
        with metrics.record_counter(stream.tap_stream_id) as counter:
            records = counted(rows(config, stream, mdata), counter)
            if key and metadata.get(mdata, (), "forced-replication-method") == "INCREMENTAL":
                sync_incremental(config, stream, state, (key, records))
            else:
                sync_full_table(stream, state, records)
        singer.write_state(state)
    singer.write_state(singer.set_currently_syncing(state, None))


def sync_full_table(stream: CatalogEntry, state: dict[str, Any], records: Iterator[Record]) -> None:
    """Write all records as a new version, and say that the older ones are gone."""
    version = int(time.time() * 1000)
    first = bookmarks.get_bookmark(state, stream.tap_stream_id, "version") is None
    bookmarks.write_bookmark(state, stream.tap_stream_id, "version", version)
    if first:
        singer.write_version(stream.stream, version)
    for record in records:
        singer.write_message(singer.RecordMessage(stream=stream.stream, record=record, version=version))
    singer.write_version(stream.stream, version)


def sync_incremental(
    config: dict[str, Any], stream: CatalogEntry, state: dict[str, Any], keyed: tuple[str, Iterator[Record]]
) -> None:
    """Write the records from the bookmark on, in the order of the replication key."""
    key, records = keyed
    since = bookmarks.get_bookmark(state, stream.tap_stream_id, "replication_key_value")
    found = sorted((record for record in records if since is None or record[key] >= since), key=lambda each: each[key])
    bookmarks.write_bookmark(state, stream.tap_stream_id, "replication_key", key)
    for number, record in enumerate(found, start=1):
        singer.write_record(stream.stream, record)
        bookmarks.write_bookmark(state, stream.tap_stream_id, "replication_key_value", record[key])
        if number % int(config.get("state_every", STATE_EVERY)) == 0:
            singer.write_state(state)


def rows(config: dict[str, Any], stream: CatalogEntry, mdata: dict[Any, Any]) -> Iterator[Record]:
    """Yield the selected members of each line, numbers with all their digits."""
    path = Path(config["path"], f"{stream.tap_stream_id}.jsonl")
    left_out = {name for name in stream.schema.properties if not is_selected(mdata, name)}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = simplejson.loads(line, use_decimal=True)
            except simplejson.JSONDecodeError as error:
                raise BadTableError(f"{path.name}, line {number}: {error}") from None
            yield {name: value for name, value in record.items() if name not in left_out}


def is_selected(mdata: dict[Any, Any], name: str) -> bool:
    """Whether the property `name` is wanted: the tap's default is yes."""
    at = ("properties", name)
    if metadata.get(mdata, at, "inclusion") == "automatic":
        return True
    return metadata.get(mdata, at, "selected") is not False


def counted(records: Iterator[Record], counter: metrics.Counter) -> Iterator[Record]:
    """Yield `records`, and count them in the tap's metrics."""
    for record in records:
        counter.increment()
        yield record
