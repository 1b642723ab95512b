"""A small materialization that tests run as a process: one JSON file, and the ways to fail that its config asks for."""

from __future__ import annotations

import json
import pathlib
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel, Field

from python import materialize

SHELF: dict[str, Any] = {"checkpoint": None, "tables": {}}


class Config(BaseModel):
    path: str
    token: str = Field("", json_schema_extra={"secret": True})
    mood: str = Field("good", description="Where to fail, or to wait for a file.")


class Resource(BaseModel):
    table: str = Field(json_schema_extra={"x-collection-name": True})
    area: str | None = Field(None, json_schema_extra={"x-schema-name": True})
    delta: bool = Field(False, json_schema_extra={"x-delta-updates": True})


class Shelf(materialize.Transactor):
    def __init__(self, config: Config, tables: list[str]) -> None:
        self._path = pathlib.Path(config.path)
        self._mood = config.mood
        self._tables = tables
        self._held = json.loads(self._path.read_text()) if self._path.exists() else json.loads(json.dumps(SHELF))
        if self._held["checkpoint"]:
            self.runtime_checkpoint = msgspec.Raw(self._held["checkpoint"].encode())

    def load(self, keys: Sequence[materialize.Load]) -> Iterable[materialize.Loaded]:
        for load in keys:
            doc = self._rows(load.binding).get(json.dumps(load.key))
            if doc is not None:
                yield materialize.Loaded(binding=load.binding, doc=msgspec.Raw(doc.encode()))

    def store(self, documents: Sequence[materialize.Store]) -> None:
        for store in documents:
            if store.delete:
                del self._rows(store.binding)[json.dumps(store.key)]
            else:
                self._rows(store.binding)[json.dumps(store.key)] = store.doc.decode()

    def start_commit(self, checkpoint: msgspec.Raw) -> Any:
        self._held["checkpoint"] = bytes(checkpoint).decode()
        return materialize.merge_patch({"stored": sum(map(len, self._held["tables"].values()))})

    def commit(self) -> None:
        if self._mood == "fail to commit":
            raise materialize.ConnectorError("the disk is full: make room")
        if self._mood == "commit slowly":
            gate = self._path.with_suffix(".gate")
            while not gate.exists():
                threading.Event().wait(0.01)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._held))
        new.replace(self._path)

    def acknowledge(self, patches: Sequence[Any]) -> Any:
        if self._mood == "fail to acknowledge":
            raise materialize.ConnectorError("the staged files are gone: raise the backfill counter")
        return materialize.merge_patch({"shards": len(patches)}) if patches else None

    def close(self) -> None:
        print("closed", file=sys.stderr)

    def _rows(self, binding: int) -> dict[str, str]:
        rows: dict[str, str] = self._held["tables"].setdefault(self._tables[binding], {})
        return rows


class Shelves(materialize.Connector[Config, Resource, dict[str, Any]]):
    documentation_url = "https://example.com/shelves"

    def validate(self, request: materialize.Validate[Config, Resource]) -> list[materialize.ValidatedBinding]:
        optional = materialize.Constraint(type="FIELD_OPTIONAL", reason="anything fits")
        return [
            materialize.ValidatedBinding(
                constraints={projection.field: optional for projection in asked.collection.projections}
            )
            for asked in request.bindings
        ]

    def apply(self, request: materialize.Apply[Config, Resource, dict[str, Any]]) -> materialize.Applied:
        old = {binding.resource_path for binding in request.last_bindings}
        new = ["/".join(binding.resource_path) for binding in request.bindings if binding.resource_path not in old]
        return materialize.Applied(action_description="\n".join(f"create {name}" for name in new))

    def open(self, request: materialize.Open[Config, Resource, dict[str, Any]]) -> Shelf:
        return Shelf(request.config, ["/".join(binding.resource_path) for binding in request.bindings])


if __name__ == "__main__":
    Shelves().main()
