"""The one place that asks things of taps in process, of singer-sdk 0.33 to 0.54. All else sees plain Singer messages.

singer-sdk is imported by the functions here and in `hooks`, never by importing these modules.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from python.protocol.errors import ConnectorError, HeadwaterError
from python.shell import logs
from python.shim_common.values import Json, items, mapping
from python.shim_singer_sdk.catalog import entry_of
from python.shim_singer_sdk.emitting import Emitter
from python.shim_singer_sdk.hooks import emit_through, hooked
from python.shim_singer_sdk.pipe import piped
from python.shim_singer_sdk.states import TaskState

__all__ = ["Delegate", "check", "config_schema_of", "discover", "read", "reason"]

Delegate = Callable[..., Any]
"""A tap class, or a factory `(config, catalog, state) -> Tap`; its type belongs to an SDK that we do not import."""

_ALTERNATIVES = ("anyOf", "oneOf", "allOf")
_BATCHES = "batch_config"
_KEPT = ("type", "title", "description", "default")

_logger = logging.getLogger(__name__)


def config_schema_of(delegate: Delegate) -> Json:
    """Return the schema of a tap's config: its own, and the SDK's settings for stream maps and flattening.

    That for batches is left out: the files would come here, and carry less than records do.
    """
    tap: Any = delegate
    schema = _with_schemas(copy.deepcopy(tap.config_jsonschema))
    common: Json = {"properties": {}}
    tap.append_builtin_config(common)
    settings = {name: _plain(mapping(value)) for name, value in mapping(common["properties"]).items()}
    own = {name: value for name, value in mapping(schema.get("properties")).items() if name not in settings}
    settings.pop(_BATCHES, None)
    return {"type": "object", **schema, "properties": {**own, **settings}}


def _with_schemas(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `value` with a schema wherever a tap wrote the name of a type among alternatives."""
    if isinstance(value, list):
        return [_with_schemas(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _with_schemas(each) for name, each in value.items()}
    for name in _ALTERNATIVES:
        if isinstance(found.get(name), list):
            found[name] = [{"type": each} if isinstance(each, str) else each for each in found[name]]
    return found


def discover(delegate: Delegate, config: Json) -> list[Json]:
    """Return the entries of the tap's catalog, with the schemas that the config's stream maps give them."""

    def produce(put: Callable[[Json], None]) -> None:
        with hooked(_drop):
            tap = _made(delegate, config, None, {})
            entries = {mapping(entry).get("tap_stream_id"): mapping(entry) for entry in _entries(tap)}
            for stream in tap.streams.values():
                entry = entries.get(stream.tap_stream_id)
                if entry is not None and (mapped := _mapped(stream, entry)):
                    put(mapped)

    return list(piped(produce))


def check(delegate: Delegate, config: Json, resources: Sequence[Json]) -> None:
    """Return where the tap can read a record of each of the `resources`' streams; raise what it raises where not."""

    def produce(put: Callable[[None], None]) -> None:
        del put
        with hooked(_drop):
            catalog = _checked_catalog(_made(delegate, config, None, {}), resources)
            tap = _made(delegate, config, catalog, {})
            _complete(tap, catalog)
            emit_through(Emitter(_drop, time.monotonic, 0), tap)
            names = {str(resource.get("tap_stream_id")) for resource in resources}
            for stream in tap.streams.values():
                stream.ABORT_AT_RECORD_COUNT = 1
            chosen = [stream for stream in tap.streams.values() if _leads_to(stream, names)]
            tap.run_sync_dry_run(dry_run_record_limit=1, streams=chosen)

    for _ in piped(produce):
        pass


def _checked_catalog(tap: Any, resources: Sequence[Json]) -> Json:  # noqa: ANN401 -- a Tap
    """Return the catalog that reads `resources`, with the schemas that `tap`, which was given none, discovers."""
    entries = {str(mapping(entry).get("tap_stream_id")): mapping(entry) for entry in _entries(tap)}
    missing = [name for resource in resources if (name := str(resource.get("tap_stream_id"))) not in entries]
    if missing:
        raise ConnectorError(f"the tap has no stream {', '.join(missing)}; it has {', '.join(sorted(entries))}")
    schemas = [mapping(entries[str(resource.get("tap_stream_id"))].get("schema")) for resource in resources]
    return {"streams": [entry_of(resource, schema) for resource, schema in zip(resources, schemas, strict=True)]}


def read(delegate: Delegate, config: Json, catalog: Json, state: TaskState, seconds_min: float) -> Iterator[Json]:
    """Yield the messages of one sync of `catalog`, resumed from `state`; states come `seconds_min` apart, or rarer.

    Before the first, `state` learns which streams are children, and may resume from less for it.
    Records name their stream by its tap_stream_id. The last state also comes where the tap then fails.
    """

    def produce(put: Callable[[Json], None]) -> None:
        emitter = Emitter(put, time.monotonic, seconds_min)
        with hooked(emitter.message):
            resumed = state.document()
            tap = _made(delegate, config, catalog, resumed)
            state.learn(_ancestors(tap))
            if state.document() != resumed:
                tap = _made(delegate, config, catalog, state.document())
            _complete(tap, catalog)
            emitter.names = {
                stream.stream_maps[0].stream_alias: stream.tap_stream_id for stream in tap.streams.values()
            }
            emit_through(emitter, tap)
            try:
                tap.sync_all()
            finally:
                emitter.finish()

    return piped(produce)


def reason(error: BaseException) -> str:
    """Return what an exception of a tap says to a user: one sentence, never empty."""
    if isinstance(error, HeadwaterError):
        return str(error)
    told = "; ".join(str(each) for each in items(getattr(error, "errors", None))) or str(error)
    return f"{type(error).__name__}: {told}"


def _plain(setting: Json) -> Json:
    """Return a setting of the SDK's without what it holds, which forms cannot draw and validators stumble over."""
    return {**{name: setting[name] for name in _KEPT if setting.get(name) is not None}, "advanced": True}


def _made(delegate: Delegate, config: Json, catalog: Json | None, state: Json) -> Any:  # noqa: ANN401 -- a Tap
    """Return a tap with copies of what it is given: it writes defaults into its config."""
    own = {name: value for name, value in copy.deepcopy(config).items() if name != _BATCHES}
    if _BATCHES in config:
        _logger.info("batch_config is left out: records come as they are, and not by way of files")
    given = (own, copy.deepcopy(catalog), copy.deepcopy(state))
    if isinstance(delegate, type):
        tap = delegate(config=given[0], catalog=given[1], state=given[2])
    else:
        tap = delegate(*given)
    logs.reclaim()
    return tap


def _entries(tap: Any) -> list[object]:  # noqa: ANN401 -- a Tap
    return items(mapping(tap.catalog_dict).get("streams"))


def _mapped(stream: Any, entry: Json) -> Json | None:  # noqa: ANN401 -- a Stream
    """Return a stream's catalog entry with the schema and key that its records have; None where a map removes them."""
    own, *others = stream.stream_maps
    if others:
        names = ", ".join(each.stream_alias for each in others)
        _logger.warning("stream %s: its copies %s, of a stream map, are not captured", stream.tap_stream_id, names)
    if type(own).__name__ == "RemoveRecordTransform":
        _logger.info("stream %s is removed by a stream map", stream.tap_stream_id)
        return None
    if type(own).__name__ == "SameRecordTransform" and own.transformed_schema == own.raw_schema:
        return {**entry, "schema": stream.schema}
    return {**entry, "schema": own.transformed_schema, "key_properties": own.transformed_key_properties}


def _complete(tap: Any, catalog: Json) -> None:  # noqa: ANN401 -- a Tap
    """Add to the catalog of `tap` what only the tap knows: the schemas of its own, and the streams nobody chose.

    Records are cut to the catalog's schema, and a collection's may have been edited. Streams that nobody chose may be
    parents of those that somebody did.
    """
    known = tap.input_catalog
    chosen = {str(mapping(entry).get("tap_stream_id")): mapping(entry) for entry in items(catalog.get("streams"))}
    streams = {stream.tap_stream_id: stream for stream in tap.streams.values()}
    for name in chosen.keys() - streams.keys():
        _logger.warning("stream %s: the tap no longer has it; nothing is captured of it", name)
    told = [{**entry, "schema": streams[name].schema} for name, entry in chosen.items() if name in streams]
    known.update(type(known).from_dict({"streams": told}))
    for name, stream in streams.items():
        if name not in chosen:
            known[name] = stream._singer_catalog_entry  # noqa: SLF001 -- as the tap's own catalog is made
        stream.apply_catalog(known)
        stream._stream_maps = None  # noqa: SLF001 -- made of the catalog, at the first look
    tap.setup_mapper()


def _leads_to(stream: Any, names: set[str]) -> bool:  # noqa: ANN401 -- a Stream
    """Whether `stream` is one of `names`, or has to be read to get at one."""
    return stream.tap_stream_id in names or any(_leads_to(child, names) for child in stream.child_streams)


def _ancestors(tap: Any) -> dict[str, set[str]]:  # noqa: ANN401 -- a Tap
    """Return the tap_stream_ids of the streams by way of which each stream is read."""
    found: dict[str, set[str]] = {stream.tap_stream_id: set() for stream in tap.streams.values()}

    def add(stream: Any, above: set[str]) -> None:  # noqa: ANN401 -- a Stream
        found[stream.tap_stream_id] |= above
        for child in stream.child_streams:
            add(child, {*above, stream.tap_stream_id})

    for stream in tap.streams.values():
        add(stream, set())
    return found


def _drop(message: object) -> None:
    """Take a message that nobody wants: a check looks at nothing but whether it fails."""
