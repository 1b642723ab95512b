"""An Airbyte source that prints wherever it can: while it is imported, asked and read, by itself and by a child.

With the argument `factory` it is imported by a factory, inside of what the shell owns; otherwise before. With
`stalling` it may give nothing for two seconds, with `acknowledging` it logs acknowledgements. A `token` in its config
it tells in every way there is.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from python import shim_airbyte_cdk

STREAMS = [{"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}]


def source() -> Any:
    messages = importlib.import_module("tests.airbyte_messages")  # it imports airbyte-cdk, which diverts all logs

    class Noisy(messages.Played):  # type: ignore[misc, name-defined] # imported just now
        def spec(self, logger: Any) -> Any:
            print("printed by spec")
            properties = {"token": {"type": "string", "airbyte_secret": True}}
            specified = {"connectionSpecification": {"type": "object", "properties": properties}}
            return messages.cdk.ConnectorSpecificationSerializer.load(specified)

        def discover(self, logger: Any, config: dict[str, Any]) -> Any:
            print("printed by discover", flush=True)
            return super().discover(logger, config)

        def read(self, logger: Any, config: dict[str, Any], catalog: Any, states: Any) -> Iterator[Any]:
            os.write(1, b"written by read\n")
            os.system("echo echoed by a child")  # noqa: S605 -- that is the point
            logger.info("logged at %d%%", 100)
            if token := config.get("token"):
                yield from tell(token, logger)
            for message in super().read(logger, config, catalog, states):
                print("printed between messages")
                yield message
            if "blocks" in config:
                threading.Thread(target=log_for_ever, daemon=True).start()
                time.sleep(3600)

    return Noisy(messages.record("users", {"id": 1}), messages.state("users", {"n": 1}), streams=STREAMS)


def tell(token: str, logger: logging.Logger) -> Iterator[Any]:
    """Tell `token` by a log, a print, a write, a child, a trace and an exception."""
    logger.warning("logged %s", token, extra={"token": token})
    print("printed", token, flush=True)
    os.write(1, f"written {token}\n".encode())
    os.system(f"echo echoed '{token}'")  # noqa: S605 -- that is the point
    yield importlib.import_module("tests.airbyte_messages").error("users", f"traced {token}")
    raise RuntimeError(f"raised with {token}") from ConnectionError(f"caused by {token}")


def log_for_ever() -> None:
    while True:
        logging.getLogger("noisy").info("logged beside it")
        time.sleep(0.05)


class Acknowledging(shim_airbyte_cdk.CaptureShim):
    explicit_acknowledgements = True

    def acknowledge(self, checkpoints: int) -> None:
        logging.getLogger("noisy").info("acknowledged %d", checkpoints)


def factory(*_: Any) -> Any:
    print("printed at import", flush=True)
    return source()


if __name__ == "__main__":
    delegate = factory if "factory" in sys.argv else source()
    shim = Acknowledging if "acknowledging" in sys.argv else shim_airbyte_cdk.CaptureShim
    shim(delegate=delegate, oauth2=None, stall_seconds_max=2 if "stalling" in sys.argv else 3600).main()
