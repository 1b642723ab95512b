"""Documents a second from source-bigdata into the store, and what each side costs: medians of interleaved runs.

The connector alone (`open` on stdin, output to /dev/null) and the source alone (`Source.read` in process) show where
the time goes. Start-up is left out of the first, and in the second.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import machine, run, write_spec

DOCUMENTS = 300_000
ROUNDS = 3
COSTS = """
import logging, sys, time
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/source-bigdata"]
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from source_bigdata import SourceBigdata
from python import shim_airbyte_cdk
from python.protocol import capture as wire
from python.protocol.codec import CAPTURE_RESPONSES
from python.protocol.flow import CaptureBinding, CaptureSpec, CollectionSpec
import msgspec

logging.disable(logging.CRITICAL)
config = {"data_name": "big-data", "region": "us-east", "documents": int(sys.argv[2])}
raw = lambda value: msgspec.Raw(msgspec.json.encode(value))
shim = shim_airbyte_cdk.CaptureShim(delegate=SourceBigdata())
[found] = shim.answer(wire.Discover(config=raw(config)))
bindings = tuple(
    CaptureBinding(
        resource_config=b.resource_config, resource_path=b.resource_path, state_key=b.recommended_name,
        collection=CollectionSpec(name=b.recommended_name, write_schema=b.document_schema, key=b.key),
    )
    for b in found.bindings
)
source = SourceBigdata()
streams = [s.as_airbyte_stream() for s in source.streams(config)]
catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": [
    {"stream": {"name": s.name, "json_schema": s.json_schema, "supported_sync_modes": ["full_refresh", "incremental"]},
     "sync_mode": "incremental" if s.name == "orders" else "full_refresh", "destination_sync_mode": "append",
     "cursor_field": ["updated_at"] if s.name == "orders" else []} for s in streams]})
began = time.perf_counter()
alone = sum(1 for message in source.read(logging.getLogger("x"), config, catalog, []) if message.record)
read = time.perf_counter() - began
opened = wire.Open(capture=CaptureSpec(name="x", config=raw(config), bindings=bindings), state=raw({}))
began = time.perf_counter()
ours = sum(len(CAPTURE_RESPONSES.encode(m)) > 0 for m in shim.answer(opened) if isinstance(m, wire.Captured))
shimmed = time.perf_counter() - began
assert alone == ours
print(read / alone * 1e6, shimmed / ours * 1e6)
"""


def main() -> None:
    rates, sources, shims = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = write_spec(folder, DOCUMENTS)
        for _ in range(ROUNDS):
            done = run(spec, folder / "store.duckdb")
            rates.append(done.documents / done.seconds)
            sources_, shims_ = _costs()
            sources.append(sources_)
            shims.append(shims_)
    print(time.strftime("%Y-%m-%d"), machine())
    print(f"headwater run, source-bigdata, {DOCUMENTS:,} documents: {statistics.median(rates):,.0f} documents/s")
    source, shim = statistics.median(sources), statistics.median(shims)
    print(
        f"per document: source {source:.2f} µs, with shim and encoding {shim:.2f} µs: the shim {shim - source:.2f} µs"
    )


def _costs() -> tuple[float, float]:
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", COSTS, root, str(DOCUMENTS)], capture_output=True, text=True, check=True
    )
    source, shim = map(float, done.stdout.split())
    return source, shim


if __name__ == "__main__":
    main()
