"""A registry of 10,000 connectors in a folder, made whole, with one connector changed, with nothing changed.

Each connector has what `metadata_service upload` leaves: a version and the copy of it in `latest/`, with metadata,
spec, icon, documentation and the list of files. Time includes listing the folder; each runs in a process of its own,
and is told without and with the start of Python. The goals are those of issue 7, for a machine with nothing else to do:
where its load is told to be above 1, look at the time of processors, too.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
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
from python.registry.store import open_store

CONNECTORS = 10_000
MEMORY_BYTES_MAX = 500e6
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
        os.sync()  # what the benchmark writes is not the generation's to wait for
        measure("everything, the first time", bucket, 20)
        measure("nothing changed", bucket, 1)
        measure("a tick of the sensor", bucket, 1, "mark")
        write(bucket, CONNECTORS // 2, "1.1.0")
        measure("one connector changed", bucket, 2)
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


def measure(title: str, bucket: Path, goal: int, work: str = "generate") -> None:
    """Do `work` in a process of its own, and print its wall time beside the `goal` in seconds, and its peak memory."""
    began, load = time.monotonic(), os.getloadavg()[0]
    process = subprocess.Popen([sys.executable, __file__, work, str(bucket)], stdout=subprocess.PIPE, text=True)
    try:
        peak = peak_bytes(process)
        assert process.returncode == 0
        assert process.stdout
        within, computing = map(float, process.stdout.read().split())
    finally:
        process.kill()  # where it was interrupted; else it has ended already
        process.wait()
    whole = time.monotonic() - began
    word = "met" if within <= goal and peak <= MEMORY_BYTES_MAX else "missed"
    print(
        f"{title:28} {within:6.2f} s (goal {goal} s; with the start {whole:.2f} s; of processors {computing:.2f} s), "
        f"{peak / 1e6:4.0f} MB (goal {MEMORY_BYTES_MAX / 1e6:.0f} MB): {word}, load {load:.1f}",
        flush=True,
    )


def peak_bytes(process: subprocess.Popen[str]) -> int:
    """Return the most memory that a process and its children had at once, after its end."""
    peak, seen = 0, psutil.Process(process.pid)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess, subprocess.TimeoutExpired):
            peak = max(peak, sum(each.memory_info().rss for each in (seen, *seen.children(recursive=True))))
            process.wait(0.02)
    return peak


def measured(work: str, bucket: str) -> None:
    """Print the seconds of wall time and of processors that `work` takes, without what it imports."""
    from python.registry.generation import applying, watching  # noqa: PLC0415 -- in the measured process alone

    store = open_store(bucket)
    began, computed = time.monotonic(), time.process_time()
    if work == "mark":
        watching.mark_of(store)
    else:
        applying.generate(store, lambda: dt.datetime.now(dt.timezone.utc))
    print(time.monotonic() - began, time.process_time() - computed)


if __name__ == "__main__":
    measured(*sys.argv[1:]) if sys.argv[1:] else main()
