"""One job in a process of its own: confined, run by the CDK, answered, ended."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping

from . import answering, channel, confine, execution, masking, network, recording, request, sandboxing, watching
from .kinds import Json

__all__ = ["run", "serve"]

_NO_NETWORK = {"deny": ["0.0.0.0/0", "::/0"]}  # also for what does not go through requests


def serve(descriptor: int, parent: int | None = None) -> None:
    """Run the job that comes on the socket, send its outcome, and end this process, whatever threads it has.

    `parent` is the process that forked this one; without it, it is the server, which the job names.
    """
    run(descriptor, parent)
    os._exit(0)


def run(descriptor: int, parent: int | None = None) -> None:
    """Do the same without the end of this process, which can do nothing else afterwards."""
    link = channel.Channel(socket.socket(fileno=descriptor))
    job = link.receive()
    if job is not None:
        confine.die_with_parent(parent or job["server"])
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            _run(job, link)


def _run(job: Mapping[str, Json], link: channel.Channel) -> None:
    try:
        masker = masking.Masker(job["manifest"], job["config"])
    except Exception as error:  # noqa: BLE001 -- without a mask nothing of the job may leave, not even its error
        link.send("outcome", _failed("worker", f"the job's secrets cannot be told: {type(error).__name__}"))
        return
    try:
        outcome = _answered(job, link, masker)
    except MemoryError:
        outcome = _failed("memory", f"the job needs more than its {job['limits']['memory_bytes']} bytes of memory")
        outcome["limits_reached"] = ["memory_bytes"]
    except (network.PolicyError, recording.RecordingError) as error:  # raised before anything was asked
        outcome = _failed("source", masker.text(str(error)))
    except Exception:  # noqa: BLE001 -- an error of ours ends this job, and is told
        outcome = _failed("worker", masker.text(f"the worker failed: {traceback.format_exc()}"))
    _send(link, outcome, job["limits"]["result_bytes"])


def _answered(job: Mapping[str, Json], link: channel.Channel, masker: masking.Masker) -> dict[str, Json]:
    folder = job["folder"]
    watch = watching.Watch(job, lambda kind, data: link.send("event", {"kind": kind, "data": masker.mask(data)}))
    kept = _prepare(job, masker, watch)
    watch.start_clock()
    try:
        if job["command"] in ("check", "discover"):
            printed = execution.connect(job["command"], request.config_of(job))
        else:
            printed = execution.run_entrypoint(job["entrypoint"], request.arguments(job, folder))
    except watching.DeadlineError:
        printed = execution.Printed(died="the deadline")
    finally:
        watch.stop_clock()
        kept.close()
    return answering.answer(job, printed, watch, masker)


def _prepare(job: Mapping[str, Json], masker: masking.Masker, watch: watching.Watch) -> contextlib.ExitStack:
    """Confine the process, and patch it: nothing of it outlives the job. What is returned ends a recording."""
    sys.path[:0] = [path for path in job["paths"] if path not in sys.path]
    importlib.invalidate_caches()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    confine.confine(job["limits"], job["folder"])
    network.enforce(_NO_NETWORK if job["replay"] is not None else job["network"])
    kept = contextlib.ExitStack()
    if job["replay"] is not None:
        kept = recording.replay(job["replay"], masker)
    elif job["record"] is not None:
        kept = recording.record(job["record"], masker)
    if not job["allow_custom_code"]:
        sandboxing.enforce()
    watching.install(watch, allow_custom_code=job["allow_custom_code"])
    return kept


def _failed(kind: str, message: str) -> dict[str, Json]:
    return {"result": None, "failure": {"kind": kind, "message": message}, "limits_reached": []}


def _send(link: channel.Channel, outcome: Mapping[str, Json], bytes_max: int) -> None:
    """Send the outcome, with fewer pages if it is larger than wanted: the server's memory is not the job's to fill."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    size = len(channel.encode(outcome))
    if size > bytes_max:
        outcome = answering.within(outcome, bytes_max)
    if len(channel.encode(outcome)) > bytes_max:
        outcome = _failed("size", f"the result has {size} bytes, more than the limit result_bytes of {bytes_max}")
        outcome["limits_reached"] = ["result_bytes"]
    link.send("outcome", outcome)
