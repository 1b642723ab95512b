"""A materialization that tests run as a process: documents in a file of SQLite, exactly once in either way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from python import materialize
from python.materialize import Applied, Constraint, Loaded, ValidatedBinding
from python.protocol.flow import ConnectorState

TABLES = """
create table if not exists documents (place text, key text, doc text, "values" text, primary key (place, key));
create table if not exists added (place text, key text, doc text);
create table if not exists staged (shard integer, number integer, store text);
create table if not exists checkpoints (shard integer primary key, checkpoint text);
"""


class Config(msgspec.Struct):
    path: str
    authority: str = "endpoint"
    pause_seconds: float = 0.0
    forbid: list[str] = []
    incompatible: list[str] = []
    dies_applying: bool = False


class Resource(msgspec.Struct):
    table: str
    delta: bool = False


class Connector(materialize.Connector[Config, dict[str, Any], dict[str, Any]]):
    documentation_url = "https://example.com/shelf"
    resource_config_schema: Any = {
        "type": "object",
        "properties": {
            "table": {"type": "string", "x-collection-name": True},
            "delta": {"type": "boolean", "default": False, "x-delta-updates": True},
        },
        "required": ["table"],
    }

    def validate(self, request: materialize.Validate[Config, dict[str, Any]]) -> Iterable[ValidatedBinding]:
        config = request.config
        for binding in request.bindings:
            fits = binding.last is None or binding.last.backfill != binding.backfill
            constraints = {}
            for projection in binding.collection.projections:
                kind = "LOCATION_RECOMMENDED"
                if projection.is_primary_key or (not projection.ptr and not binding.delta_updates):
                    kind = "LOCATION_REQUIRED"
                if projection.field in config.forbid:
                    kind = "FIELD_FORBIDDEN"
                if projection.field in config.incompatible and not fits:
                    kind = "INCOMPATIBLE"
                constraints[projection.field] = Constraint(type=kind, reason="as the config says")
            yield ValidatedBinding(constraints=constraints)

    def apply(self, request: materialize.Apply[Config, dict[str, Any], dict[str, Any]]) -> Applied:
        db = connect(request.config.path)
        db.executescript(TABLES)
        before = {binding.resource_path: binding.backfill for binding in request.last_bindings}
        done = []
        for binding in request.bindings:
            if before.get(binding.resource_path, binding.backfill) != binding.backfill:
                db.execute("delete from documents where place = ?", [binding.resource_path[0]])
                done.append(f"emptied {binding.resource_path[0]}")
        db.commit()
        db.close()
        if request.config.dies_applying:
            os.kill(os.getpid(), signal.SIGKILL)
        return Applied(action_description="; ".join(done))

    def open(self, request: materialize.Open[Config, dict[str, Any], dict[str, Any]]) -> Shelf:
        return Shelf(request)


class Shelf(materialize.Transactor):
    def __init__(self, request: materialize.Open[Config, dict[str, Any], dict[str, Any]]) -> None:
        self._config = request.config
        self._places = [binding.resource_path[0] for binding in request.bindings]
        self._delta = [binding.delta_updates for binding in request.bindings]
        self._shard = request.range.key_begin
        self._db = connect(request.config.path)
        self._staged = (request.state or {}).get(str(self._shard), 0)
        self._number = self._staged
        found = self._db.execute("select checkpoint from checkpoints where shard = ?", [self._shard]).fetchone()
        if found and self._endpoint:
            self.runtime_checkpoint = msgspec.Raw(found[0].encode())

    @property
    def _endpoint(self) -> bool:
        return self._config.authority == "endpoint"

    def load(self, keys: Sequence[materialize.Load]) -> Iterable[Loaded]:
        for load in keys:
            found = self._db.execute(
                "select doc from documents where place = ? and key = ?",
                [self._places[load.binding], json.dumps(load.key)],
            ).fetchone()
            if found:
                yield Loaded(binding=load.binding, doc=msgspec.Raw(found[0].encode()))

    def store(self, documents: Sequence[materialize.Store]) -> None:
        time.sleep(self._config.pause_seconds)
        if not self._db.in_transaction:
            self._db.execute("begin immediate")
        if self._endpoint:
            self._put(documents)
            return
        self._number = max(self._number, self._staged) + 1
        self._db.executemany(
            "insert into staged values (?, ?, ?)",
            [(self._shard, self._number, msgspec.json.encode(msgspec.structs.astuple(store))) for store in documents],
        )

    def start_commit(self, checkpoint: msgspec.Raw) -> ConnectorState | None:
        if not self._db.in_transaction:
            self._db.execute("begin immediate")
        if self._endpoint:
            text = bytes(checkpoint).decode()
            self._db.execute("insert or replace into checkpoints values (?, ?)", [self._shard, text])
            return None
        self._db.commit()
        return materialize.merge_patch({str(self._shard): self._number})

    def commit(self) -> None:
        time.sleep(self._config.pause_seconds)
        if self._endpoint:
            self._db.commit()
        self._staged = self._number

    def acknowledge(self, patches: Sequence[Any]) -> ConnectorState | None:
        if self._endpoint:
            return None
        self._db.execute("begin immediate")
        rows = self._db.execute("select number, store from staged where shard = ? order by rowid", [self._shard])
        staged = [(number, msgspec.json.decode(text)) for number, text in rows.fetchall()]
        for number, (binding, key, values, doc, exists, delete) in staged:
            if number <= self._staged:
                self._put([materialize.Store(binding, tuple(key), tuple(values), _bytes(doc), exists, delete)])
        self._db.execute("delete from staged where shard = ?", [self._shard])
        self._db.commit()
        return None

    def close(self) -> None:
        self._db.close()

    def _put(self, documents: Sequence[materialize.Store]) -> None:
        for store in documents:
            place, key = self._places[store.binding], json.dumps(store.key)
            if self._delta[store.binding]:
                self._db.execute("insert into added values (?, ?, ?)", [place, key, store.doc.decode()])
            elif store.delete:
                self._db.execute("delete from documents where place = ? and key = ?", [place, key])
            else:
                how = "insert or replace" if store.exists or not self._endpoint else "insert"
                values = json.dumps(store.values, default=str)
                self._db.execute(f"{how} into documents values (?, ?, ?, ?)", [place, key, store.doc.decode(), values])


def _bytes(text: str) -> bytes:
    import base64

    return base64.b64decode(text)


def connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)


if __name__ == "__main__":
    Connector().main()
