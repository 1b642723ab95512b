"""`python -m python.builder.replay RECORDING MODULE ARGUMENT…`: run a module on a recording of its requests.

This is how tests run a connector that knows nothing of recordings: `MODULE ARGUMENT…` is what stands behind `python -m`
otherwise. What was not recorded is refused, so an empty folder refuses everything; nothing is asked of the network.
"""

from __future__ import annotations

import contextlib
import importlib
import pathlib
import runpy
import sys
from typing import Any

__all__ = ["main"]

_WORKER = "python.builder.worker"  # imported late: it needs requests, which our core does not require
_WORDS_MIN = 3  # the program, a folder and a module


def main() -> None:
    """Run the module that the arguments of this process name, as `python -m` does."""
    if len(sys.argv) < _WORDS_MIN or not pathlib.Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python -m python.builder.replay RECORDING MODULE [ARGUMENT…]; RECORDING is a folder")
    folder, module = sys.argv[1:3]
    recording = importlib.import_module(f"{_WORKER}.recording")
    if any(pathlib.Path(folder).iterdir()):
        try:
            recording.replay(folder)
        except recording.RecordingError as error:
            raise SystemExit(f"{error}") from None
    else:
        _refuse_all(recording.RecordingError)
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _refuse_all(error: type[Exception]) -> None:
    def refused(_send: Any, request: Any) -> None:  # noqa: ANN401 -- of requests
        raise error(f"{request.method} {request.url.partition('?')[0]} was asked, and nothing is recorded")

    importlib.import_module(f"{_WORKER}.exchanges").patch(contextlib.ExitStack(), refused)


if __name__ == "__main__":
    main()
