"""Small sources in the shape of airbyte-cdk's own examples, written so that every generation of it runs them.

This module runs in the environment of each version; `SAMPLES` makes a source by its name, given catalog, config, state.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import importlib
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from airbyte_cdk.sources.abstract_source import AbstractSource
from airbyte_cdk.sources.source import Source
from airbyte_cdk.sources.streams import Stream
from airbyte_cdk.sources.streams.http.http import HttpStream, HttpSubStream

cdk: Any = importlib.import_module("airbyte_cdk.models")  # its names are not exported to type checkers
DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"]
OPEN_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"id": {"type": ["null", "integer"]}}}
ROWS: list[dict[str, Any]] = [
    {"id": number, "name": f"n{number}", "price": number * 1.1, "tags": ["a", None], "of": {"big": 2**53 + number}}
    for number in range(7)
]


class Full(Stream):
    """All rows, each time."""

    primary_key: Any = "id"

    def __init__(self, name: str = "full", rows: Iterable[Mapping[str, Any]] = ROWS) -> None:
        super().__init__()
        self._name = name
        self._rows = list(rows)

    @property
    def name(self) -> str:
        return self._name

    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]  # the CDK caches its own
        return OPEN_SCHEMA

    def read_records(self, *given: Any, **named: Any) -> Iterator[Mapping[str, Any]]:
        yield from self._rows


class Keyless(Full):
    primary_key = None


class Incremental(Full):
    """Rows beyond the cursor, with a state after every second row."""

    cursor_field: Any = "id"
    state_checkpoint_interval = 2

    def __init__(self, name: str = "incremental") -> None:
        super().__init__(name)
        self._state: dict[str, Any] = {}

    @property
    def state(self) -> Mapping[str, Any]:
        return self._state

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self._state = dict(value)

    def read_records(self, *given: Any, **named: Any) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            if row["id"] > self._state.get("id", -1):
                self._state = {"id": row["id"]}
                yield row


class Sliced(Full):
    """A slice for each day, and the older way to keep a state: made of the one before and the newest record."""

    cursor_field: Any = "day"

    def __init__(self, name: str = "sliced") -> None:
        super().__init__(name, [{"id": 10 * n + m, "day": day} for n, day in enumerate(DAYS) for m in range(3)])

    def get_updated_state(self, current_stream_state: Any, latest_record: Any) -> Any:
        return {"day": max(latest_record["day"], (current_stream_state or {}).get("day", ""))}

    def stream_slices(self, *given: Any, stream_state: Any = None, **named: Any) -> Iterable[Mapping[str, Any]]:
        return [{"day": day} for day in DAYS if day >= (stream_state or {}).get("day", "")]

    def read_records(self, *given: Any, stream_slice: Any = None, **named: Any) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            if not stream_slice or row["day"] == stream_slice["day"]:
                yield row


class Partitioned(Full):
    """Children of three parents, a cursor for each; its state is one nested object that it goes on changing."""

    cursor_field: Any = "at"
    state_checkpoint_interval = 1

    def __init__(self, name: str = "partitioned") -> None:
        super().__init__(name, [{"id": f"{of}{at}", "of": of, "at": at} for of in "abc" for at in range(2)])
        self._state: dict[str, Any] = {"parents": {}}

    @property
    def state(self) -> Mapping[str, Any]:
        return self._state

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self._state = {"parents": {of: dict(cursor) for of, cursor in value.get("parents", {}).items()}}

    def stream_slices(self, *given: Any, **named: Any) -> Iterable[Mapping[str, Any]]:
        return [{"of": of} for of in "abc"]

    def read_records(self, *given: Any, stream_slice: Any = None, **named: Any) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            cursor = self._state["parents"].setdefault(row["of"], {"at": -1})
            if row["of"] == stream_slice["of"] and row["at"] > cursor["at"]:
                cursor["at"] = row["at"]
                yield row


class Resumable(Full):
    """A full refresh in pages, which says where it is, and with the CDK's own mark that it is complete."""

    def __init__(self, name: str = "resumable") -> None:
        super().__init__(name)
        self._state: dict[str, Any] = {}

    @property
    def state(self) -> Mapping[str, Any]:
        return self._state

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self._state = dict(value)

    def read_records(self, *given: Any, stream_slice: Any = None, **named: Any) -> Iterator[Mapping[str, Any]]:
        page = (stream_slice or {}).get("page", 0)
        yield from self._rows[2 * page : 2 * page + 2]
        more = 2 * page + 2 < len(self._rows)
        self._state = {"page": page + 1} if more else {"__ab_full_refresh_sync_complete": True}


