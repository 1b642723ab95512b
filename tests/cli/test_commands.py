"""The command line: what each option means to the code behind it, and how failures are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import duckdb
import msgspec
import pytest
from click.testing import CliRunner, Result

from python.cli.commands import headwater
from python.protocol.errors import HeadwaterError
from python.runner import preview, query, raw, run, testing

calls: list[Any] = []


def call(*arguments: str) -> Result:
    calls.clear()
    return CliRunner().invoke(headwater, arguments)


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs: what would be called is noted."""
    monkeypatch.setattr(run, "run", _noting(0))
    monkeypatch.setattr(preview, "preview", _noting(None))
    monkeypatch.setattr(testing, "run_tests", _noting(0))
    monkeypatch.setattr(query, "query", _noting(None))
    monkeypatch.setattr(raw, "spec", _noting("{}"))
    monkeypatch.setattr(raw, "discover", _noting(["one", "two"]))


def _noting(answer: object) -> Any:
    def note(*arguments: object, **options: object) -> object:
        calls.append((arguments, options))
        return answer

    return note


@pytest.mark.parametrize(
    ("command", "options"), [("run", run.Options), ("preview", preview.Options), ("test", testing.Options)]
)
def test_a_command_without_options_has_the_defaults_of_the_code_behind_it(
    command: str, options: type[msgspec.Struct]
) -> None:
    assert call(command, "--source", "x.flow.yaml").exit_code == 0
    assert calls == [((options(source="x.flow.yaml"),), {})]


def test_every_option_of_run_arrives() -> None:
    arguments = "--source s --name n --store st --continuous --shards 3 --log-json"
    call("run", *arguments.split())

    wanted = run.Options(source="s", name="n", store_path="st", continuous=True, shards=3, log_json=True)
    assert calls == [((wanted,), {})]


def test_every_option_of_preview_arrives() -> None:
    arguments = "--source s --name n --sessions 1,2 --timeout 10s --delay 1s --initial-state {} --output-state"
    call(
        "preview",
        *arguments.split(),
        "--output-apply",
        "--log-json",
        "--shards",
        "2",
        "--network",
        "host",
        "--fixture",
        "f",
    )

    wanted = preview.Options(
        source="s",
        name="n",
        sessions="1,2",
        timeout="10s",
        delay="1s",
        fixture="f",
        initial_state="{}",
        output_state=True,
        output_apply=True,
        log_json=True,
        shards=2,
        network="host",
    )
    assert calls == [((wanted,), {})]


def test_every_option_of_test_arrives() -> None:
    call("test", *["--source", "s", "--name", "n", "--log-json", "--network", "host"])

    assert calls == [((testing.Options(source="s", name="n", log_json=True, network="host"),), {})]


def test_raw_spec_prints_the_answer() -> None:
    assert call("raw", "spec", "--source", "s", "--capture", "c").output == "{}\n"
    assert calls == [(("s", "c", "bridge"), {})]


def test_raw_discover_prints_line_by_line() -> None:
    assert call("raw", "discover", "--source", "s", "--emit-raw", "-o", "json").output == "one\ntwo\n"
    assert calls == [((), {"source": "s", "name": None, "network": "bridge", "emit_raw": True})]


def test_sql_reads_the_default_store() -> None:
    call("sql", "--json", "select 1")

    assert calls == [(("headwater.duckdb", "select 1"), {"as_json": True})]


def test_the_status_of_a_run_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run", lambda options: 1)

    monkeypatch.setattr(testing, "run_tests", lambda options: 1)

    assert call("run", "--source", "s").exit_code == 1
    assert call("test", "--source", "s").exit_code == 1


def _raising(error: BaseException) -> Any:
    def fail(options: Any) -> None:
        raise error

    return fail


def test_a_failure_is_one_sentence_and_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "preview", _raising(HeadwaterError("the cat is on the keyboard")))
    done = call("preview", "--source", "s")

    assert (done.exit_code, done.output) == (1, "headwater: the cat is on the keyboard\n")


def test_an_interruption_has_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "preview", _raising(KeyboardInterrupt()))

    assert call("preview", "--source", "s").exit_code == 130


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run"], "Missing option '--source'"),
        (["run", "--source", "s", "--shards", "0"], "0 is not in the range 1<=x<=64"),
        (["runn"], "No such command 'runn'"),
        (["raw", "discover", "--source", "s", "-o", "xml"], "'xml' is not 'json'"),
        (["run", "--source", "s", "--store", ""], "'' is no file that keeps what is captured"),
        (["run", "--source", "s", "--store", ":memory:"], "':memory:' is no file that keeps what is captured"),
        (["sql", "select 1", "--store", "md:x"], "'md:x' is no file that keeps what is captured"),
    ],
)
def test_a_wrong_call_has_status_2(arguments: list[str], sentence: str) -> None:
    done = call(*arguments)

    assert (done.exit_code, calls) == (2, [])
    assert sentence in done.output


def test_a_reader_that_goes_ends_the_command_quietly(tmp_path: Path) -> None:
    store = tmp_path / "store.duckdb"
    with duckdb.connect(str(store)) as db:
        db.execute("create table t as select * from range(1000000)")
    program = str(Path(sys.executable).parent / "headwater")
    command = [program, "sql", "--store", str(store), "from t"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait(60) == 141


def test_help_imports_nothing_that_a_command_needs() -> None:
    code = (
        "import sys\n"
        "from python.cli.commands import headwater\n"
        "try: headwater(['--help'])\n"
        "except SystemExit: print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(done.stderr.strip("[]\n").replace("'", "").split(", "))
    assert "python.cli.commands" in loaded
    assert not {"duckdb", "yaml", "jsonschema_rs", "rich", "python.runner"} & loaded


def test_every_command_and_option_says_what_it_is_for() -> None:
    def options(command: click.Command) -> list[click.Option]:
        below = command.commands.values() if isinstance(command, click.Group) else ()
        own = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        return own + [option for each in below for option in options(each)]

    assert [option.name for option in options(headwater) if not option.help] == []
