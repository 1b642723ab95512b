"""`python -m python.builder.replay RECORDING MODULE ARGUMENT…`: run a module on a recording of its requests.

This is how tests run a connector that knows nothing of recordings: `MODULE ARGUMENT…` is what stands behind `python -m`
otherwise. What was not recorded is refused; nothing is asked of the network.
"""

from __future__ import annotations

import importlib
import pathlib
import runpy
import sys

__all__ = ["main"]

_RECORDING = "python.builder.worker.recording"  # imported late: it needs requests, which our core does not require
_WORDS_MIN = 3  # the program, a folder and a module


def main() -> None:
    """Run the module that the arguments of this process name, as `python -m` does."""
    if len(sys.argv) < _WORDS_MIN or not pathlib.Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python -m python.builder.replay RECORDING MODULE [ARGUMENT…]; RECORDING is a folder")
    folder, module = sys.argv[1:3]
    importlib.import_module(_RECORDING).replay(folder)
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