class Failing(Full):
    """Gives one row, and raises."""

    def read_records(self, *given: Any, **named: Any) -> Iterator[Mapping[str, Any]]:
        yield self._rows[0]
        raise ValueError(f"no more of {self.name}")


class Pages(HttpStream):
    """The rows of a server, in pages of two."""

    primary_key = "id"
    url_base = "to be set/"
    use_cache = True

    def __init__(self, url: str) -> None:
        self.url_base = url
        super().__init__()

    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]  # the CDK caches its own
        return OPEN_SCHEMA

    @property
    def name(self) -> str:
        return "pages"

    def path(self, **given: Any) -> str:
        return "parents"

    def next_page_token(self, response: Any) -> Any:
        following = response.json().get("next")
        return {"page": following} if following else None

    def request_params(self, next_page_token: Any = None, **given: Any) -> Any:  # type: ignore[override]  # by name
        return next_page_token or {}

    def parse_response(self, response: Any, **given: Any) -> Iterable[Mapping[str, Any]]:
        yield from response.json()["data"]


class Children(HttpSubStream, Pages):
    """The children of each row of `Pages`."""

    use_cache = False

    def __init__(self, url: str) -> None:
        super().__init__(parent=Pages(url), url=url)

    @property
    def name(self) -> str:
        return "children"

    def path(self, stream_slice: Any = None, **given: Any) -> str:
        return f"parents/{stream_slice['parent']['id']}/children"


class Streams(AbstractSource):
    """A source of the streams it is made with; `of` is called anew for each request."""

    def __init__(self, of: Callable[[Mapping[str, Any]], list[Any]]) -> None:
        self._of = of

    def spec(self, logger: logging.Logger) -> Any:
        return cdk.ConnectorSpecification(connectionSpecification={"type": "object", "properties": {}})

    def check_connection(self, logger: Any, config: Any) -> tuple[bool, Any]:
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Any]:
        return self._of(config)


class Kind(enum.Enum):
    A = "a"


class Values(Full):
    """What Python has, and JSON has not. The second stream has what some versions of the CDK cannot print."""

    def __init__(self, *, odd: bool) -> None:
        plain = {
            "at": dt.datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=dt.timezone.utc),
            "day": dt.date(2024, 1, 2),
            "uuid": uuid.UUID(int=7),
            "kind": Kind.A,
            "long": 2**62 + 1,
            "null": None,
            "small": 1e-7,
            "text": "naïve \u2028 😀",
        }
        rest = {"price": decimal.Decimal("1.10"), "big": 2**64 + 1, "exact": decimal.Decimal("0.1234567890123456789")}
        super().__init__("odd" if odd else "plain", [{"id": 1, **(rest if odd else plain)}])


class Own(Source):
    """Not an AbstractSource: reads and checkpoints by itself. Its one `items` stream has the rows beyond the state."""

    def spec(self, logger: logging.Logger) -> Any:
        return cdk.ConnectorSpecification(connectionSpecification={"type": "object", "properties": {}})

    def check(self, logger: logging.Logger, config: Any) -> Any:
        return cdk.AirbyteConnectionStatus(status=cdk.Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Any) -> Any:
        modes = [cdk.SyncMode.full_refresh, cdk.SyncMode.incremental]
        streams = [
            cdk.AirbyteStream(
                name=name,
                json_schema=OPEN_SCHEMA,
                supported_sync_modes=modes,
                source_defined_cursor=True,
                source_defined_primary_key=[["id"]],
            )
            for name in self.names
        ]
        return cdk.AirbyteCatalog(streams=streams)

    names: tuple[str, ...] = ("items",)

    def read(self, logger: logging.Logger, config: Any, catalog: Any, state: Any = None) -> Iterator[Any]:
        raise NotImplementedError


