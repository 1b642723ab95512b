"""Peak memory of `headwater run` and of the connector, from 100,000 to 2,000,000 documents of source-bigdata."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.measuring import machine, run, write_spec

SIZES = (100_000, 500_000, 2_000_000)


def main() -> None:
    print(time.strftime("%Y-%m-%d"), machine())
    base = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in SIZES:
            done = run(write_spec(folder, size), folder / "store.duckdb")
            base = base or done
            print(
                f"{size:>9,} documents in {done.seconds:6.1f} s: "
                f"runner {done.runner_mb:6.1f} MB ({done.runner_mb / base.runner_mb:.2f}), "
                f"connector {done.connector_mb:6.1f} MB ({done.connector_mb / base.connector_mb:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
