from __future__ import annotations

from pathlib import Path

import pytest

from python.acceptance import capture_cases, suite
from python.acceptance.capturing import CaptureSubject
from python.acceptance.transcripts import Transcript
from python.acceptance.verdicts import FAILED, PASSED
from tests.acceptance import subjects

DOCUMENT = '{"captured":{"doc":{"n":1}}}'
SPACED = '{ "captured" : {"doc":{"n":1}}}'
SCHEMA = '{"sourcedSchema":{}}'
CHECKPOINT = '{"checkpoint":{}}'


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([DOCUMENT, DOCUMENT], PASSED),
        ([DOCUMENT, DOCUMENT, CHECKPOINT, DOCUMENT, DOCUMENT, CHECKPOINT], PASSED),
        ([DOCUMENT, DOCUMENT, DOCUMENT], FAILED),
        ([DOCUMENT, SCHEMA, DOCUMENT, SCHEMA, DOCUMENT], FAILED),
        ([SPACED, SPACED, SPACED], FAILED),
    ],
)
def test_a_sequence_is_what_comes_between_two_checkpoints_whatever_comes_between(
    lines: list[str], verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_cases, "_SEQUENCE_BYTES_MAX", 3 * len(DOCUMENT))
    subject = subjects.capture(tmp_path, "none")
    assert isinstance(subject, CaptureSubject)
    subject.session = Transcript(sent=(), stdout="\n".join(lines).encode(), stderr=b"", status=0)
    (case,) = (case for case in suite.CASES if case.rule == 63)

    assert suite.checked(subject, case).verdict == verdict
