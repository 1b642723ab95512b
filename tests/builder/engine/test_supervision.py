from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from python.builder.engine.processes import Ended
from python.builder.engine.supervision import Supervisor

SECONDS_MAX = 5.0


def test_the_jobs_of_a_dead_worker_end_also_where_a_failed_fork_tells_of_its_death() -> None:
    async def bereft() -> Ended:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        nobody: Any = SimpleNamespace(pid=0)
        supervisor = Supervisor(nobody, ours, nobody)
        with ours, theirs:
            running = supervisor.fork(theirs)
            theirs.shutdown(socket.SHUT_RDWR)
            with pytest.raises(ConnectionError, match="has died"):  # the loop had no turn, so nobody has read the end
                supervisor.fork(theirs)
            ended = await asyncio.wait_for(running.ended(), SECONDS_MAX)
            await asyncio.wait_for(supervisor.idle(), SECONDS_MAX)
            return ended

    assert asyncio.run(bereft()).code is None
