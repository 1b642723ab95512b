"""How many documents a second go into each database, with loads where half of the keys exist, and with delta updates.

The connector is a process; what it is sent was made before. Only the connector, its database and a thread that reads
what it says are at work. `--documents N` sets the size, `--only NAME` chooses a target, `--profile` runs the connector
in this process and prints where its time goes.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import cProfile
import json
import pstats
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from python.protocol.codec import MATERIALIZE_REQUESTS, MATERIALIZE_RESPONSES  # noqa: E402 -- run as a script
from python.protocol.materialize import Apply, Open  # noqa: E402 -- same
from tests.materializing import FULL, binding, collection, place, spec  # noqa: E402 -- same
from tests.postgres import PASSWORD, postgres  # noqa: E402 -- same

TRANSACTION = 50_000
READ_LINES = 200  # as many stores as the shell reads at once
ORDERS = collection(
    place("/id", "integer"),
    place("/updated_at", "string", format="date-time"),
    place("/status", "string"),
    place("/region", "string"),
    place("/customer", "string"),
    place("/cents", "integer"),
    name="acmeCo/orders",
)
Lines = list[bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=400_000)
    parser.add_argument("--only", choices=["sqlite", "duckdb", "postgres"])
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    for name in [chosen.only] if chosen.only else ["sqlite", "duckdb", "postgres"]:
        for delta in (False, True):
            with target(name) as config:
                if chosen.profile:
                    profile(name, config, chosen.documents, delta=delta)
                    continue
                seconds, cpu_seconds, peak_mb = measure(name, config, chosen.documents, delta=delta)
            what = "delta updates" if delta else "loads, half of the keys exist"
            rate = chosen.documents / seconds
            cpu = cpu_seconds / chosen.documents * 1e6
            size = f"{chosen.documents:>9,} documents"
            print(f"{name:9} {what:30} {size} {rate:>8,.0f}/s {cpu:5.1f} µs CPU {peak_mb:.0f} MB")


@contextlib.contextmanager
def target(name: str) -> Iterator[dict[str, Any]]:
    """Within, there is an empty database; yields the connector's config."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if name == "postgres":
            server = stack.enter_context(postgres())
            yield {"address": f"127.0.0.1:{server.port}", "password": PASSWORD}
        else:
            yield {"path": f"{folder}/bench.{name}"}


def transactions(documents: int, *, delta: bool) -> Iterator[tuple[Lines, Lines]]:
    """Yield the loads and the stores of each transaction: every second key has been stored by the one before."""
    for first in range(0, documents, TRANSACTION):
        begin = 0 if delta or not first else first // 2
        numbers = range(begin, begin + min(TRANSACTION, documents - first))
        known = 0 if delta else begin + TRANSACTION // 2 if first else 0
        loads = [] if delta else [b'{"load":{"binding":0,"key":[%d]}}\n' % number for number in numbers]
        yield loads, [stored(number, exists=number < known) for number in numbers]


def stored(number: int, *, exists: bool) -> bytes:
    minute, second = divmod(number % 3600, 60)
    values = [
        number * 7 % 1_000_000,
        f"customer-{number % 65536}",
        "us-east",
        "shipped",
        f"2024-01-01T00:{minute:02}:{second:02}Z",
    ]
    names = ("cents", "customer", "region", "status", "updated_at")
    doc = json.dumps(
        {
            "_meta": {"uuid": f"0e5f8a5c-1e6a-11ef-9262-{number:012x}"},
            "id": number,
            **dict(zip(names, values, strict=True)),
        }
    )
    line = f'{{"store":{{"binding":0,"key":[{number}],"values":{json.dumps(values)},"doc":{doc}'
    return (line + (',"exists":true}}\n' if exists else "}}\n")).encode()


def requests(config: dict[str, Any], *, delta: bool) -> tuple[bytes, bytes]:
    wanted = spec(config, binding(ORDERS, "orders", delta=delta))
    apply, open_ = Apply(materialization=wanted, version="1"), Open(materialization=wanted, version="1", range=FULL)
    return MATERIALIZE_REQUESTS.encode(apply), MATERIALIZE_REQUESTS.encode(open_)


def measure(name: str, config: dict[str, Any], documents: int, *, delta: bool) -> tuple[float, float, float]:
    """Return seconds from the first request to the end, CPU seconds of the connector, and its peak memory."""
    apply, open_ = requests(config, delta=delta)
    work = list(transactions(documents, delta=delta))
    own = ROOT / f"materialize-{name}" / ".venv" / "bin" / "python"
    command = [str(own if own.exists() else sys.executable), "-m", f"materialize-{name}"]
    subprocess.run(command, input=apply, cwd=ROOT, check=True, capture_output=True)
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    said: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(process, said), daemon=True).start()
    watched, peak_mb = psutil.Process(process.pid), 0.0

    def tell(lines: Lines, *, until: bytes) -> None:
        assert process.stdin
        process.stdin.write(b"".join(lines))
        process.stdin.flush()
        kind = said.get()
        assert kind == until, kind

    tell([open_], until=b"opened")
    began = time.monotonic()
    for number, (loads, stores) in enumerate(work):
        tell([b'{"acknowledge":{}}\n', *loads], until=b"acknowledged")
        tell([b'{"flush":{}}\n'], until=b"flushed")
        tell([*stores, b'{"startCommit":{"runtimeCheckpoint":{"n":%d}}}\n' % number], until=b"startedCommit")
        peak_mb = max(peak_mb, watched.memory_info().rss / 1e6)
    tell([b'{"acknowledge":{}}\n'], until=b"acknowledged")
    seconds = time.monotonic() - began
    cpu_seconds = sum(watched.cpu_times()[:2])
    process.stdin.close()
    assert process.wait() == 0
    return seconds, cpu_seconds, peak_mb


def _listen(process: subprocess.Popen[bytes], said: queue.Queue[bytes]) -> None:
    """Put the kind of each response into `said`, but for loaded documents."""
    assert process.stdout
    for line in process.stdout:
        kind = line[2 : line.index(b'"', 2)]
        if kind != b"loaded":
            said.put(kind)


def profile(name: str, config: dict[str, Any], documents: int, *, delta: bool) -> None:
    """Print where a connector's time goes, its responses encoded as for the wire."""
    connector = _connector(name)
    apply, open_ = requests(config, delta=delta)
    lines = [b'{"acknowledge":{}}\n', b'{"flush":{}}\n', b'{"startCommit":{"runtimeCheckpoint":{}}}\n']
    work = [
        collections.deque(line[:-1] for line in piece)
        for loads, stores in transactions(documents, delta=delta)
        for request in (lines[:1], loads, lines[1:2], stores, lines[2:])
        for piece in _read_at_once(request)
    ]
    list(connector.answer(MATERIALIZE_REQUESTS.decode(apply[:-1])))
    list(connector.answer(MATERIALIZE_REQUESTS.decode(open_[:-1])))
    service = connector._service()  # noqa: SLF001 -- what the shell serves
    profiler = cProfile.Profile()
    profiler.enable()
    for piece in work:
        for answer in service.answer(MATERIALIZE_REQUESTS.decode_run(piece)):
            for each in answer if isinstance(answer, list) else [answer]:
                MATERIALIZE_RESPONSES.encode(each)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(20)


def _read_at_once(lines: Lines) -> Iterator[Lines]:
    for first in range(0, len(lines), READ_LINES):
        yield lines[first : first + READ_LINES]


def _connector(name: str) -> Any:  # noqa: ANN401 -- one of three
    module = __import__(f"materialize_{name}")
    return getattr(module, f"Materialize{name.title()}")()


if __name__ == "__main__":
    main()
