"""A small capture that tests run as a process: numbers, with every way to misbehave that its config asks for."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, Field

from python import capture
from python.protocol.capture import Applied


class Config(BaseModel):
    count: int = Field(3, ge=1, description="How many numbers to capture.")
    token: str = Field("", json_schema_extra={"secret": True})
    mood: str = Field("good", description="How to misbehave.")
    pause_seconds: float = 0.0
    batch: int = Field(1, description="Documents a checkpoint.")
    session: int = Field(0, description="Documents a session, at most; 0 has no bound.")


class Resource(BaseModel):
    name: str


class Cursor(BaseModel):
    n: int


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Numbers(capture.Connector[Config, Resource, Cursor]):
    documentation_url = "https://example.com/numbers"
    explicit_acknowledgements = "--acknowledge" in sys.argv
    drain_seconds_max = 1.0

    def discover(self, config: Config) -> Iterator[capture.DiscoveredBinding]:
        del config
        yield capture.discovered("numbers", SCHEMA, key=["/n"], resource=Resource(name="numbers"))

    def apply(self, request: capture.Apply[Config, Resource, Cursor]) -> Applied:
        forever = request.config.mood == "never applied"
        return Applied(action_description="again", state=capture.merge_patch({"round": 1})) if forever else Applied()

    def open(self, request: capture.Open[Config, Resource, Cursor]) -> Iterator[Any]:
        config = request.config
        MOODS[config.mood](config)
        for binding in request.bindings:
            first = binding.state.n + 1 if binding.state else 0
            for n in range(first, min(config.count, first + (config.session or config.count))):
                yield binding.captured({"n": n})
                if config.mood == "terminate workers":
                    _terminate_workers()
                time.sleep(config.pause_seconds)
                if (n + 1) % config.batch == 0 or n + 1 == config.count:
                    yield binding.checkpoint(Cursor(n=n))
            logging.getLogger("numbers").info("done with %s", binding.resource.name)
        if config.mood == "forget the checkpoint":
            yield request.bindings[0].captured({"n": -1})

    def acknowledge(self, checkpoints: int) -> None:
        logging.getLogger("numbers").info("acknowledged %d", checkpoints)


def _print_everywhere(config: Config) -> None:
    print("python", config.token)
    ctypes.CDLL(None).puts(b"libc")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "child"], check=True)
    os.write(1, f"raw {config.token}\n".encode())


def _fail(config: Config) -> None:
    raise RuntimeError(f"no luck with {config.token}")


def _refuse(config: Config) -> None:
    raise capture.ConnectorError(f"the token {config.token} has expired: make a new one in the settings")


def _exit_quietly(config: Config) -> None:
    del config
    sys.exit(0)


def _fail_beside_a_talker(config: Config) -> None:
    ready = threading.Event()

    def talk() -> None:
        while True:
            logging.getLogger("talker").info("still working")
            print("still printing", flush=True)
            ready.set()

    threading.Thread(target=talk, daemon=True).start()
    ready.wait()
    _refuse(config)


class _Unspeakable:
    def __str__(self) -> str:
        raise AttributeError("no text")

    __repr__ = __str__


def _log_the_unspeakable(config: Config) -> None:
    del config
    logging.getLogger("numbers").warning("it is %s", _Unspeakable())
    print('{"a":' + "[" * 600 + "]" * 600 + "}", flush=True)
    for _ in range(40):
        print("x" * 60_000, flush=True)


def _fork(config: Config) -> None:
    del config
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=False).start()


def _terminate_workers() -> None:
    for _ in range(30):
        worker = multiprocessing.get_context("fork").Process(target=_wait_for_ever)
        worker.start()
        worker.terminate()
        worker.join(10)
        assert worker.exitcode == -signal.SIGTERM, "the worker did not die of SIGTERM"


def _wait_for_ever() -> None:
    multiprocessing.get_context("fork").Lock().acquire()
    threading.Event().wait()


def _signal_another_thread(config: Config) -> None:
    del config
    forever = threading.Event()
    other = threading.Thread(target=forever.wait, daemon=True)
    other.start()
    assert other.ident
    signal.pthread_kill(other.ident, signal.SIGTERM)
    forever.wait()


def _log_secrets(config: Config) -> None:
    import base64
    import json
    import urllib.parse

    token = config.token
    spellings = [token, urllib.parse.quote(token, safe=""), base64.b64encode(f"user:{token}".encode()).decode()]
    for spelling in [*spellings, json.dumps(token)]:
        logging.getLogger("numbers").warning("it is %s", spelling, extra={"spelled": {spelling: [spelling]}})
        print(spelling, file=sys.stderr)
        print(spelling)


MOODS: dict[str, Callable[[Config], object]] = {
    "good": lambda config: None,
    "print": _print_everywhere,
    "fail": _fail,
    "refuse": _refuse,
    "never applied": lambda config: None,
    "fork": _fork,
    "exit quietly": _exit_quietly,
    "fail beside a talker": _fail_beside_a_talker,
    "log the unspeakable": _log_the_unspeakable,
    "terminate workers": lambda config: None,
    "log secrets": _log_secrets,
    "signal another thread": _signal_another_thread,
    "forget the checkpoint": lambda config: None,
}

if __name__ == "__main__":
    Numbers().main()