class Global(Own):
    """One state for two streams: a shared position, and a count for each."""

    names = ("left", "right")

    def read(self, logger: logging.Logger, config: Any, catalog: Any, state: Any = None) -> Iterator[Any]:
        stored = state[0].global_ if state else None
        position = vars_of(stored.shared_state)["position"] if stored else 0
        counts = (
            {each.stream_descriptor.name: vars_of(each.stream_state)["n"] for each in stored.stream_states}
            if stored
            else {}
        )
        for row in ROWS[position:]:
            name = self.names[row["id"] % 2]
            position, counts[name] = position + 1, counts.get(name, 0) + 1
            yield record(name, {**row, "nth": counts[name]})
            yield cdk.AirbyteMessage(type=cdk.Type.STATE, state=global_state(position, counts))


class Dictionary(Own):
    """Takes and gives one object of all streams' states, as sources did before there were states of streams."""

    def read(self, logger: logging.Logger, config: Any, catalog: Any, state: Any = None) -> Iterator[Any]:
        if not isinstance(state, dict):
            raise TypeError(f"the state is {state!r}, want an object")
        for row in ROWS:
            if row["id"] > state.get("items", {}).get("id", -1):
                yield record("items", row)
                data = {"items": {"id": row["id"]}}
                yield cdk.AirbyteMessage(type=cdk.Type.STATE, state=cdk.AirbyteStateMessage(data=data))


class Unheard(Own):
    """Sends what no version of the protocol knows, between its records."""

    def read(self, logger: logging.Logger, config: Any, catalog: Any, state: Any = None) -> Iterator[Any]:
        yield record("items", ROWS[0])
        yield unchecked(type="NOVELTY")
        yield unchecked(type=cdk.Type.TRACE, trace={"type": "RIDDLE", "emitted_at": 0, "riddle": {"a": 1}})
        yield unchecked(type=cdk.Type.CONTROL, control={"type": "ODD", "emitted_at": 0})
        yield unchecked(type=cdk.Type.CONTROL, control={"connectorConfig": {"config": {"token": "rotated"}}})
        yield unchecked(type=cdk.Type.STATE, state={"type": "ODD"})
        yield record("items", ROWS[1])


def record(stream: str, data: Mapping[str, Any]) -> Any:
    return cdk.AirbyteMessage(
        type=cdk.Type.RECORD, record=cdk.AirbyteRecordMessage(stream=stream, data=dict(data), emitted_at=0)
    )


def vars_of(blob: Any) -> Any:
    return {**vars(blob), **(getattr(blob, "__pydantic_extra__", None) or {})}


def global_state(position: int, counts: Mapping[str, int]) -> Any:
    streams = [
        cdk.AirbyteStreamState(
            stream_descriptor=cdk.StreamDescriptor(name=name), stream_state=cdk.AirbyteStateBlob(n=count)
        )
        for name, count in counts.items()
    ]
    whole = cdk.AirbyteGlobalState(shared_state=cdk.AirbyteStateBlob(position=position), stream_states=streams)
    name = "global_" if not hasattr(cdk.AirbyteStateMessage, "parse_obj") else "global"
    return cdk.AirbyteStateMessage(type=cdk.AirbyteStateType.GLOBAL, **{name: whole})


def unchecked(**members: Any) -> Any:
    """A message whose members nothing has validated: a dataclass never does."""
    return getattr(cdk.AirbyteMessage, "construct", cdk.AirbyteMessage)(**members)


def served(config: Mapping[str, Any]) -> list[Any]:
    return [Pages(config["url"]), Children(config["url"])]


INSTANCES: dict[str, Callable[[], Any]] = {
    "full": lambda: Streams(lambda _: [Full(), Keyless("keyless")]),
    "incremental": lambda: Streams(lambda _: [Incremental(), Full()]),
    "sliced": lambda: Streams(lambda _: [Sliced()]),
    "partitioned": lambda: Streams(lambda _: [Partitioned()]),
    "resumable": lambda: Streams(lambda _: [Resumable()]),
    "http": lambda: Streams(served),
    "failing": lambda: Streams(lambda _: [Full("before"), Failing("failing"), Keyless("after")]),
    "values": lambda: Streams(lambda _: [Values(odd=False)]),
    "odd": lambda: Streams(lambda _: [Values(odd=True)]),
    "global": Global,
    "dictionary": Dictionary,
    "unheard": Unheard,
}
"""Each is made once, and serves every request, as `CaptureShim(delegate=SourceX())` has it."""
