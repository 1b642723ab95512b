"""The suite in pytest: `pytest --headwater source-x`, or in a connector's own tests.

    def test_every_promise_is_kept(headwater_case):
        headwater_case()

    @pytest.fixture
    def headwater_target(tmp_path):  # of a materialization: see `python.acceptance.target_suite`
        return Target(command=("materialize-mine",), config={"path": str(tmp_path / "db")}, rows=...)

    def test_every_case_of_materializations_passes(headwater_target_case):
        headwater_target_case()

`headwater_case` is run for each case that concerns the connector whose folder, the one with a `test.flow.yaml`, the
tests stand in. What only is advisable warns; `--headwater-strict` has it fail.
"""

from __future__ import annotations

import functools
import pathlib
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from python.acceptance.cases import Case
    from python.acceptance.subject import Subject
    from python.acceptance.target import Target

__all__ = [
    "AdviceWarning",
    "headwater_target_case",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
]

_SPEC = "test.flow.yaml"


class AdviceWarning(UserWarning):
    """A promise that is advisable is not kept."""


class _NotKept(Exception):  # noqa: N818 -- what pytest shows of it is the report
    """A promise is not kept; the text is the report."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("headwater", "promises of Flow's protocol")
    group.addoption("--headwater", metavar="CONNECTOR", help="Folder or image of a connector to hold against them.")
    group.addoption("--headwater-source", metavar="FILE", help="Flow spec with its config; by default of the folder.")
    group.addoption("--headwater-name", metavar="TASK", help="Task of that spec, where it has several.")
    group.addoption("--headwater-rule", metavar="N", type=int, action="append", default=[], help="This rule alone.")
    group.addoption("--headwater-timeout", metavar="SECONDS", type=float, default=120.0, help="For a conversation.")
    group.addoption("--headwater-strict", action="store_true", help="What is advisable fails, too.")


def pytest_configure(config: pytest.Config) -> None:
    """With --headwater alone, nothing else is collected."""
    if config.getoption("--headwater") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add an item for each case of the connector that --headwater names."""
    connector = config.getoption("--headwater")
    if connector:
        subject = _subject(config, connector)
        items += [_Item.of(session, subject, case) for case in _cases(config, subject)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `headwater_case` for each case of its connector, `headwater_target_case` of an endpoint."""
    if "headwater_case" in metafunc.fixturenames:
        subject = _subject(metafunc.config, _folder_of(metafunc.module))
        cases = _cases(metafunc.config, subject)
        checks = [functools.partial(_check, metafunc.config, subject, case) for case in cases]
        metafunc.parametrize("headwater_case", checks, ids=map(_id, cases))
    if "headwater_target_case" in metafunc.fixturenames:
        from python.acceptance.target_suite import CASES  # noqa: PLC0415 -- a plugin is imported by every pytest

        metafunc.parametrize("headwater_target_case", list(CASES), indirect=True)


@pytest.fixture
def headwater_target_case(request: pytest.FixtureRequest, headwater_target: Target) -> Callable[[], None]:
    """A case of the suite of materializations, ready to be called."""
    from python.acceptance.target_suite import check  # noqa: PLC0415 -- a plugin is imported by every pytest

    return functools.partial(check, headwater_target, request.param)


class _Item(pytest.Item):
    """A case, as pytest runs and shows it."""

    def __init__(self, *, subject: Subject, case: Case, **members: Any) -> None:  # noqa: ANN401 -- pytest's own
        super().__init__(**members)
        self._subject = subject
        self._case = case

    @classmethod
    def of(cls, session: pytest.Session, subject: Subject, case: Case) -> _Item:
        """Return the item of a case."""
        found: _Item = cls.from_parent(session, name=f"{subject.task.name}[{_id(case)}]", subject=subject, case=case)
        return found

    def runtest(self) -> None:
        """Check the case."""
        _check(self.config, self._subject, self._case)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 -- same
        """Show the report, without our own frames."""
        if isinstance(excinfo.value, _NotKept):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[pathlib.Path, int | None, str]:
        """Return where the case comes from: the connector."""
        return pathlib.Path(str(self.config.getoption("--headwater"))), None, self.name


def _check(config: pytest.Config, subject: Subject, case: Case) -> None:
    from python.acceptance import reports, suite  # noqa: PLC0415 -- a plugin is imported by every pytest
    from python.acceptance.verdicts import NOT_APPLICABLE, NOTHING, PASSED  # noqa: PLC0415 -- same

    outcome = suite.checked(subject, case)
    if outcome.verdict in (NOT_APPLICABLE, NOTHING):
        pytest.skip(f"{outcome.verdict}: {outcome.reason}")
    if outcome.verdict == PASSED:
        return
    if reports.warned(outcome) and not config.getoption("--headwater-strict"):
        warnings.warn(AdviceWarning(reports.as_line(outcome)), stacklevel=2)
        return
    raise _NotKept(reports.as_line(outcome))


def _subject(config: pytest.Config, connector: str) -> Subject:
    """Return the connector under test, opened once for all of a run's cases."""
    from python.acceptance.opening import opened  # noqa: PLC0415 -- a plugin is imported by every pytest
    from python.acceptance.talking import Limits  # noqa: PLC0415 -- same
    from python.protocol.errors import HeadwaterError  # noqa: PLC0415 -- same

    known: dict[str, Subject] = config.__dict__.setdefault("_headwater_subjects", {})
    if connector not in known:
        source, name = config.getoption("--headwater-source"), config.getoption("--headwater-name")
        limits = Limits(seconds=config.getoption("--headwater-timeout"))
        try:
            known[connector] = opened(connector, source=source, name=name, limits=limits)
        except HeadwaterError as error:
            raise pytest.UsageError(f"headwater: {error}") from None
    return known[connector]


def _cases(config: pytest.Config, subject: Subject) -> Sequence[Case]:
    from python.acceptance import suite  # noqa: PLC0415 -- a plugin is imported by every pytest

    return suite.cases_of(subject.kind, config.getoption("--headwater-rule"))


def _id(case: Case) -> str:
    return f"{case.rule}: {case.name}"


def _folder_of(module: Any) -> str:  # noqa: ANN401 -- a module
    path = pathlib.Path(module.__file__)
    found = next((folder for folder in path.parents if (folder / _SPEC).is_file()), None)
    if found is None:
        raise pytest.UsageError(f"{path} takes headwater_case, and no folder above it has a {_SPEC}")
    return str(found)
