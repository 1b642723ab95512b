from __future__ import annotations

from pathlib import Path

import pytest

from python.acceptance.capturing import CaptureSubject
from python.acceptance.materializing import MaterializationSubject
from python.acceptance.subject import raw
from tests.acceptance import subjects


@pytest.mark.parametrize("make", [subjects.capture, subjects.materialization])
def test_a_task_is_run_under_a_name_that_is_not_the_user_s(make: subjects.Make, tmp_path: Path) -> None:
    subject = make(tmp_path, "none")
    assert isinstance(subject, CaptureSubject | MaterializationSubject)
    if isinstance(subject, CaptureSubject):
        named = {subject.discover(raw({})).name, subject.validate(raw({})).name, subject.spec_of(()).name}
    else:
        named = {subject.validate(raw({})).name, subject.stored.name}

    assert named == {"acmeCo/headwater_acceptance"}
