"""`python -m python.shim_airbyte_cdk PATH`: the manifest in the file PATH, or in the folder PATH, as a capture."""

from __future__ import annotations

import sys

from python.shim_airbyte_cdk.manifest import manifest_capture


def _main() -> None:
    if len(sys.argv) != 2:  # noqa: PLR2004 -- the program, and one path
        raise SystemExit("usage: python -m python.shim_airbyte_cdk manifest.yaml, or a folder with one")
    manifest_capture(sys.argv[1]).main()


if __name__ == "__main__":
    _main()
