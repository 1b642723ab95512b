# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201 -- the SDK's own names for types differ between versions
# The SDK is not installed where types are checked; each version's own environment has it.
"""The sample tap as a capture. With an argument, as many captures, one after the other, as there are requests."""

import os
import sys

from tap_sample.tap import TapSample

from python.protocol.codec import CAPTURE_REQUESTS, CAPTURE_RESPONSES
from python.shim_singer_sdk import CaptureShim


def made(config, catalog, state):
    """Return a tap, as connectors that exist make it: with nothing of ours."""
    return TapSample(config=config, catalog=catalog, state=state)


def answer_all() -> None:
    """Answer each line of stdin as a session of its own; an empty line ends each answer."""
    sys.stdout = sys.stderr
    for line in sys.stdin.buffer:
        shim = CaptureShim(config_schema=TapSample.config_jsonschema, delegate_factory=made)
        for response in shim.answer(CAPTURE_REQUESTS.decode(line)):
            sys.__stdout__.buffer.write(bytes(CAPTURE_RESPONSES.encode(response)).strip() + b"\n")
        sys.__stdout__.buffer.write(b"\n")


CaptureShim.state_seconds_min = float(os.environ.get("STATE_SECONDS_MIN", "0"))
if len(sys.argv) > 1:
    answer_all()
else:
    CaptureShim(TapSample).main()
