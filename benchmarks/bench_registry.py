"""A registry of 10,000 connectors in a folder, made whole, with one connector changed, with nothing changed.

Each connector has what `metadata_service upload` leaves: a version and the copy of it in `latest/`, with metadata,
spec, icon, documentation and the list of files. Time includes listing the folder; each runs in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.measuring import machine

CONNECTORS = 10_000
METADATA = """\
data:
  ab_internal: {{ql: 200, sl: 100}}
  allowedHosts:
    hosts:
      - api.example.com
      - "*.example.com"
  connectorBuildOptions:
    baseImage: docker.io/airbyte/python-connector-base:2.0.0@sha256:{image:064x}
  connectorSubtype: api
  connectorTestSuitesOptions:
    - suite: unitTests
    - suite: acceptanceTests
      testSecrets:
        - name: SECRET_SOURCE_{n}
          fileName: config.json
          secretStore: {{type: GSM, alias: airbyte-connector-testing-secret-store}}
  connectorType: source
  definitionId: {definition}
  dockerImageTag: {version}
  dockerRepository: airbyte/source-number-{n}
  documentationUrl: https://docs.example.com/integrations/sources/number-{n}
  githubIssueLabel: source-number-{n}
  icon: icon.svg
  license: MIT
  name: Number {n}
  registryOverrides:
    cloud:
      enabled: true
    oss:
      enabled: true
  releaseDate: 2024-02-01
  releaseStage: beta
  releases:
    breakingChanges:
      1.0.0:
        message: The stream users has another primary key. Refresh its schema, and clear its data.
        upgradeDeadline: "2024-05-01"
  remoteRegistries:
    pypi:
      enabled: true
      packageName: airbyte-source-number-{n}
  suggestedStreams:
    streams: [users, orders, products]
  supportLevel: community
  tags:
    - language:python
    - cdk:low-code
metadataSpecVersion: "1.0"
"""


def main() -> None:
    print(time.strftime("%Y-%m-%d"), machine())
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent.parent / ".cache") as name:
        bucket = Path(name)
        for number in range(CONNECTORS):
            write(bucket, number, "1.0.0")
        measure("everything, the first time", bucket)
        measure("nothing changed", bucket)
        write(bucket, CONNECTORS // 2, "1.1.0")
        measure("one connector changed", bucket)
        files = sum(1 for path in bucket.rglob("*") if path.is_file())
        size = sum(path.stat().st_size for path in (bucket / "registries" / "v0").iterdir()) / 1e6
        print(f"{CONNECTORS:,} connectors, {files:,} files in the bucket, {size:.0f} MB of registries")


def write(bucket: Path, number: int, version: str) -> None:
    definition = uuid.uuid5(uuid.NAMESPACE_DNS, str(number))
    metadata = METADATA.format(n=number, image=number, version=version, definition=definition)
    files = {
        "files.json": "{}",
        "icon.svg": "<svg/>",
        "doc.md": "# A connector",
        "spec.json": json.dumps(spec()),
        "metadata.yaml": metadata,
    }
    for folder in (version, "latest"):
        place = bucket / f"metadata/airbyte/source-number-{number}/{folder}"
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            if (folder, name) != ("latest", "files.json"):
                (place / name).write_text(text)


def spec() -> dict[str, Any]:
    """A spec of about 3 kB, with a choice of credentials, as most sources of an API have."""
    described = "Where to find this is told in the documentation of the service; ask an administrator if in doubt."
    secret = {"type": "string", "title": "Secret", "description": described, "airbyte_secret": True}
    choices = [
        {"title": f"Way {way}", "type": "object", "required": ["kind", "token"]}
        | {"properties": {"kind": {"const": f"way{way}"}, "token": secret, "refresh": secret, "client": secret}}
        for way in range(4)
    ]
    properties = {
        "start_date": {"type": "string", "format": "date", "description": described},
        "auth": {"oneOf": choices},
    }
    return {"connectionSpecification": {"type": "object", "required": ["auth"], "properties": properties}}


def measure(title: str, bucket: Path) -> None:
    """Run a generation in a process of its own, and print its wall time and its peak memory."""
    began = time.monotonic()
    process = psutil.Popen([sys.executable, __file__, str(bucket)], stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            peak = max(peak, process.memory_info().rss)
            process.wait(0.02)
    assert process.returncode == 0
    within, computing = map(float, process.stdout.read().split())
    whole = time.monotonic() - began
    told = f"{within:6.2f} s ({whole:6.2f} s with the start, {computing:6.2f} s of processors), {peak / 1e6:5.0f} MB"
    print(f"{title:28} {told}", flush=True)


def generate(bucket: Path) -> None:
    import datetime as dt  # noqa: PLC0415 -- in the measured process alone

    from python.registry.generation.applying import generate  # noqa: PLC0415 -- same
    from python.registry.store import open_store  # noqa: PLC0415 -- same

    began = time.monotonic()
    generate(open_store(str(bucket)), lambda: dt.datetime.now(dt.timezone.utc))
    print(time.monotonic() - began, time.process_time())


if __name__ == "__main__":
    generate(Path(sys.argv[1])) if sys.argv[1:] else main()
