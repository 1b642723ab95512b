"""The server as a process: it listens, says where, and ends in order when it is told to."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from python.builder.server.settings import Settings
from python.protocol.errors import HeadwaterError

__all__ = ["listening", "serve"]

_GRACE_SECONDS = 5  # for jobs to end after SIGTERM; containers are killed after ten
_BACKLOG = 128


def serve(settings: Settings, app: ASGIApp, told: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT, saying once where. Raises HeadwaterError where it cannot listen."""
    with listening(settings) as held:
        logging.basicConfig(stream=sys.stderr, format="headwater: %(levelname)s: %(message)s", level=logging.WARNING)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            http="h11",
            lifespan="on",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        told(f"Connector Builder server on http://{_shown(held)}")
        # uvicorn raises the signal that ended it once more; having ended in order, we do not die of it.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: None)
        uvicorn.Server(config).run(sockets=[held])


def listening(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say. Raises HeadwaterError, with what to do."""
    place = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise HeadwaterError(f"{settings.host} is no address to listen on: {error.strerror}") from None
    held = socket.socket(family, kind, protocol)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(address)
        held.listen(_BACKLOG)
    except OSError as error:
        held.close()
        if error.errno == errno.EADDRINUSE:
            raise HeadwaterError(f"{place} is in use: stop what listens there, or say --port (0 for any)") from None
        raise HeadwaterError(f"cannot listen on {place}: {error.strerror}") from None
    return held


def _shown(held: socket.socket) -> str:
    host, port = held.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
