"""`headwater test`: runs the tests of a specification, as `flowctl` does (reference, 9.6; decision 0063)."""

from __future__ import annotations

import contextlib
import itertools
import pathlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from python.protocol.errors import HeadwaterError
from python.runner import engines, task_logs
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask
from python.runner.catalog_tests import CatalogTest
from python.runner.drive import Launch
from python.runner.fixtures_feed import Journals
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError, Problem, Where, suggestion
from python.runner.reader_tasks import utc_clock
from python.runner.reading import Reader
from python.runner.stop import Stop, until_signal
from python.runner.testing_derivations import Derivations, Running, downstream
from python.runner.testing_steps import Ingest, Verify, checked
from python.runner.testing_verify import contents, differences
from python.shell.outlet import Outlet

__all__ = ["DIFFERENCES_MAX", "Options", "run_tests"]

DIFFERENCES_MAX = 50
"""A test that fails in more places tells the first of them only: nobody reads more."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater test`, as the command line names them."""

    source: str
    name: str | None = None
    log_json: bool = False
    network: str = "bridge"


def run_tests(options: Options) -> int:
    """Run the tests of a spec, or the one that is named, tell which pass and why others fail; return the exit status.

    Nothing is captured, materialized or stored. Raises what is wrong with the spec before any test begins.
    """
    loaded = load_catalog(pathlib.Path(options.source))
    tests = _ready(_chosen(loaded, options.name), loaded)
    with until_signal() as stop, contextlib.closing(_Tester(options, loaded, tests, stop)) as tester:
        failed = 0
        for number, test in enumerate(tests):
            why = tester.outcome(test)
            if stop.asked:
                raise HeadwaterError(f"stopped; {len(tests) - number} of {len(tests)} tests have not ended")
            failed += bool(why)
            _tell([f"{'FAIL' if why else 'PASS'} {test.name}{why[0] if why else ''}", *why[1:]])
        tester.finish()
    _tell([f"{len(tests) - failed} passed, {failed} failed"])
    return 1 if failed else 0


def _tell(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


@dataclass(frozen=True)
class _Test:
    """A test whose steps were checked."""

    name: str
    steps: Sequence[Ingest | Verify]


def _chosen(catalog: Catalog, name: str | None) -> list[CatalogTest]:
    """Return the test `name`, or all. Raises CatalogError where there is none."""
    if name is None and catalog.tests:
        return list(catalog.tests.values())
    if name is not None and name in catalog.tests:
        return [catalog.tests[name]]
    known = ", ".join(sorted(catalog.tests)) or "none"
    sentence = "defines no tests; add one under `tests`"
    if name is not None:
        sentence = f"defines no test {name!r}{suggestion(name, catalog.tests)}; its tests are: {known}"
    raise CatalogError.at(Where(catalog.source), sentence)


def _ready(tests: Iterable[CatalogTest], catalog: Catalog) -> list[_Test]:
    """Return the tests with their steps checked. Raises CatalogError with all that is wrong with them."""
    problems: list[Problem] = []
    ready = []
    for test in tests:
        steps = []
        for step in test.steps:
            try:
                steps.append(checked(step, catalog))
            except CatalogError as error:  # noqa: PERF203 -- all problems of all steps are told together
                problems.extend(error.problems)
        ready.append(_Test(test.name, steps))
    if problems:
        raise CatalogError(problems)
    return ready


class _Tester:
    """Runs tests one after the other, with the derivations that read what any of them ingests.

    These are processes which live until one of them fails: the next test then starts them anew.
    """

    def __init__(self, options: Options, catalog: Catalog, tests: Iterable[_Test], stop: Stop) -> None:
        self._options = options
        self._stop = stop
        self._said = Outlet(sys.stderr, stop.ask)
        ingested = {step.collection for test in tests for step in test.steps if isinstance(step, Ingest)}
        wanted = downstream(catalog, ingested)
        for task in wanted:
            if task.shards.disable:
                self._said.write(f"{task.name}: not derived, since its `shards.disable` is true\n")
        self._derivations = Derivations(catalog, [task for task in wanted if not task.shards.disable], self._launched)
        self._open = contextlib.ExitStack()
        self._running: Running | None = None

    def outcome(self, test: _Test) -> list[str]:
        """Run `test`; return why it fails: a clause, then lines of differences. Nothing where it passes."""
        journals = Journals(utc_clock())
        try:
            running = self._begun(journals)
            for step in test.steps:
                why = self._done(step, running, journals)
                if why:
                    return why
        except HeadwaterError as error:
            self.close()
            return [f": {error}"]
        return []

    def finish(self) -> None:
        """The connectors have ended well. Raises where one did not."""
        if self._running is not None:
            self._running.finish()

    def close(self) -> None:
        """The connectors are gone."""
        self._running = None
        self._open.close()

    def _begun(self, journals: Journals) -> Running:
        if self._running is None:
            self._running = self._open.enter_context(self._derivations.running())
        self._running.begin(journals)
        return self._running

    def _done(self, step: Ingest | Verify, running: Running, journals: Journals) -> list[str]:
        if isinstance(step, Ingest):
            journals.add(step.collection, step.documents)
            running.settle()
            return []
        running.settle_for(step.collection)
        return list(_failures(step, journals))

    def _launched(self, task: DerivationTask) -> Launch:
        on_log = task_logs.writer(self._said, task, as_json=self._options.log_json)
        return msgspec.structs.replace(engines.launch(task, on_log, self._options.network), stop=self._stop)


def _failures(step: Verify, journals: Journals) -> Iterator[str]:
    """Yield where the failing step stands, then its differences; nothing where there are none."""
    reader = Reader(journals, [step.source], {}, lambda: True, lambda: journals.clock)
    documents = [row[2] for batch in reader.batches() if batch for run in batch.runs for row in run.rows]
    found = differences(step.wanted, contents(step.collector, documents), step.key)
    shown = list(itertools.islice(found, DIFFERENCES_MAX))
    if shown:
        described = f" ({step.step.description})" if step.step.description else ""
        yield f": {step.step.where}: {step.collection} is not as expected{described}"
        yield from (f"  {line}" for line in shown)
    more = sum(1 for _ in found)
    if more:
        yield f"  and {more} more"
