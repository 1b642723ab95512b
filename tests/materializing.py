"""Playing Flow's runtime for a materialization in this process: specs as messages, and transactions by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from python.materialize import Connector
from python.protocol import document, pointer
from python.protocol import materialize as wire
from python.protocol.flow import (
    CollectionSpec,
    FieldSelection,
    MaterializationBinding,
    MaterializationSpec,
    Projection,
    RangeSpec,
)
from python.protocol.projection import Inference, NumericInference, StringInference
from python.protocol.state_key import encode_state_key

FULL = RangeSpec(key_end=0xFFFF_FFFF, r_clock_end=0xFFFF_FFFF)
LOW, HIGH = RangeSpec(key_end=0x7FFF_FFFF), RangeSpec(key_begin=0x8000_0000, key_end=0xFFFF_FFFF)


def place(ptr: str, *types: str, field: str = "", exists: str = "MUST", **more: Any) -> Projection:
    """A projection of the location `ptr`; `more` are members of its inference for text, or `minimum` and `maximum`."""
    bounds = {name: float(more.pop(name)) for name in ("minimum", "maximum") if name in more}
    numeric = NumericInference(has_minimum="minimum" in bounds, has_maximum="maximum" in bounds, **bounds)
    inference = Inference(
        types=types,
        exists=exists,
        string=StringInference(**more) if "string" in types else None,
        numeric=numeric if bounds else None,
    )
    return Projection(ptr=ptr, field=field or ptr[1:] or "flow_document", inference=inference)


ROOT = place("", "object")


def collection(*projections: Projection, key: Sequence[str] = ("/id",), name: str = "acmeCo/things") -> CollectionSpec:
    return CollectionSpec(name=name, key=tuple(key), projections=(*projections, ROOT))


def binding(source: CollectionSpec, *path: str, backfill: int = 0, **more: Any) -> MaterializationBinding:
    """A binding of all fields of `source`, to the resource `path`; `more` are `delta`, `exclude` and `configs`."""
    names = ("schema", "table")[-len(path) :]
    delta, exclude = more.get("delta", False), more.get("exclude", ())
    fields = [each for each in source.projections if each.field not in exclude and each.ptr != ""]
    return MaterializationBinding(
        resource_config=msgspec.Raw(
            json.dumps({**dict(zip(names, path, strict=True)), **({"delta_updates": True} if delta else {})}).encode()
        ),
        resource_path=path,
        collection=source,
        field_selection=FieldSelection(
            keys=tuple(next(each.field for each in fields if each.ptr == key) for key in source.key),
            values=tuple(sorted(each.field for each in fields if each.ptr not in source.key)),
            document="" if "flow_document" in exclude else "flow_document",
            field_config={
                field: msgspec.Raw(json.dumps(each).encode()) for field, each in more.get("configs", {}).items()
            },
        ),
        delta_updates=delta,
        backfill=backfill,
        state_key=encode_state_key(list(path), backfill),
    )


def spec(config: Mapping[str, Any], *bindings: MaterializationBinding, **more: Any) -> MaterializationSpec:
    return MaterializationSpec(
        name=more.get("name", "acmeCo/target"),
        config=msgspec.Raw(json.dumps(config).encode()),
        bindings=bindings,
        inactive_bindings=more.get("inactive", ()),
    )


def validated(
    connector: Connector[Any, Any, Any], wanted: MaterializationSpec, last: MaterializationSpec | None = None
) -> list[wire.ValidatedBinding]:
    asked = tuple(
        wire.ValidateBinding(
            resource_config=each.resource_config,
            collection=each.collection,
            backfill=each.backfill,
            field_config=each.field_selection.field_config,
        )
        for each in wanted.bindings
    )
    request = wire.Validate(name=wanted.name, config=wanted.config, bindings=asked, last_materialization=last)
    (answer,) = connector.answer(request)
    assert isinstance(answer, wire.Validated)
    return list(answer.bindings)


def applied(
    connector: Connector[Any, Any, Any], wanted: MaterializationSpec, last: MaterializationSpec | None = None
) -> list[str]:
    """The actions of an apply, a line each."""
    (answer,) = connector.answer(wire.Apply(materialization=wanted, version="1", last_materialization=last))
    assert isinstance(answer, wire.Applied)
    assert answer.state is None
    return answer.action_description.splitlines()


class Session:
    """An open materialization."""

    def __init__(
        self, connector: Connector[Any, Any, Any], opened: MaterializationSpec, range_: RangeSpec = FULL
    ) -> None:
        self.connector = connector
        self.spec = opened
        (answer,) = connector.answer(wire.Open(materialization=opened, version="1", range=range_))
        assert isinstance(answer, wire.Opened)
        self.checkpoint = bytes(answer.runtime_checkpoint).decode()
        self.wants_all_loads = answer.disable_load_optimization

    def load(self, *keys: Sequence[Any], binding: int = 0) -> list[bytes]:
        """Begin a transaction, load `keys`, and end its loads."""
        requests = [wire.Acknowledge(), *(wire.Load(binding=binding, key=_raw(key)) for key in keys), wire.Flush()]
        answers = [answer for request in requests for answer in self.connector.answer(request)]
        assert [type(answer) for answer in answers if not isinstance(answer, wire.Loaded)] == [
            wire.Acknowledged,
            wire.Flushed,
        ]
        loaded = [answer for answer in answers if isinstance(answer, wire.Loaded)]
        assert {answer.binding for answer in loaded} <= {binding}
        return [bytes(answer.doc) for answer in loaded]  # type: ignore[arg-type] # raw, in our connectors

    def store(self, *documents: Any, binding: int = 0, exists: bool = False, delete: bool = False) -> None:
        for text in map(_text, documents):
            for _ in self.connector.answer(self.stored(text, binding, exists=exists, delete=delete)):
                raise AssertionError

    def stored(self, text: bytes, index: int, *, exists: bool, delete: bool) -> wire.Store:
        found = self.spec.bindings[index]
        parsed = document.decode(text)
        selection = found.field_selection
        pointers = {each.field: each.ptr for each in found.collection.projections}

        def values(fields: Iterable[str]) -> Iterator[object]:
            for field in fields:
                value = pointer.resolve(parsed, pointer.parse(pointers[field]))
                yield None if value is pointer.MISSING else value

        return wire.Store(
            binding=index,
            key=_raw(values(selection.keys)),
            values=_raw(values(selection.values)),
            doc=msgspec.Raw(text) if selection.document else msgspec.Raw(),
            exists=exists,
            delete=delete,
        )

    def commit(self, checkpoint: str) -> None:
        """End the transaction; it is committed when this returns."""
        (answer,) = self.connector.answer(wire.StartCommit(runtime_checkpoint=msgspec.Raw(checkpoint.encode())))
        assert isinstance(answer, wire.StartedCommit)
        assert answer.state is None
        committed = self.connector._transactions
        assert committed
        assert committed._committed
        committed._committed.result()

    def transaction(self, *documents: Any, checkpoint: str = '{"at":1}', **more: Any) -> None:
        self.load()
        self.store(*documents, **more)
        self.commit(checkpoint)

    def end(self) -> None:
        self.connector.finish()


def _raw(values: Iterable[object]) -> msgspec.Raw:
    return msgspec.Raw(document.encode(list(values)))


def _text(value: Any) -> bytes:
    return value if isinstance(value, bytes) else document.encode(value)
