"""Our Singer connectors give what the upstream's own command gives, wherever they are interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.singer import Answer, Connector, Json, canonical, check_resuming, exact, reduced, require_environment
from tests.singer_sources import classic_source, dbf_source, orders_by_time, postgres_source, rest_source

pytestmark = pytest.mark.slow

SOURCES = {
    "source-postgres": lambda folder: postgres_source(),
    "source-rest-api": lambda folder: rest_source(),
    "source-dbf": dbf_source,
    "source-classic": classic_source,
}


def as_discovered(entry: Json) -> Json:
    return entry


CHOICES = {"source-postgres": orders_by_time}


def as_date_time(record: Json) -> Json:
    """A record of source-dbf as it has to be: the tap's schema says date-time where its value is a date."""
    sold = record.get("SOLD")
    return {**record, "SOLD": f"{sold}T00:00:00Z"} if sold else record


CUTS = {"source-rest-api": 10, "source-dbf": 1}
"""After how many documents a checkpoint comes, where otherwise the last one would be the only one."""

MENDED = {"source-dbf": as_date_time}


class Session:
    """A connector, the bindings of a task, and one capture of all of it."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.choose = CHOICES.get(connector.name, as_discovered)
        discovered = connector.discover()
        assert discovered.status == 0, discovered.stderr
        self.bindings = connector.bindings(discovered.responses[1], self.choose)
        self.first: Answer = connector.open(self.bindings)
        assert self.first.status == 0, self.first.stderr


@pytest.fixture(scope="module", params=SOURCES)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    name = request.param
    with SOURCES[name](tmp_path_factory.mktemp(name)) as connector:
        yield Session(connector.cutting(CUTS[name]) if name in CUTS else connector)


def test_the_documents_are_the_records_of_the_upstreams_own_command(session: Session) -> None:
    streams = [binding["resourceConfig"]["stream"] for binding in session.bindings]

    def choose(entry: Json) -> None:
        entry.update(session.choose(entry))

    mend = MENDED.get(session.connector.name, as_discovered)
    theirs = sorted((stream, canonical(mend(record))) for stream, record in session.connector.records(choose))
    ours = sorted((streams[index], canonical(doc)) for index, doc in session.first.captured())

    assert ours == theirs
    assert len(ours) > 2


def test_resuming_at_every_checkpoint_ends_in_the_same_collections(session: Session) -> None:
    check_resuming(session.connector, session.bindings, session.first)


def test_validate_accepts_what_was_discovered(session: Session) -> None:
    resources = [{"resourceConfig": binding["resourceConfig"]} for binding in session.bindings]

    answer = session.connector.ask({"validate": {"config": session.connector.config, "bindings": resources}})

    assert answer.status == 0, answer.stderr
    paths = [bound["resourcePath"] for bound in answer.responses[-1]["validated"]["bindings"]]
    assert paths == [binding["resourcePath"] for binding in session.bindings]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("source-dbf", '["tap-dbf"]'), ("source-classic", '["tap-classic"], catalog_option="--properties"')],
)
def test_any_tap_runs_as_an_executable(tmp_path: Path, name: str, arguments: str) -> None:
    """A tap of the SDK gives as a child process what it gives in ours; an old one takes its catalog as properties."""
    require_environment(name)
    program = f"from python.shim_singer_sdk import ExecutableShim; ExecutableShim({arguments}).main()"
    with SOURCES[name](tmp_path) as connector:
        ours, theirs = Session(connector), Session(connector._replace(program=program))

    assert theirs.bindings == ours.bindings
    assert theirs.first.captured() == ours.first.captured()


def test_rows_of_a_table_without_a_key_that_are_gone_are_deleted_with_its_next_read(tmp_path: Path) -> None:
    require_environment("source-classic")
    with classic_source(tmp_path) as connector:
        session = Session(connector)
        oak, _, other_oak = (tmp_path / "trees.jsonl").read_text(encoding="utf-8").splitlines()
        (tmp_path / "trees.jsonl").write_text(f"{oak}\n{other_oak}\n", encoding="utf-8")

        again = connector.open(session.bindings, session.first.checkpoints()[-1][1])

    held = reduced(session.bindings, session.first.captured() + again.captured())
    assert [doc for doc in held.values() if "branches" in doc] == [canonical(exact(oak)), canonical(exact(other_oak))]
