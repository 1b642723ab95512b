"""From a manifest that somebody wrote by hand to a connector's folder that runs: lint, mend, test, export, preview.

Each step is a command, or a request to the builder's API. In the end the API that was read is gone.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rest import rest_api

pytestmark = pytest.mark.slow

HEADWATER = Path(sys.executable).with_name("headwater")
SECONDS_MAX = 300  # on a machine that has much else to do
TOKEN = "token-0123456789abcdef"
ORDERS = [{"id": number, "total": number / 4, "updated_at": f"2024-01-{number:02}"} for number in range(1, 24)]

MANIFEST = """\
# The orders of our shop, as its API has them.
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [orders]}
definitions:
  requester:
    type: HttpRequestor
    url: "{{ config['ulr'] }}/orders"  # without a slash
    authenticator: {type: BearerAuthenticator, api_token: "{{ config['token'] }}"}
  selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
streams:
  - type: DeclarativeStream
    name: orders
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/requester"}
      record_selector: {$ref: "#/definitions/selektor"}
      paginator:
        type: DefaultPaginator
        page_token_option: {type: RequestOption, inject_into: request_params, field_name: page}
        pagination_strategy: {type: CursorPagination, cursor_value: "{{ respons.get('next_page') }}"}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, total: {type: number}, updated_at: {type: string}}}
metadata:
  autoImportSchema: {orders: true}
# What a user fills in.
spec:
  type: Spec
  connection_specification:
    type: object
    required: [url, token]
    properties:
      url: {type: string, title: Address}
      token: {type: string, title: Token, airbyte_secret: true}
"""

MISTAKES = {
    "HttpRequestor": "HttpRequester",
    "ulr": "url",
    "#/definitions/selektor": "#/definitions/selector",
    "request_params": "request_parameter",
    "respons": "response",
}
"""What is wrong in the manifest, and what is right."""


def headwater(home: Path, *arguments: str, status: int = 0) -> str:
    command = [str(HEADWATER), *arguments]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def builder(home: Path) -> Iterator[str]:
    """Within, `headwater builder` serves; yields its address."""
    command = [str(HEADWATER), "builder", "--port", "0", "--recordings", "recordings"]
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = next(filter(None, (re.search(r"http://[\w.]+:\d+", line) for line in process.stdout)))
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS_MAX)
        process.stdout.close()


def post(address: str, body: Any) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 -- loopback
    with urllib.request.urlopen(request, timeout=SECONDS_MAX) as response:  # noqa: S310 -- same
        return json.load(response)


def test_a_manifest_with_five_mistakes_becomes_a_connector_that_runs(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST)
    told = headwater(tmp_path, "manifest", "lint", "manifest.yaml", status=1)
    for wrong, right in MISTAKES.items():
        line = 1 + MANIFEST[: MANIFEST.index(wrong)].count("\n")
        (named,) = [each for each in told.splitlines() if each.startswith(f"manifest.yaml:{line}:") and wrong in each]
        assert right.removeprefix("#/definitions/") in named, named
        manifest.write_text(manifest.read_text().replace(wrong, right))
    assert headwater(tmp_path, "manifest", "lint", "manifest.yaml").endswith("nothing to complain about\n")

    (tmp_path / "recordings").mkdir()
    with rest_api({"orders": ORDERS}) as api, builder(tmp_path) as server:
        config = {"url": api.url, "token": TOKEN}
        (tmp_path / "values.json").write_text(json.dumps(config))
        body = {"manifest": manifest.read_text(), "stream": "orders", "config": config, "record": "orders"}
        read = post(f"{server}/v1/stream/read", body)
    records = [record for each in read["slices"] for page in each["pages"] for record in page["records"]]
    assert records == ORDERS
    assert TOKEN not in json.dumps(read)

    options = ("--to", "source-orders", "--recording", "recordings/orders", "--values", "values.json", "--no-lock")
    told = headwater(tmp_path, "manifest", "export", "manifest.yaml", *options)
    assert "new version 0.0.1" in told
    printed = headwater(tmp_path, "preview", "--source", "source-orders/tests/replay.flow.yaml")
    documents = [document for _, document in map(json.loads, printed.splitlines())]
    assert [{name: each for name, each in found.items() if name != "_meta"} for found in documents] == records

    folder = tmp_path / "source-orders"
    assert (folder / "manifest.yaml").read_text() == manifest.read_text().replace(
        "metadata:\n  autoImportSchema: {orders: true}\n", ""
    )
    assert TOKEN not in "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
