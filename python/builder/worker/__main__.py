"""`CDK_PYTHON __main__.py supervise|once DESCRIPTOR [unrehearsed]`: started by path, since `python` is not installed.

The folder is loaded as a package of its own, under a name that no connector has, and stays off the path: a connector's
`models.py` or `jobs.py` must not find ours.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

__all__: list[str] = []

_PACKAGE = "headwater_builder_worker"


def _main(role: str, descriptor: str, *how: str) -> None:
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None, "the file is there"  # noqa: S101, PT018 -- for the type checker
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)
    if role == "supervise":
        supervisor = importlib.import_module(f"{_PACKAGE}.supervisor")
        supervisor.supervise(int(descriptor), rehearse=supervisor.UNREHEARSED not in how)
    else:
        importlib.import_module(f"{_PACKAGE}.child").serve(int(descriptor))


if __name__ == "__main__":
    _main(*sys.argv[1:])
