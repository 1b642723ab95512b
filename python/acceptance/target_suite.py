"""The suite that every materialization passes: `check(target, name)` for each of `CASES`.

    @pytest.mark.parametrize("case", CASES)
    def test_target(case: str, tmp_path: Path) -> None:
        config = {"path": str(tmp_path / "db")}
        check(Target(command=("materialize-mine",), config=config, rows=rows_in(tmp_path / "db")), case)

Each case wants an endpoint of its own that is empty at first. A case fails with AssertionError, or with the sentence
of the connector that could not go on.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

from python.acceptance.target import Rows, Table, Target
from python.acceptance.target_cases import CASES as _OF_DOCUMENTS
from python.acceptance.target_changes import CHANGES
from python.acceptance.target_kills import KILLS
from python.acceptance.target_values import VALUES, value_is_kept
from python.protocol.errors import HeadwaterError

__all__ = ["CASES", "Rows", "Table", "Target", "check"]


def _value(name: str) -> Callable[[Target], None]:
    return functools.partial(value_is_kept, name)


CASES: Mapping[str, Callable[[Target], object]] = {
    **{f"value: {name}": _value(name) for name in VALUES},
    **_OF_DOCUMENTS,
    **CHANGES,
    **KILLS,
}
"""What is checked, by name."""


def check(target: Target, case: str) -> None:
    """Raise AssertionError or HeadwaterError where `target` fails the case of this name.

    One that the target declares as an exception has to be refused, in the words that it declares.
    """
    refusal = target.exceptions.get(case)
    if refusal is None:
        CASES[case](target)
        return
    try:
        CASES[case](target)
    except HeadwaterError as error:
        if re.search(refusal, str(error)):
            return
        raise
    raise AssertionError(f"{case}: declared as an exception ({refusal}), and works")
