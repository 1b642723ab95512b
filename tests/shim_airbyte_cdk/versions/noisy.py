"""A connector that prints: while its source is imported, asked and read, by itself and by a child process."""

from __future__ import annotations

import importlib
import os
from typing import Any

from python.shim_airbyte_cdk import CaptureShim


def made(*_: Any) -> Any:
    print("printed at import", flush=True)
    samples = importlib.import_module("tests.shim_airbyte_cdk.versions.samples")

    class Noisy(samples.Streams):  # type: ignore[misc, name-defined]  # imported just now
        def discover(self, logger: Any, config: Any) -> Any:
            print('{"type": "RECORD", "record": "printed by discover"}')
            return super().discover(logger, config)

        def read(self, logger: Any, *given: Any) -> Any:
            os.write(1, b"written by read\n")
            os.system("echo echoed by a child")  # noqa: S605 -- that is the point
            logger.info("logged at %d%%", 100)
            getattr(importlib.import_module("airbyte_cdk.logger"), "AirbyteLogger", lambda: logger)().info(
                "the old way"
            )
            for message in super().read(logger, *given):
                print("printed between messages")
                yield message

    return Noisy(lambda _: [samples.Incremental()])


if __name__ == "__main__":
    CaptureShim(delegate=made).main()
