"""`python -m python.builder`: the server as a container starts it, with all that it is told in variables."""

from __future__ import annotations

import os
import sys

from python.builder.server.settings import from_environment
from python.builder.server.starting import run
from python.protocol.errors import HeadwaterError

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Serve until told to end; return 2 where the server cannot start, with a sentence on stderr."""
    if arguments:
        sys.stderr.write("headwater: python -m python.builder takes no arguments: say headwater builder\n")
        return 2
    try:
        run(from_environment(os.environ), lambda sentence: print(sentence, flush=True))  # noqa: T201 -- as a command
    except HeadwaterError as error:
        sys.stderr.write(f"headwater: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
