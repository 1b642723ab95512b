"""A test read by airbyte-cdk's own builder, recorded:   python recorded.py FOLDER MANIFEST.yaml CONFIG.json STREAM…"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

SECONDS_MAX = 300  # on a machine that has much else to do


def record(folder: Path, manifest: Path, config: Mapping[str, Any], streams: Sequence[str]) -> dict[str, list[Any]]:
    """Record a read of each stream in a folder of its own; return the records."""
    with tempfile.TemporaryDirectory() as beside:
        given = Path(beside) / "config.json"
        given.write_text(json.dumps(config))
        command = [sys.executable, __file__, str(folder), str(manifest), str(given), *streams]
        env = {**os.environ, "AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, env=env, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _read(manifest: Path, config: dict[str, Any], stream: str) -> list[Any]:
    from airbyte_cdk.connector_builder.main import handle_request

    components = manifest.parent / "components.py"
    own = {"__injected_declarative_manifest": yaml.safe_load(manifest.read_text()), "__command": "test_read"}
    if components.is_file():
        import hashlib

        text = components.read_text()
        digest = hashlib.md5(text.encode()).hexdigest()  # noqa: S324 -- as the CDK wants it
        own |= {"__injected_components_py": text, "__injected_components_py_checksums": {"md5": digest}}
    told = {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    catalog = {"streams": [{"stream": told, "sync_mode": "incremental", "destination_sync_mode": "overwrite"}]}
    files = {"config": {**config, **own}, "catalog": catalog, "state": []}
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["read"]
        for name, value in files.items():
            (Path(folder) / name).write_text(json.dumps(value))
            arguments += [f"--{name}", str(Path(folder) / name)]
        answer = json.loads(handle_request(arguments))["record"]["data"]
    return [record for each in answer["slices"] for page in each["pages"] for record in page["records"]]


def _main() -> None:
    from python.builder.worker import recording
    from python.builder.worker.masking import Masker

    folder, manifest, given = map(Path, sys.argv[1:4])
    config = json.loads(given.read_text())
    masker = Masker(yaml.safe_load(manifest.read_text()).get("spec"), config)
    found = {}
    for stream in sys.argv[4:]:
        with recording.record(str(folder / stream), masker):
            found[stream] = _read(manifest, dict(config), stream)
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
