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
from collections.abc import Callable
from typing import Any

__all__ = ["main"]

_WORKER = "python.builder.worker"  # imported late: it needs requests, which our core does not require
_WORDS_MIN = 3  # the program, a folder and a module


def main() -> None:
    """Run the module that the arguments of this process name, as `python -m` does."""
    if len(sys.argv) < _WORDS_MIN or not pathlib.Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python -m python.builder.replay RECORDING MODULE [ARGUMENT…]; RECORDING is a folder")
    folder, module = sys.argv[1:3]
    _answer_from(pathlib.Path(folder))
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _answer_from(folder: pathlib.Path) -> None:
    """From now on requests are answered from `folder`. What is refused is told on stderr: a source may hide it."""
    recording = importlib.import_module(f"{_WORKER}.recording")
    is_empty = not any(folder.iterdir())
    if not is_empty:
        try:
            recording.replay(str(folder))
        except recording.RecordingError as error:
            raise SystemExit(f"{error}") from None

    def answered(send: Callable[[], Any], request: Any) -> Any:  # noqa: ANN401 -- of requests
        try:
            return _refused(recording, request, folder) if is_empty else send()
        except recording.RecordingError as error:
            print(error, file=sys.stderr, flush=True)  # noqa: T201 -- the shell logs what a connector prints there
            raise

    importlib.import_module(f"{_WORKER}.exchanges").patch(contextlib.ExitStack(), answered)


def _refused(recording: Any, request: Any, folder: pathlib.Path) -> None:  # noqa: ANN401 -- a module, of requests
    address = request.url.partition("?")[0]
    raise recording.RecordingError(f"{request.method} {address} was not recorded in {folder}: nothing was")


if __name__ == "__main__":
    main()
