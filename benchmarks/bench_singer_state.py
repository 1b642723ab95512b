"""What 2,000 parents with one child each cost: the SDK's own command, and our shim, on the newest singer-sdk.

The environment is that of the tests of versions (tests/shim_singer_sdk/versions); the tap is theirs, too.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import machine
from tests.conversing import ROOT
from tests.shim_singer_sdk.versions.environments import NEWEST, python_of

PARENTS = 2_000
ROUNDS = 3
FOLDER = ROOT / "tests" / "shim_singer_sdk" / "versions"
CONFIG = {"rows": PARENTS, "children": 1, "streams": ["parents", "children"]}
SINK = """
import logging, sys, time
class Sink:
    states = 0
    def write(self, text):
        if '"STATE"' in text[:20] or '"checkpoint"' in text[:16]:
            self.states += len(text)
    def flush(self):
        pass
out = sys.stdout
sys.stdout = Sink()
"""
OWN = """
logging.disable(logging.INFO)
import json
from tap_sample.tap import TapSample
tap = TapSample(config=json.load(open(sys.argv[1])))
began = time.perf_counter()
tap.sync_all()
print(time.perf_counter() - began, sys.stdout.states, file=out)
"""
OURS = """
logging.disable(logging.INFO)
import msgspec
from tap_sample.tap import TapSample
from python.protocol import capture as wire
from python.protocol.codec import CAPTURE_RESPONSES
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec
from python.shim_singer_sdk import CaptureShim
raw = msgspec.Raw(open(sys.argv[1], "rb").read())
shim = CaptureShim(TapSample)
[found] = shim.answer(wire.Discover(config=raw))
bindings = tuple(
    CaptureBinding(
        resource_config=b.resource_config, resource_path=b.resource_path, state_key=b.recommended_name,
        collection=CollectionSpec(name=b.recommended_name, write_schema=b.document_schema, key=b.key),
    )
    for b in found.bindings
)
opened = wire.Open(capture=CaptureSpec(name="x", config=raw, bindings=bindings), state=msgspec.Raw(b"{}"))
began = time.perf_counter()
for response in shim.answer(opened):
    sys.stdout.write(bytes(CAPTURE_RESPONSES.encode(response)).decode())
print(time.perf_counter() - began, sys.stdout.states, file=out)
"""


def main() -> None:
    print(time.strftime("%Y-%m-%d"), machine(), f"singer-sdk {NEWEST}, {PARENTS:,} parents with one child each")
    for label, script, rounds in (("the tap's own sync", OWN, 1), ("our shim", OURS, ROUNDS)):
        runs = [_run(script) for _ in range(rounds)]
        seconds = statistics.median(run[0] for run in runs)
        print(f"{label}: {seconds:.2f} s, {runs[0][1] / 1e6:.2f} MB of states")


def _run(script: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "config.json"
        file.write_text(json.dumps(CONFIG))
        command = [str(python_of(NEWEST)), "-W", "ignore", "-c", SINK + script, str(file)]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True)
    seconds, state_bytes = map(float, done.stdout.split())
    return seconds, state_bytes


if __name__ == "__main__":
    main()
