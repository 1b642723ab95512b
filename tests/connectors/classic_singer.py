"""A classic Singer tap in several moods, and the connector that runs it: with --config it is the tap."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

SECRET = "the canary's long secret"
ENTRY = {
    "tap_stream_id": "db-things",
    "stream": "things",
    "key_properties": ["id"],
    "schema": {"type": "object", "properties": {"id": {"type": ["null", "integer"]}, "n": {"type": "number"}}},
    "metadata": [
        {"breadcrumb": [], "metadata": {"inclusion": "available", "valid-replication-keys": ["n"]}},
        {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
        {"breadcrumb": ["properties", "n"], "metadata": {"inclusion": "available"}},
    ],
}


def say(text: str) -> None:
    print(text, flush=True)


def record(text: str) -> None:
    say(f'{{"type": "RECORD", "stream": "things", "record": {text}}}')


def state(n: int) -> None:
    say(json.dumps({"type": "STATE", "value": {"bookmarks": {"db-things": {"n": n}}, "currently_syncing": None}}))


def log(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def discover(mood: str) -> None:
    if mood == "fail":
        log("CRITICAL 401 Unauthorized")
        sys.exit(1)
    say("no catalog" if mood == "garbage" else json.dumps({"streams": [ENTRY]}))


def echo(files: dict[str, Any]) -> None:
    """One record that tells what the tap was given."""
    record(json.dumps({"id": 1, "given": files}))


def numbers(files: dict[str, Any]) -> None:
    since = files.get("--state", {}).get("bookmarks", {}).get("db-things", {}).get("n", 0)
    for n in range(since + 1, files["--config"].get("count", 3) + 1):
        record(f'{{"id": {n}, "n": {n}.10}}')
        state(n)
    record('{"id": 18446744073709551617, "n": 1e-400}')


def nan(files: dict[str, Any]) -> None:
    record('{"id": 1, "n": NaN, "more": [-Infinity, 1.10]}')


def broken(files: dict[str, Any]) -> None:
    record('{"id": 1}')
    say('{"type": "RECORD", "stream": "things", "record": {"id": 2')


def killed(files: dict[str, Any]) -> None:
    """Within a line."""
    record('{"id": 1}')
    sys.stdout.write('{"type": "RECORD", "stream": "things", "record": {"id": 2')
    sys.stdout.flush()
    signal.raise_signal(signal.SIGKILL)


def rotate(files: dict[str, Any]) -> None:
    """Some taps write new tokens into the config file that they were given."""
    path = Path(sys.argv[sys.argv.index("--config") + 1])
    path.write_text(json.dumps({**files["--config"], "token": "a new one"}), encoding="utf-8")


def noise(files: dict[str, Any]) -> None:
    say("a print in the tap")
    log(f"INFO the token is {files['--config']['token']}")
    log(f"it is not told which settings are secret: {SECRET}")
    log(f"CRITICAL {SECRET} is wrong")
    sys.exit(1)


def fail(files: dict[str, Any]) -> None:
    numbers(files)
    log("ERROR tried three times")
    log("CRITICAL quota exceeded")
    sys.exit(2)


def hang(files: dict[str, Any]) -> None:
    """At a boundary: everything so far is covered by a bookmark."""
    record('{"id": 1}')
    state(1)
    signal.pause()


def hang_within(files: dict[str, Any]) -> None:
    """Between two bookmarks; a tap that is told to stop writes one more."""

    def stop(*_: object) -> None:
        record('{"id": 3}')
        state(3)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    record('{"id": 1}')
    state(1)
    record(json.dumps({"id": 2, "more": "than the connector holds back" * 10_000}))
    signal.pause()


def tap() -> None:
    words = [word for word in sys.argv[1:] if word != "--discover"]
    files = {
        option: json.loads(Path(path).read_text(encoding="utf-8"))
        for option, path in zip(words[::2], words[1::2], strict=True)
    }
    mood = files["--config"].get("mood", "numbers")
    if "--discover" in sys.argv:
        discover(mood)
    else:
        {f.__name__: f for f in (echo, numbers, nan, broken, killed, rotate, noise, fail, hang, hang_within)}[mood](
            files
        )


if __name__ == "__main__":
    if "--config" in sys.argv:
        tap()
    else:
        from python.shim_singer_sdk import ExecutableShim

        ExecutableShim([sys.executable, __file__]).main()
