"""The connector: its config, and what it is made of."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from materialize_parquet.columns import migrates, types_of
from materialize_parquet.folder import Folder, file_name
from materialize_parquet.manifest import ColumnOf, Ledger, Manifest
from materialize_parquet.parts import is_part
from materialize_parquet.planner import Wanted, plan
from materialize_parquet.stage import ParquetStage, Target
from python.materialize import Applied, Apply, Asked, Binding, Connector, ConnectorError, Open, Transactor, Validate
from python.materialize_constraints import Resource, constraints_of
from python.materialize_sql.configs import Advanced, DeltaUpdates, HardDelete
from python.materialize_sql.tables import Table, table_of
from python.materialize_staged import StagedTransactor, drain
from python.protocol.flow import FULL_RANGE, Projection, RangeSpec
from python.protocol.materialize import ValidatedBinding

__all__ = ["MaterializeParquet"]

_ALLOW_EXISTING = "allow_existing_tables_for_new_bindings"


class Storage(Struct, frozen=True, kw_only=True):
    """How to reach an object store of the S3 kind; what is left out is found in the environment, as AWS's tools do."""

    access_key_id: Annotated[str, Meta(title="Access Key ID", description="The ID of the key.")] = ""
    secret_access_key: Annotated[
        str, Meta(title="Secret Access Key", description="The key.", extra_json_schema={"secret": True})
    ] = ""
    region: Annotated[str, Meta(title="Region", description="The region of the bucket.")] = ""
    endpoint: Annotated[str, Meta(title="Endpoint", description="The URL of a store other than AWS's.")] = ""


class Config(Struct, frozen=True, kw_only=True):
    """Where to store."""

    url: Annotated[
        str,
        Meta(title="URL", description="The folder of the tables: a path, or a URL such as s3://bucket/folder."),
    ]
    s3: Annotated[Storage, Meta(title="S3", description="How to reach a URL that begins with s3://.")] = Storage()
    hard_delete: HardDelete = False
    advanced: Annotated[Advanced, Meta(extra_json_schema={"advanced": True})] = Advanced()


class TableResource(Struct, frozen=True, kw_only=True):
    """The table of a binding."""

    table: Annotated[
        str,
        Meta(title="Table", description="The folder of the table.", extra_json_schema={"x-collection-name": True}),
    ]
    schema: Annotated[
        str,
        Meta(
            title="Schema",
            description="A folder for the table's folder, if it is to be in one.",
            extra_json_schema={"x-schema-name": True},
        ),
    ] = ""
    delta_updates: DeltaUpdates = False


class MaterializeParquet(Connector[Config, TableResource, dict]):  # type: ignore[type-arg] # of the staged base's making
    """A materialization into Parquet files: a folder a table, in a folder or an object store."""

    documentation_url = "https://github.com/headwater/headwater/tree/main/materialize-parquet"

    def validate(self, request: Validate[Config, TableResource]) -> Iterable[ValidatedBinding]:
        """Return what may become of each field, by what the manifests say."""
        root, allow = _root(request.config), _allows_existing(request.config)
        return [
            ValidatedBinding(constraints=constraints_of(asked, _resource(asked, _folder(root, asked), allow)))
            for asked in request.bindings
        ]

    def apply(self, request: Apply[Config, TableResource, dict[str, Any]]) -> Applied:
        """Finish what was staged, if anything was; then bring the tables to what the bindings want."""
        root, session = _root(request.config), secrets.token_hex(8)
        stage = ParquetStage(root, FULL_RANGE, session)
        stage.expect({_path(binding): binding.state_key for binding in request.bindings})
        state = drain(stage, request.state)
        if state:
            return Applied(action_description="apply what the last transactions have staged", state=state)
        before = {last.resource_path: last.state_key for last in reversed(request.last_bindings)}  # active ones win
        done = []
        for binding in request.bindings:
            wanted = Wanted(
                table=_table(binding),
                folder=_folder(root, binding),
                state_key=binding.state_key,
                before=before.get(binding.resource_path),
                session=session,
            )
            for action in plan(wanted):
                action.do()
                done.append(action.description)
        return Applied(action_description="\n".join(done))

    def open(self, request: Open[Config, TableResource, dict[str, Any]]) -> Transactor:
        """Return the session with the tables, which takes over from those before it."""
        session = secrets.token_hex(8)
        stage = ParquetStage(_root(request.config), request.range, session, hard_delete=request.config.hard_delete)
        for binding in request.bindings:
            table = _table(binding)
            _refuse_shards(table, request.range)
            stage.open(Target(table=table, path=_path(binding), state_key=binding.state_key))
        transactor = StagedTransactor(stage, request.range, session, request.state)
        transactor.disable_load_optimization = _allows_existing(request.config)
        return transactor


def _allows_existing(config: Config) -> bool:
    """Return whether tables may hold documents that this task did not store, and that loads must be asked for."""
    return _ALLOW_EXISTING in [flag.strip() for flag in config.advanced.feature_flags.split(",")]


def _root(config: Config) -> Folder:
    if not config.url.startswith("s3:"):
        return Folder.at(config.url)
    client = {"region_name": config.s3.region, "endpoint_url": config.s3.endpoint}
    return Folder.at(
        config.url,
        key=config.s3.access_key_id or None,
        secret=config.s3.secret_access_key or None,
        client_kwargs={name: value for name, value in client.items() if value},
    )


def _path(binding: Asked[TableResource] | Binding[TableResource]) -> str:
    """Return the folder of a binding's table, within that of the materialization."""
    return "/".join(map(file_name, binding.resource_path))


def _folder(root: Folder, binding: Asked[TableResource] | Binding[TableResource]) -> Folder:
    return root.folder(_path(binding))


def _table(binding: Binding[TableResource]) -> Table:
    path: Sequence[str] = ("", *binding.resource_path)
    return table_of(binding, (path[-2], path[-1]), types_of)


def _refuse_shards(table: Table, own: RangeSpec) -> None:
    if not table.delta and (own.key_begin, own.key_end) != (FULL_RANGE.key_begin, FULL_RANGE.key_end):
        raise ConnectorError(
            f"table {table.named}: one row a key is kept in files that one session rewrites, so the task cannot be "
            "split into shards; run it with one, or let all its bindings have delta updates"
        )


def _resource(asked: Asked[TableResource], folder: Folder, allow_existing: bool) -> Resource:  # noqa: FBT001 -- as given
    """Return what the folder of a table says of it."""
    last: Manifest | None = Ledger(folder).last()
    columns: Mapping[str, ColumnOf] = {column.name: column for column in last.columns} if last else {}

    def misfit(projection: Projection, there: ColumnOf) -> str:
        is_key = projection.field in asked.group_by if asked.group_by else projection.ptr in asked.collection.key
        types = types_of(projection, is_key=is_key, config=asked.field_config.get(projection.field))
        if there.type in [type_.name for type_ in types] or (not is_key and migrates(there.type, types[0].name)):
            return ""
        return f"the table has it as {there.type}, and its values are {types[0].want} now"

    return Resource(
        misfit=misfit,
        columns=columns,
        exists=last is not None,
        occupied=last is not None and any(map(is_part, folder.names())),
        allow_existing=allow_existing,
    )
